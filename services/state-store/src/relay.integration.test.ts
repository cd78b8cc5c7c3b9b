import { createLogger } from '@umpire/runtime';
import { eventually } from '@umpire/testing';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leaseOutbox } from './outbox.queries.ts';
import { Relay } from './relay.service.ts';
import { startHarness, submission, type Harness } from './test/store-harness.ts';

let harness: Harness;
beforeAll(async () => void (harness = await startHarness()));
afterAll(() => harness.stop());

/** A line to a server that can hold back what goes there, and keeps what went. */
class SlowLine {
  sent = '';
  private readonly near: Socket[] = [];
  private readonly server: Server;

  private constructor(port: number) {
    this.server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      this.near.push(near);
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

  release(): void {
    for (const socket of this.near) socket.resume();
  }

  stop(): void {
    for (const socket of this.near) socket.destroy();
    this.server.close();
  }
}

describe('a broker that is slow', () => {
  it('gets an event once: the sweeper leaves alone what this process still carries', async () => {
    const { sql } = harness.database;
    const store = await harness.startStore();
    await harness.submit([submission('slow')]);
    await eventually('its event is out', async () => (await sql`select from store.outbox`).length === 0);
    await store.stop();

    const { line, url } = await SlowLine.to(harness.nats.url);
    const bus = await harness.nats.bus('state-store', { url });
    const relay = new Relay(sql, bus, createLogger('test', 'silent'), () => undefined);
    const waitsSinceLong = () => sql`
      insert into store.outbox (namespace, request_id, seq, created_at) values ('default', 'slow', 1, clock_timestamp() - interval '1 minute')
      on conflict (namespace, request_id, seq) do update set leased_until = null`;
    await waitsSinceLong();
    const items = await leaseOutbox(sql, 10);
    expect(items).toHaveLength(1);
    await waitsSinceLong();

    line.hold();
    line.sent = '';
    relay.publishSoon(items);
    expect(await relay.sweepOnce()).toBe(1);
    expect(await relay.sweepOnce()).toBe(0);
    line.release();
    await eventually('its row is gone', async () => (await sql`select from store.outbox`).length === 0);
    expect(line.sent.split(`Nats-Msg-Id: ${items[0]!.id}`)).toHaveLength(2);

    // What nobody carries it publishes itself.
    await waitsSinceLong();
    expect(await relay.sweepOnce()).toBe(1);
    expect(line.sent.split(`Nats-Msg-Id: ${items[0]!.id}`)).toHaveLength(3);
    await relay.stop();
    await bus.close();
    line.stop();
  });
});
