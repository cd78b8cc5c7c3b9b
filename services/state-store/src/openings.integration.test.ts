import type { Verdict } from '@umpire/contract';
import { connectPostgres, createLogger, databaseNow, PresumedClock, type Sql } from '@umpire/runtime';
import { eventually } from '@umpire/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Submissions } from './submit.service.ts';
import { startHarness, submission, type Harness } from './test/store-harness.ts';
import { Transitions } from './transition.service.ts';

const HOUR_MS = 3_600_000;
const logger = createLogger('state-store', process.env['TEST_LOG'] ?? 'silent');

let harness: Harness;
let sql: Sql;
const lanes: Sql[] = [];
let running: Submissions[] = [];

beforeAll(async () => {
  harness = await startHarness();
  ({ sql } = harness.database);
  for (let lane = 0; lane < 2; lane += 1) lanes.push(connectPostgres({ url: harness.database.url, max: 1, service: 'state-store', logger }));
});
afterEach(async () => {
  await Promise.all(running.map((submissions) => submissions.stop()));
  running = [];
});
afterAll(async () => {
  await Promise.all(lanes.map((lane) => lane.end({ timeout: 1 })));
  await harness.stop();
});

function newSubmissions(clock = new PresumedClock()): Submissions {
  const submissions = new Submissions({ sql, lanes, transitions: new Transitions(sql, () => undefined), logger, clock, committed: () => undefined });
  running.push(submissions);
  return submissions;
}

const stored = (request_id: string): Verdict => ({ request_id, status: 'stored' });

async function found(id: string): Promise<{ status: string; opened_at: number; events: string[] }[]> {
  return sql<{ status: string; opened_at: number; events: string[] }[]>`
    select e.status, floor(extract(epoch from e.opened_at) * 1000)::float8 as opened_at,
      (select array_agg(v.type order by v.seq) from store.events v where v.namespace = e.namespace and v.request_id = e.request_id) as events
    from store.escalations e where e.namespace = 'default' and e.request_id = ${id}`;
}
const statusOf = async (id: string) => (await found(id))[0]?.status;

const bury = (id: string, hoursAgo = 0) => sql`
  insert into store.tombstones (namespace, request_id, detail, created_at) values ('default', ${id}, 'not needed any more', clock_timestamp() - make_interval(hours => ${hoursAgo}))`;
const buried = async (): Promise<string[]> => (await sql<{ request_id: string }[]>`select request_id from store.tombstones order by request_id`).map((row) => row.request_id);

const insertWaits = () => eventually('the insert waits for a lock', async () => {
  const rows = await sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%with clock as materialized%'`;
  return rows.length === 1;
});

describe('an opening', () => {
  it.each([['an hour ahead', HOUR_MS], ['half a second ahead', 500], ['an hour behind', -HOUR_MS]])('is stored once, as of the database’s clock, if what was presumed is %s', async (what, offMs) => {
    const clock = new PresumedClock();
    const submissions = newSubmissions(clock);
    const presumed = vi.spyOn(clock, 'presume');
    const [first, second] = [`${what}, first`, `${what}, second`];
    const before = await databaseNow(sql);
    clock.learn(before + offMs);
    expect(await submissions.submit([submission(first)])).toEqual([stored(first)]);
    const between = await databaseNow(sql);
    // Presumed, found wrong, then read.
    expect(presumed.mock.results.map(({ value }) => value as number | null)).toEqual([expect.any(Number), null]);
    const rows = await found(first);
    expect(rows).toEqual([{ status: 'pending', opened_at: expect.any(Number), events: ['opened'] }]);
    expect(rows[0]!.opened_at).toBeGreaterThanOrEqual(before);
    expect(rows[0]!.opened_at).toBeLessThanOrEqual(between);

    expect(await submissions.submit([submission(second)])).toEqual([stored(second)]);
    const after = await databaseNow(sql);
    const [row] = await found(second);
    expect(row).toEqual({ status: 'pending', opened_at: presumed.mock.results[2]!.value, events: ['opened'] });
    expect(presumed).toHaveBeenCalledTimes(3);
    expect(row!.opened_at).toBeLessThanOrEqual(after);
  });

  it('is cancelled by a mark that is made while it is under way', async () => {
    const submissions = newSubmissions();
    const id = 'marked-meanwhile';
    // The next is presumed and pipelined.
    await submissions.submit([submission('before-the-mark')]);
    const submitting = await sql.begin(async (tx) => {
      await tx`lock table store.payloads in exclusive mode`;
      const verdicts = submissions.submit([submission(id)]);
      await insertWaits();
      await bury(id);
      return { verdicts };
    });
    expect(await submitting.verdicts).toEqual([stored(id)]);
    expect(await found(id)).toMatchObject([{ status: 'cancelled', events: ['opened', 'cancelled'] }]);
    expect(await statusOf('before-the-mark')).toBe('pending');
    expect(await buried()).toEqual([]);
  });

  it('that a lock holds up does not hold up the next', async () => {
    const submissions = newSubmissions();
    await submissions.submit([submission('pattern')]);
    const connection = await sql.reserve();
    await connection`begin`;
    await connection`
      insert into store.escalations
      select made.* from store.escalations e, jsonb_populate_record(e, '{"request_id": "held-up"}') made where e.request_id = 'pattern'`;
    const heldUp = submissions.submit([submission('held-up')]);
    await insertWaits();
    expect(await submissions.submit([submission('goes-on')])).toEqual([stored('goes-on')]);
    await connection`rollback`;
    connection.release();
    expect(await heldUp).toEqual([stored('held-up')]);
    expect(await found('held-up')).toMatchObject([{ status: 'pending', events: ['opened'] }]);
  });
});

describe('a mark of an id that is there', () => {
  it('is honoured by the pruner, as after a crash; one older than a day is only forgotten', async () => {
    const submissions = newSubmissions();
    await submissions.submit([submission('missed'), submission('outlived')]);
    await bury('missed');
    await bury('outlived', 25);
    await bury('to-come');
    submissions.start();
    await eventually('both marks are gone', async () => (await buried()).join() === 'to-come');
    expect(await found('missed')).toMatchObject([{ status: 'cancelled', events: ['opened', 'cancelled'] }]);
    expect(await found('outlived')).toMatchObject([{ status: 'pending', events: ['opened'] }]);
    expect(await submissions.submit([submission('to-come')])).toEqual([stored('to-come')]);
    expect(await statusOf('to-come')).toBe('cancelled');
  });
});
