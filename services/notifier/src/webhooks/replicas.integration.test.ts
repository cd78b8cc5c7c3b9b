import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { subjects } from '@umpire/contract';
import { createLogger } from '@umpire/runtime';
import { eventually, signal } from '@umpire/testing';
import { Harness, type App, type Call } from '../../test/harness.ts';
import { answer, Receiver } from '../../test/receiver.ts';
import { claimDue } from './delivery.queries.ts';
import { UpkeepLoop } from './upkeep.loop.ts';

let harness: Harness;
const apps: App[] = [];
const receivers: Receiver[] = [];

beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.stop()));
  await Promise.all(receivers.splice(0).map((receiver) => receiver.stop()));
  await harness.database.sql`truncate notifier.endpoints, notifier.paces, notifier.messages, notifier.deliveries, notifier.attempts`;
});

async function notifier(env: Record<string, string> = {}): Promise<App & { call: Call }> {
  const app = await harness.notifier(env);
  apps.push(app);
  return { ...app, call: await harness.caller(app.origin) };
}

async function target(call: Call, more: Record<string, unknown> = {}): Promise<{ receiver: Receiver; id: string }> {
  const receiver = await Receiver.start();
  receivers.push(receiver);
  const { status, body } = await call('POST', '/webhooks/endpoints', { url: receiver.origin, ...more });
  expect({ status, body }).toMatchObject({ status: 201 });
  return { receiver, id: body.id as string };
}

const rows = (id: string) =>
  harness.database.sql<{ id: string; event_id: string; state: string; attempts: number; fence: number; holder: string | null; due_at: Date }[]>`
    select id, event_id, state, attempts, fence, holder, due_at from notifier.deliveries where endpoint_id = ${id} order by id`;
const settled = (id: string, count: number) => eventually(`${count} delivered`, async () => (await rows(id)).filter((row) => row.state === 'delivered').length === count, 30_000);

describe('two replicas', () => {
  it('share the work and send nothing twice', async () => {
    const [a] = await Promise.all([notifier(), notifier()]);
    const targets = await Promise.all([target(a.call), target(a.call, { max_concurrency: 1 }), target(a.call, { rate_per_second: 400 })]);
    const ids = new Set<string>();
    for (let i = 0; i < 300; i += 1) ids.add(await harness.publish());
    for (const { receiver, id } of targets) {
      await settled(id, ids.size);
      expect(new Set(receiver.ids)).toEqual(ids);
      expect(receiver.ids).toHaveLength(ids.size);
    }
  });

  it('keep a rate together', async () => {
    const [a] = await Promise.all([notifier(), notifier()]);
    const { receiver, id } = await target(a.call, { rate_per_second: 20 });
    for (let i = 0; i < 30; i += 1) await harness.publish();
    await settled(id, 30);
    expect(receiver.received.at(-1)!.at - receiver.received[0]!.at).toBeGreaterThanOrEqual(1_300);
  });

  it('a result that comes after its lease was lost changes nothing', async () => {
    const a = await notifier();
    const { receiver, id } = await target(a.call);
    const late = signal();
    receiver.behave = (request, response) => {
      if (receiver.received.length > 1) return answer(200)(request, response, response.socket!);
      return void late.promise.then(() => response.writeHead(500).end('too late'));
    };
    await harness.publish();
    await receiver.got(1);
    const b = await notifier();
    // As if the first holder had stood still: its lease is over.
    await harness.database.sql`update notifier.deliveries set due_at = clock_timestamp() - interval '1 second' where endpoint_id = ${id}`;
    await receiver.got(2);
    await settled(id, 1);
    late.fire();
    const first = await eventually('the late result is in', async () => (await (await fetch(`${a.origin}/metrics`)).text()).includes('umpire_notifier_attempts_total{result="status"}'));
    expect(first).toBe(true);
    await a.stop();
    expect(await rows(id)).toMatchObject([{ state: 'delivered', attempts: 1, fence: 2, holder: null }]);
    expect((await b.call('GET', `/webhooks/deliveries/${(await rows(id))[0]!.id}/attempts`)).body.items).toMatchObject([{ number: 1, status: 200 }]);
    expect(new Set(receiver.ids).size).toBe(1);
  });

  it('take over what a dead one held, once its lease is over', async () => {
    const a = await notifier();
    const { receiver, id } = await target(a.call, { retry_schedule_seconds: [600] });
    receiver.behave = answer(500);
    await harness.publish();
    await eventually('tried', async () => (await rows(id))[0]?.attempts === 1);
    receiver.behave = answer(200);
    const until = performance.now() + 600;
    await harness.database.sql`update notifier.deliveries set holder = 'dead', fence = fence + 1, due_at = clock_timestamp() + interval '600 milliseconds' where endpoint_id = ${id}`;
    await receiver.got(2);
    expect(receiver.received[1]!.at).toBeGreaterThanOrEqual(until - 20);
    await settled(id, 1);
  });

  it('send an event that is taken for several endpoints at once to each of them, in the same bytes as before', async () => {
    const a = await notifier();
    const targets = [];
    for (let i = 0; i < 3; i += 1) targets.push(await target(a.call, { retry_schedule_seconds: [600] }));
    for (const { receiver } of targets) receiver.behave = answer(500);
    const escalations = ['{"request_id":"a","text":"Übung \u2713 \ud83d\ude00","n":30.0}', '{"request_id":"b"}'];
    for (const escalation of escalations) await harness.publish({ escalation });
    for (const { id } of targets) await eventually('tried', async () => (await rows(id)).filter(({ attempts }) => attempts === 1).length === 2);
    for (const { receiver } of targets) receiver.behave = answer(200);
    await harness.database.sql`update notifier.deliveries set due_at = clock_timestamp()`;
    for (const { id, receiver } of targets) {
      await settled(id, 2);
      const bodies = Map.groupBy(receiver.received, (request) => request.id);
      expect([...bodies.values()].map((requests) => requests.length)).toEqual([2, 2]);
      for (const [first, second] of bodies.values()) expect(second!.body).toBe(first!.body);
      expect(receiver.received.some(({ body }) => body.includes(escalations[0]!))).toBe(true);
    }
    // By one claim for sure.
    await Promise.all(apps.splice(0).map((app) => app.stop()));
    await harness.database.sql`update notifier.deliveries set state = 'pending', done_at = null, due_at = clock_timestamp() - interval '1 second'`;
    const claimed = await claimDue(harness.database.sql, targets.map(({ id }) => ({ endpointId: id, room: 10 })), 'somebody', 1_000);
    expect(claimed).toHaveLength(6);
    for (const row of claimed) expect(row.body.toString()).toBe(targets[0]!.receiver.received.find(({ id }) => id === row.event_id)!.body);
  });
});

describe('stopping', () => {
  it('ends what is under way, gives back the rest at once, and the next start sends it', async () => {
    const a = await notifier({ UMPIRE_WEBHOOK_LEASE_MS: '60000' });
    const { receiver, id } = await target(a.call, { max_concurrency: 2 });
    receiver.behave = (_, response) => void setTimeout(() => response.end('ok'), 500);
    const ids = [];
    for (let i = 0; i < 10; i += 1) ids.push(await harness.publish());
    await receiver.got(2);
    await eventually('all stand in the database', async () => (await rows(id)).length === 10);
    await a.stop();
    const states = (await rows(id)).map((row) => `${row.state} ${row.holder}`);
    // What was sent is on record, and what was not waits for nobody's lease.
    expect(states.filter((state) => state === 'delivered null')).toHaveLength(receiver.received.length);
    expect(states.filter((state) => state === 'pending null')).toHaveLength(10 - receiver.received.length);
    expect(receiver.received.length).toBeLessThan(10);
    await notifier();
    await settled(id, 10);
    expect(receiver.ids.toSorted()).toEqual(ids.toSorted());
  });

  it('works at any moment of the start', async () => {
    for (let i = 0; i < 5; i += 1) await (await harness.notifier()).stop();
    await Promise.all(Array.from({ length: 4 }, async () => (await harness.notifier()).stop()));
    const a = await notifier();
    const { receiver } = await target(a.call);
    const id = await harness.publish();
    await receiver.got(1);
    expect(receiver.ids).toEqual([id]);
  });
});

describe('many failures', () => {
  it('that come together come back spread out', async () => {
    const a = await notifier();
    const { receiver, id } = await target(a.call, { max_concurrency: 400, retry_schedule_seconds: [100] });
    const go = signal();
    receiver.behave = (_, response) => void go.promise.then(() => response.writeHead(503).end());
    for (let i = 0; i < 200; i += 1) await harness.publish();
    await receiver.got(200);
    go.fire();
    await eventually('all have failed once', async () => (await rows(id)).every((row) => row.attempts === 1));
    const due = (await rows(id)).map((row) => row.due_at.getTime()).toSorted((x, y) => x - y);
    expect(due.at(-1)! - due[0]!).toBeGreaterThan(30_000);
    // Evenly: the middle half lies within about half of the range.
    expect(due[150]! - due[50]!).toBeGreaterThan(12_000);
  });

  it('close the endpoint for a while instead of all being tried', async () => {
    const a = await notifier({ UMPIRE_WEBHOOK_CONCURRENCY: '4' });
    const { receiver, id } = await target(a.call, { retry_schedule_seconds: [600] });
    receiver.behave = answer(503);
    for (let i = 0; i < 100; i += 1) await harness.publish();
    await eventually('all stand in the database', async () => (await rows(id)).length === 100);
    expect(receiver.received.length).toBeLessThan(20);
    expect((await rows(id)).filter((row) => row.attempts === 0).length).toBeGreaterThan(80);
  });
});

describe('the consumer', () => {
  it('passes over what is no event', async () => {
    const a = await notifier();
    const { receiver } = await target(a.call);
    const store = await harness.nats.bus('state-store');
    for (const bytes of ['', 'not json', '{"id":1}', new Uint8Array([0xff, 0xfe])]) await store.publish(subjects.event('default', 'opened', 'custom_rule'), bytes);
    const id = await harness.publish();
    await receiver.got(1);
    expect(receiver.ids).toEqual([id]);
  });

  it('holds its batch while the store is away, and loses nothing', async () => {
    const a = await notifier();
    const { receiver } = await target(a.call);
    await harness.submit('while-away', { payload: '{"pipeline_name":"p","step_name":"s","data":{"n":1.50}}', kind: 'interaction' });
    await receiver.got(1);
    await a.stop();
    await harness.stopStore();
    await notifier();
    const id = await harness.publish({ type: 'raised', requestId: 'while-away', seq: 2 });
    await eventually('it is being held', async () => {
      const info = await (await harness.nats.bus('notifier')).jsm.consumers.info('HITL_EVENTS', 'notifier');
      return info.num_ack_pending > 0;
    });
    expect(receiver.received).toHaveLength(1);
    await harness.startStore();
    await receiver.got(2);
    expect(receiver.received[1]).toMatchObject({ id });
    expect(receiver.received[1]!.body).toContain('"data":{"n":1.50}}');
  });
});

describe('upkeep', () => {
  it('deletes what is done and old, and nothing else', async () => {
    const a = await notifier();
    const { receiver, id } = await target(a.call, { retry_schedule_seconds: [600] });
    receiver.behave = (request, response) => answer(request.body.includes('waits') ? 500 : 200)(request, response, response.socket!);
    const [old, recent, waiting] = [await harness.publish({ requestId: 'old' }), await harness.publish({ requestId: 'recent' }), await harness.publish({ requestId: 'waits' })];
    await eventually('all tried', async () => (await rows(id)).filter((row) => row.attempts === 1).length === 3);
    const { sql } = harness.database;
    await sql`update notifier.messages set created_at = created_at - interval '9 days' where event_id = any(${[old, waiting]}::uuid[])`;
    await sql`update notifier.deliveries set done_at = done_at - interval '9 days' where event_id = ${old}`;
    const loop = new UpkeepLoop({ sql, logger: createLogger('test', 'silent'), retentionDays: 7 });
    expect(await loop.runOnce()).toBe(1);
    expect(await loop.runOnce()).toBe(0);
    expect(new Set((await rows(id)).map((row) => row.event_id))).toEqual(new Set([recent, waiting]));
    expect((await sql`select 1 from notifier.attempts`).count).toBe(2);

    await a.call('DELETE', `/webhooks/endpoints/${id}`);
    await eventually('ended', async () => (await rows(id)).every((row) => row.state !== 'pending'));
    await sql`update notifier.messages set created_at = created_at - interval '9 days'`;
    await sql`update notifier.deliveries set done_at = done_at - interval '9 days'`;
    await sql`update notifier.endpoints set updated_at = updated_at - interval '9 days'`;
    while ((await loop.runOnce()) > 0);
    for (const table of ['endpoints', 'messages', 'deliveries', 'attempts']) expect([table, (await sql`select 1 from notifier.${sql(table)}`).count]).toEqual([table, 0]);
  });
});
