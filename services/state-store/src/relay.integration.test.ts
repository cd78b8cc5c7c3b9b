import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { encodeUtf8, STREAMS } from '@umpire/contract';
import { createLogger, metrics, newId, type Bus, type Sql } from '@umpire/runtime';
import { eventually } from '@umpire/testing';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { leaseOutbox, type OutboxItem } from './outbox.queries.ts';
import { Relay } from './relay.service.ts';
import { cancellation, startHarness, submission, type Harness } from './test/store-harness.ts';

let harness: Harness;
beforeAll(async () => void (harness = await startHarness()));
afterAll(() => harness.stop());

/** A line to a server that can hold back what goes there or what comes from there, and keeps what went. */
class SlowLine {
  sent = '';
  private readonly near: Socket[] = [];
  private readonly far: Socket[] = [];
  private readonly server: Server;

  private constructor(port: number) {
    this.server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      this.near.push(near);
      this.far.push(far);
      near.on('data', (bytes) => {
        this.sent += bytes.toString('latin1');
        far.write(bytes);
      });
      far.pipe(near);
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
    });
  }

  static async to(url: string): Promise<{ line: SlowLine; url: string }> {
    const line = new SlowLine(Number(new URL(url).port));
    line.server.listen(0, '127.0.0.1');
    await once(line.server, 'listening');
    return { line, url: `nats://127.0.0.1:${(line.server.address() as AddressInfo).port}` };
  }

  hold(): void {
    for (const socket of this.near) socket.pause();
  }

  holdAnswers(): void {
    for (const socket of this.far) socket.unpipe();
  }

  release(): void {
    for (const socket of this.near) socket.resume();
    this.far.forEach((socket, index) => socket.unpipe().pipe(this.near[index]!));
  }

  stop(): void {
    for (const socket of this.near) socket.destroy();
    this.server.close();
  }
}

describe('a broker that is slow', () => {
  let items: OutboxItem[];
  let line: SlowLine;
  let bus: Bus;
  let relay: Relay;
  /** The event's row, as a crash a minute ago would have left it. */
  const waitsSinceLong = () => harness.database.sql`
    insert into store.outbox (namespace, request_id, seq, created_at) values ('default', 'slow', 1, clock_timestamp() - interval '1 minute')
    on conflict (namespace, request_id, seq) do update set leased_until = null`;
  const rows = async () => (await harness.database.sql`select from store.outbox`).length;
  const failed = async () => Number(/^umpire_store_publish_failures_total (\d+)/m.exec(await metrics.metrics())?.[1] ?? 0);
  const timesSent = ({ id }: { id: string }) => line.sent.split(`Nats-Msg-Id: ${id}`).length - 1;

  beforeAll(async () => {
    const store = await harness.startStore();
    await harness.submit([submission('slow')]);
    await eventually('its event is out', async () => (await rows()) === 0);
    await store.stop();
  });

  beforeEach(async () => {
    const { line: slow, url } = await SlowLine.to(harness.nats.url);
    line = slow;
    bus = await harness.nats.bus('state-store', { url });
    relay = new Relay(harness.database.sql, bus, createLogger('test', 'silent'), () => undefined);
    await waitsSinceLong();
    items = await leaseOutbox(harness.database.sql, 10);
    expect(items).toHaveLength(1);
    await waitsSinceLong();
    line.hold();
    line.sent = '';
  });

  afterEach(async () => {
    line.release();
    try {
      await relay.stop();
      await bus.close();
    } finally {
      line.stop();
    }
  });

  it('gets an event once: the sweeper leaves alone what this process still carries', async () => {
    relay.publishSoon(items);
    expect(await relay.sweepOnce()).toBe(1);
    expect(await relay.sweepOnce()).toBe(0);
    line.release();
    await eventually('its row is gone', async () => (await rows()) === 0);
    expect(timesSent(items[0]!)).toBe(1);

    // What nobody carries it publishes itself.
    await waitsSinceLong();
    expect(await relay.sweepOnce()).toBe(1);
    expect(timesSent(items[0]!)).toBe(2);
  });

  describe('that keeps its acks', () => {
    let many: OutboxItem[];
    const left = async () => Number(/^umpire_store_events_left_to_sweeper_total (\d+)/m.exec(await metrics.metrics())?.[1] ?? 0);
    const sent = () => many.filter((item) => timesSent(item) > 0).length;

    beforeEach(async () => {
      many = Array.from({ length: 300 }, (_, index): OutboxItem => ({ ...items[0]!, request_id: `many/${index}`, id: newId() }));
      line.release();
      await bus.connection.flush();
      line.holdAnswers();
      relay.publishSoon(many);
      await new Promise((resolve) => setImmediate(resolve));
      // What is behind them on the same connection has come through: so has all that was sent before.
      bus.connection.publish('hitl.default.settled.mark');
      await eventually('the mark', () => line.sent.includes('hitl.default.settled.mark'));
    });

    it('is given 256 events at a time, the others in their order as acks come', async () => {
      expect([sent(), relay.waiting]).toEqual([256, 44]);
      line.release();
      await relay.stop();
      expect(many.map(timesSent)).toEqual(many.map(() => 1));
      expect(many.filter(({ id }) => !line.sent.includes(`{"id":"${id}","schema_version"`))).toEqual([]);
      const places = many.map(({ id }) => line.sent.indexOf(`Nats-Msg-Id: ${id}`));
      expect(places).toEqual([...places].sort((a, b) => a - b));
    });

    it('is given none of those in line when it stays silent: they are the sweeper\'s, which finds when it is back', async () => {
      const [before, failedBefore] = [await left(), await failed()];
      await eventually('all but the first are left', async () => (await left()) === before + 44, 10_000);
      expect(sent()).toBe(256);
      await eventually('the first are given up', async () => (await failed()) === failedBefore + 256);
      // Turns that were taken by those without an ack were given back, each once.
      const later = many.map((item) => ({ ...item, id: newId() }));
      relay.publishSoon(later);
      expect(relay.waiting).toBe(44);
      line.release();
      await eventually('they are out', () => later.every((item) => timesSent(item) === 1));
      expect(await relay.sweepOnce()).toBe(1);
    });

    it('leaves each its row until the ack', async () => {
      relay.publishSoon([items[0]!]);
      expect([relay.waiting, await rows()]).toEqual([45, 1]);
      line.release();
      await eventually('its row is gone', async () => (await rows()) === 0);
    });

    it('has 4,096 in line at most: what comes then stays in the outbox, for the sweeper', async () => {
      const before = await left();
      const fill = 4_096 - (many.length - 256);
      relay.publishSoon(Array.from({ length: fill }, (_, index): OutboxItem => ({ ...items[0]!, request_id: `fill/${index}`, id: newId() })));
      expect(await left()).toBe(before);
      relay.publishSoon([{ ...items[0]!, request_id: 'one too many', id: newId() }]);
      expect(await left()).toBe(before + 1);
    });

    it('is given none of those in line when the relay stops: they are the next one\'s', async () => {
      await relay.stop();
      expect(sent()).toBe(256);
    });
  });

  describe('whose events cannot be forgotten', () => {
    /** A database that refuses so many statements. */
    const refusing = (times: number) => new Proxy(harness.database.sql, { apply: (sql, self, args: unknown[]) => (times-- > 0 ? Promise.reject(new Error('refused')) : (Reflect.apply(sql, self, args) as unknown)) });
    const over = (sql: Sql) => (relay = new Relay(sql, bus, createLogger('test', 'silent'), () => undefined));

    beforeEach(() => line.release());

    it('at first: it tries twice more, and a stop waits for that', async () => {
      over(refusing(2)).publishSoon(items);
      await relay.stop();
      expect([timesSent(items[0]!), await rows()]).toEqual([1, 0]);
    });

    it('at all: they are the sweeper\'s, and have the same id again', async () => {
      const before = await failed();
      over(refusing(3)).publishSoon(items);
      await eventually('it is given up', async () => (await failed()) === before + 1);
      expect([timesSent(items[0]!), await rows()]).toEqual([1, 1]);
      await waitsSinceLong();
      expect(await relay.sweepOnce()).toBe(1);
      expect([timesSent(items[0]!), await rows()]).toEqual([2, 0]);
    });
  });

  describe('whose stream of outcomes refuses', () => {
    let operator: NatsConnection;
    const stored = async (stream: string, subject: string) => {
      const { state } = await (await jetstreamManager(operator)).streams.info(stream, { subjects_filter: subject });
      return Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
    };
    const mostBytes = async (bytes: number) => (await jetstreamManager(operator)).streams.update('HITL_OUTCOMES', { max_msg_size: bytes });
    const endsSinceLong = () => harness.database.sql`update store.outbox set created_at = clock_timestamp() - interval '1 minute', leased_until = null`;

    beforeAll(async () => {
      operator = await harness.nats.operator();
    });
    beforeEach(() => line.release());
    afterEach(() => mostBytes(STREAMS.outcomes.maxMessageBytes));

    it('keeps the event\'s row until it takes the outcome; what else is swept goes', async () => {
      const before = await failed();
      const store = await harness.startStore();
      await mostBytes(10);
      await harness.submit([submission('ended')]);
      await harness.submit([cancellation('ended')]);
      await eventually('its outcome is refused', async () => (await failed()) > before);
      await store.stop();
      expect(await stored('HITL_EVENTS', 'hitl.*.escalation.cancelled.*')).toBe(1);

      await waitsSinceLong();
      await endsSinceLong();
      expect(await relay.sweepOnce()).toBe(1);
      expect((await harness.database.sql`select request_id from store.outbox`).map(({ request_id }) => request_id as string)).toEqual(['ended']);

      await endsSinceLong();
      await expect(relay.sweepOnce()).rejects.toThrow('no event of the outbox could be published');
      expect(await stored('HITL_OUTCOMES', '>')).toBe(0);

      await mostBytes(STREAMS.outcomes.maxMessageBytes);
      await endsSinceLong();
      expect(await relay.sweepOnce()).toBe(1);
      expect([await rows(), await stored('HITL_OUTCOMES', '>'), await stored('HITL_EVENTS', 'hitl.*.escalation.cancelled.*')]).toEqual([0, 1, 1]);
    });

    it('has the event carried until it is answered too, though the outcome was refused before', async () => {
      await bus.connection.flush();
      line.holdAnswers();
      const before = await failed();
      // Short in the event, as it is sent, and too long for the client once it is printed.
      const outcome = `{"state":"cancelled","numbers":[${Array.from({ length: 60_000 }, () => '1e20').join()}]}`;
      relay.publishSoon([{ ...items[0]!, type: 'cancelled', id: newId(), data: `{"clocks":[],"outcome":${outcome}}` }]);
      const stopped = relay.stop();
      bus.connection.publish('hitl.default.settled.mark');
      await eventually('the mark', () => line.sent.includes('hitl.default.settled.mark'));
      expect([await failed(), await rows()]).toEqual([before, 1]);
      line.release();
      await stopped;
      expect([await failed(), await rows()]).toEqual([before + 1, 1]);
    });
  });

  it('is given 16 MiB at a time: what comes then stays in the outbox, for the sweeper', async () => {
    const each = Math.floor((16 * 1024 * 1024) / 21) - items[0]!.data.length;
    const large = Array.from({ length: 21 }, (_, index): OutboxItem => ({ ...items[0]!, request_id: `large/${index}`, id: newId(), payload: encodeUtf8(`"${'x'.repeat(each - 2)}"`) }));
    for (const item of large) relay.publishSoon([item]);
    relay.publishSoon(items);
    line.release();
    await eventually('all of them are sent', () => large.every((item) => timesSent(item) > 0));
    await relay.stop();
    expect(large.map(timesSent)).toEqual(large.map(() => 1));
    expect([timesSent(items[0]!), await rows()]).toEqual([0, 1]);

    expect(await relay.sweepOnce()).toBe(1);
    expect([timesSent(items[0]!), await rows()]).toEqual([1, 0]);

    // All of it is done with: as much may come again.
    const again = large.map((item) => ({ ...item, id: newId() }));
    relay.publishSoon(again);
    await relay.stop();
    expect(again.map(timesSent)).toEqual(again.map(() => 1));
  });
});
