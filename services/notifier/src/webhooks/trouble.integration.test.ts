import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, signal } from '@umpire/testing';
import { CutLine } from '../../test/cut-line.ts';
import { Harness, type App, type Call } from '../../test/harness.ts';
import { answer, drip, hang, Receiver, reset, type Behaviour } from '../../test/receiver.ts';

// Endpoints in trouble and a database that is away. What is waited for are events; how fast it goes is for the bench.

let harness: Harness;
const apps: App[] = [];
const receivers: Receiver[] = [];

beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());
beforeEach(() => harness.database.sql`truncate notifier.endpoints, notifier.paces, notifier.messages, notifier.deliveries, notifier.attempts`);
afterEach(async () => {
  // Receivers first: what hangs there ends with them.
  await Promise.all(receivers.splice(0).map((receiver) => receiver.stop()));
  await Promise.all(apps.splice(0).map((app) => app.stop()));
});

async function notifier(env: Record<string, string> = {}): Promise<App & { call: Call }> {
  const app = await harness.notifier(env);
  apps.push(app);
  return { ...app, call: await harness.caller(app.origin) };
}

async function target(call: Call, behave: Behaviour = answer(200), more: Record<string, unknown> = {}): Promise<{ receiver: Receiver; id: string }> {
  const receiver = await Receiver.start();
  receiver.behave = behave;
  receivers.push(receiver);
  return { receiver, id: await endpoint(call, receiver.origin, more) };
}

async function endpoint(call: Call, url: string, more: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await call('POST', '/webhooks/endpoints', { url, ...more });
  expect({ status, body }).toMatchObject({ status: 201 });
  return body.id as string;
}

async function publishMany(count: number): Promise<Set<string>> {
  return new Set(await Promise.all(Array.from({ length: count }, () => harness.publish())));
}

const countOf = async (endpointId: string, state: string) => {
  const [row] = await harness.database.sql<{ count: number }[]>`select count(*)::int as count from notifier.deliveries where endpoint_id = ${endpointId} and state = ${state}`;
  return row!.count;
};
const attemptsOf = async (endpointIds: string[]) => {
  const [row] = await harness.database.sql<{ count: number }[]>`
    select count(*)::int as count from notifier.attempts a join notifier.deliveries d on d.id = a.delivery_id where d.endpoint_id = any(${endpointIds}::uuid[])`;
  return row!.count;
};

describe('isolation', () => {
  it('endpoints that hang, drip or reset hold up none of the others\' deliveries', async () => {
    // Hanging ones could take all places and three times more, and an attempt lasts a minute: what waited for one would not be done here.
    const { call } = await notifier({ UMPIRE_WEBHOOK_TIMEOUT_MS: '60000', UMPIRE_WEBHOOK_MAX_IN_FLIGHT: '64', UMPIRE_WEBHOOK_CONCURRENCY: '20' });
    const stuck = await Promise.all(Array.from({ length: 9 }, (_, nth) => target(call, nth < 8 ? hang : drip)));
    const resetting = await target(call, reset, { retry_schedule_seconds: [0.05, 600] });
    const healthy = await Promise.all([target(call), target(call), target(call, answer(200), { max_concurrency: 1 })]);
    const before = await publishMany(40);
    await eventually('every one of the stuck has some', () => stuck.every(({ receiver }) => receiver.underWay > 0), 60_000);
    const after = await publishMany(40);
    for (const { id } of healthy) await eventually('all delivered', async () => (await countOf(id, 'delivered')) === 80, 120_000);

    for (const { receiver } of healthy) {
      expect(receiver.ids).toHaveLength(80);
      expect(new Set(receiver.ids)).toEqual(new Set([...before, ...after]));
    }
    // And not because the stuck ones had ended meanwhile: not one of their attempts has.
    expect(await attemptsOf(stuck.map(({ id }) => id))).toBe(0);
    for (const { receiver } of stuck) expect(receiver.underWay).toBe(receiver.received.length);
    expect(await attemptsOf([resetting.id])).toBeGreaterThan(0);
  });
});

describe('ten thousand deliveries that fail together', () => {
  const ENDPOINTS = 2_000;
  const EVENTS = 5;
  const COUNT = ENDPOINTS * EVENTS;
  const WAIT_MS = 10_000;

  it('come back spread out, each once and none before its time, and all arrive', { timeout: 240_000 }, async () => {
    const { sql } = harness.database;
    // Keeps for each how long it was put off when its first failure was written down; the row itself moves on. The wait runs from a moment
    // between the statement's start and the row's trigger, so that `most` is never less than it and `ms` never more, however long a pause.
    await sql.unsafe(`
      create table notifier.put_off (delivery_id uuid, ms float8, most float8);
      create function notifier.keep_put_off() returns trigger language plpgsql as $$ begin
        insert into notifier.put_off values (new.id, extract(epoch from new.due_at - clock_timestamp()) * 1000, extract(epoch from new.due_at - statement_timestamp()) * 1000); return new; end $$;
      create trigger keep_put_off before update on notifier.deliveries for each row when (old.attempts = 0 and new.attempts = 1) execute function notifier.keep_put_off()`).simple();
    // The failures are to be the receiver's own answers: no more at a time than its queue of new connections takes, and time for each on a
    // busy machine, where it shares a process with the notifier.
    const { call } = await notifier({ UMPIRE_WEBHOOK_MAX_IN_FLIGHT: '100', UMPIRE_WEBHOOK_TIMEOUT_MS: '60000' });
    const receiver = await Receiver.start();
    receivers.push(receiver);
    const seen = new Set<string>();
    receiver.behave = (request, response, socket) => {
      const delivery = `${request.path} ${request.id}`;
      answer(seen.has(delivery) ? 200 : 503)(request, response, socket);
      seen.add(delivery);
    };
    for (let nth = 0; nth < ENDPOINTS; nth += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, more) => endpoint(call, `${receiver.origin}/${nth + more}`, { retry_schedule_seconds: [WAIT_MS / 1000] })));
    }
    const ids = await publishMany(EVENTS);
    await eventually('all have arrived', async () => (await sql`select count(*)::int as count from notifier.deliveries where state = 'delivered'`)[0]!['count'] === COUNT, 180_000);

    const rows = await sql<{ ms: number; most: number }[]>`select ms, most from notifier.put_off`;
    const putOff = rows.map(({ ms }) => ms);
    expect(putOff).toHaveLength(COUNT);
    // A fifth off either way, evenly: each tenth of that time has its tenth, within what chance allows once in a million runs.
    const tenths = Array.from({ length: 10 }, (_, nth) => putOff.filter((ms) => Math.min(9, Math.max(0, Math.floor((ms / WAIT_MS - 0.8) / 0.04))) === nth).length);
    expect(Math.min(...rows.map(({ most }) => most))).toBeGreaterThanOrEqual(WAIT_MS * 0.8);
    expect(Math.max(...putOff)).toBeLessThanOrEqual(WAIT_MS * 1.2);
    expect(Math.min(...tenths)).toBeGreaterThan(COUNT / 10 - 170);
    expect(Math.max(...tenths)).toBeLessThan(COUNT / 10 + 170);
    const first = await sql`select status, error, count(*)::int as count from notifier.attempts where number = 1 group by 1, 2`;
    expect([...first]).toEqual([{ status: 503, error: 'status', count: COUNT }]);
    const [attempts] = await sql<{ pairs: number; early: number }[]>`
      select count(*)::int as pairs, count(*) filter (where b.started_at < a.started_at + (a.latency_ms + ${WAIT_MS * 0.8}::float8) * interval '1 millisecond')::int as early
      from notifier.attempts a join notifier.attempts b on b.delivery_id = a.delivery_id and a.number = 1 and b.number = 2 and a.status = 503 and b.status = 200`;
    expect(attempts).toEqual({ pairs: COUNT, early: 0 });
    expect(receiver.received).toHaveLength(2 * COUNT);
    expect(new Set(receiver.ids)).toEqual(ids);
  });
});

describe('a database that is away', () => {
  it('loses nothing: events wait unacked, results of attempts are kept, and all goes on when it is back', { timeout: 180_000 }, async () => {
    const { line, url } = await CutLine.to(harness.database.url);
    try {
      const { call, origin } = await notifier({ UMPIRE_POSTGRES_URL: url });
      const go = signal();
      let held = 0;
      const { receiver, id } = await target(call, (request, response, socket) => {
        if (receiver.received.length <= 20) return answer(200)(request, response, socket);
        held += 1;
        void go.promise.then(() => answer(200)(request, response, socket));
      }, { max_concurrency: 10 });
      const before = await publishMany(20);
      await eventually('the first ones', async () => (await countOf(id, 'delivered')) === 20, 60_000);
      const during = await publishMany(10);
      const { jsm } = await harness.nats.bus('notifier');
      const unacked = async () => {
        const { num_ack_pending, num_pending } = await jsm.consumers.info('HITL_EVENTS', 'notifier');
        return num_ack_pending + num_pending;
      };
      await eventually('ten under way, and all events acked', async () => held === 10 && (await unacked()) === 0, 60_000);
      line.cut();
      go.fire();
      await eventually('they are answered', () => receiver.underWay === 0, 60_000);
      const away = await publishMany(200);
      await eventually('events wait unacked', async () => (await jsm.consumers.info('HITL_EVENTS', 'notifier')).num_ack_pending > 0, 60_000);
      expect(await unacked()).toBe(200);
      expect((await fetch(`${origin}/readyz`)).status).toBe(503);
      // Nothing was recorded, and nothing went out that was not on record.
      expect(await countOf(id, 'delivered')).toBe(20);
      expect(receiver.received).toHaveLength(30);

      line.mend();
      await eventually('all are delivered', async () => (await countOf(id, 'delivered')) === 230, 90_000);
      await eventually('all events are acked', async () => (await unacked()) === 0, 30_000);
      expect(await countOf(id, 'pending')).toBe(0);
      expect(new Set(receiver.ids)).toEqual(new Set([...before, ...during, ...away]));
      const [once] = await harness.database.sql<{ count: number }[]>`
        select count(*)::int as count from (select delivery_id from notifier.attempts where error is null group by delivery_id having count(*) = 1) a`;
      expect(once!.count).toBe(230);
      await eventually('ready', async () => (await fetch(`${origin}/readyz`)).status === 200, 30_000);
    } finally {
      line.mend();
      await Promise.all(apps.splice(0).map((app) => app.stop()));
      await line.stop();
    }
  });
});
