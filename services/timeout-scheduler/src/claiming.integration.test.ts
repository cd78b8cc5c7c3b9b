import { connectPostgres, createLogger, databaseNow, newId, type Sql } from '@umpire/runtime';
import { testDatabase, type TestDatabase } from '@umpire/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Arming } from './arming.service.ts';
import { claimDue, claimOverdue, lookAhead, removeTimers } from './timer.queries.ts';

let database: TestDatabase;
let sql: Sql;
beforeAll(async () => {
  database = await testDatabase();
  sql = connectPostgres({ url: database.url, max: 4, service: 'test', logger: createLogger('test', 'silent') });
});
afterAll(async () => {
  await sql.end({ timeout: 1 });
  await database.drop();
});
beforeEach(() => database.sql`truncate scheduler.timers`);

const lease = (ms = 60_000) => ({ id: newId(), ms });
const from = 0;

/** One timer a row, `offsets` in ms from the database's clock. */
async function insert(namespace: string, offsets: number[], prefix = 'e') {
  await sql`
    insert into scheduler.timers (namespace, request_id, kind, ordinal, generation, due_at, wake_at)
    select ${namespace}, ${prefix} || o.nth, 'deadline', 0, 1, o.at, o.at
    from (select nth, date_trunc('milliseconds', clock_timestamp() + o.ms * interval '1 millisecond') as at from unnest(${offsets}::float8[]) with ordinality as o (ms, nth)) o`;
}

async function wakeOf(namespace: string, requestId: string): Promise<number> {
  const [row] = await sql<{ at: number }[]>`select (extract(epoch from wake_at) * 1000)::float8 as at from scheduler.timers where namespace = ${namespace} and request_id = ${requestId}`;
  return row!.at;
}

describe('claiming what is due', () => {
  it('never takes what is not due yet, and says when that will be', async () => {
    await insert('a', [-50, 60_000, 30_000]);
    await insert('b', [90_000]);
    const { timers, next } = await claimDue(sql, { namespaces: ['a', 'b', 'c'], from, quota: 100, lease: lease() });
    expect(timers.map((timer) => timer.request_id)).toEqual(['e1']);
    expect([next.get('a'), next.get('b')]).toEqual([await wakeOf('a', 'e3'), await wakeOf('b', 'e1')]);
    expect(next.get('c')).toBeNull();
  });

  it('shares a claim between namespaces', async () => {
    await insert('loud', Array.from({ length: 500 }, (_, i) => -i - 1));
    await insert('quiet', [-1]);
    const { timers } = await claimDue(sql, { namespaces: ['loud', 'quiet'], from, quota: 100, lease: lease() });
    expect(timers.filter((timer) => timer.namespace === 'quiet').length).toBe(1);
    expect(timers.length).toBe(101);
  });

  it('gives each timer to one of many that claim at once', async () => {
    await insert('a', Array.from({ length: 1_000 }, (_, i) => -i - 1));
    const claims = await Promise.all(Array.from({ length: 12 }, () => claimDue(sql, { namespaces: ['a'], from, quota: 100, lease: lease() })));
    const ids = claims.flatMap(({ timers }) => timers.map((timer) => timer.request_id));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBe(1_000);
  });

  it('leaves what is older than asked for to the overdue lane', async () => {
    await insert('a', [-10_000, -10]);
    const now = await databaseNow(sql);
    const { timers } = await claimDue(sql, { namespaces: ['a'], from: now - 1_000, quota: 100, lease: lease() });
    expect(timers.map((timer) => timer.request_id)).toEqual(['e2']);
  });
});

describe('claiming what is overdue', () => {
  const lane = (namespace: string) => ({ namespace, floor: Number.NEGATIVE_INFINITY });

  it('goes in due order, one batch of a namespace at a time, across replicas', async () => {
    await insert('a', [-5_000, -9_000, -7_000, -8_000, -6_000]);
    const before = await databaseNow(sql);
    const first = await claimOverdue(sql, { lanes: [lane('a')], before, quota: 2, lease: lease() });
    expect(first.timers.map((timer) => timer.request_id)).toEqual(['e2', 'e4']);
    const meanwhile = await claimOverdue(sql, { lanes: [lane('a')], before, quota: 2, lease: lease() });
    expect(meanwhile.timers).toEqual([]);
    expect(meanwhile.heads.get('a')!.leased_until).toBeGreaterThan(meanwhile.now + 50_000);
    await removeTimers(sql, first.timers);
    const second = await claimOverdue(sql, { lanes: [{ namespace: 'a', floor: first.timers[1]!.wake_at }], before, quota: 2, lease: lease() });
    expect(second.timers.map((timer) => timer.request_id)).toEqual(['e3', 'e5']);
  });

  it('keeps that order when many claim at the same moment', async () => {
    await insert('a', Array.from({ length: 400 }, (_, i) => -100_000 + i));
    const before = await databaseNow(sql);
    const order: number[] = [];
    while (order.length < 400) {
      const claims = await Promise.all(Array.from({ length: 6 }, () => claimOverdue(sql, { lanes: [lane('a')], before, quota: 40, lease: lease() })));
      const won = claims.filter(({ timers }) => timers.length > 0);
      expect(won.length).toBe(1);
      order.push(...won[0]!.timers.map((timer) => Number(timer.request_id.slice(1))));
      await removeTimers(sql, won[0]!.timers);
    }
    expect(order).toEqual(Array.from({ length: 400 }, (_, i) => i + 1));
  });

  it('takes over when a lease has ended', async () => {
    await insert('a', [-5_000, -4_000]);
    const before = await databaseNow(sql);
    await claimOverdue(sql, { lanes: [lane('a')], before, quota: 1, lease: lease(0) });
    const again = await claimOverdue(sql, { lanes: [lane('a')], before, quota: 2, lease: lease() });
    expect(again.timers.map((timer) => [timer.request_id, timer.attempts])).toEqual([['e1', 2], ['e2', 1]]);
  });
});

describe('looking ahead', () => {
  it('tells each namespace\'s next moment, what was missed, and its oldest overdue', async () => {
    await insert('a', [-20_000, -10_000, 5_000, 9_000]);
    await insert('b', [-10]);
    await insert('c', [7_000]);
    const { namespaces } = await lookAhead(sql, (await databaseNow(sql)) - 1_000);
    expect(namespaces.map(({ namespace, missed, head }) => [namespace, missed, head !== null])).toEqual([['a', false, true], ['b', true, false], ['c', false, false]]);
    expect([namespaces[0]!.next, namespaces[0]!.head!.wake_at]).toEqual([await wakeOf('a', 'e3'), await wakeOf('a', 'e1')]);
    expect(namespaces[1]!.next).toBeNull();
  });

  it('finds nothing where there is nothing', async () => {
    expect((await lookAhead(sql, Number.POSITIVE_INFINITY)).namespaces).toEqual([]);
  });
});

describe('the cost of a claim', () => {
  const blocks = async (own: Sql) => {
    await own`select pg_stat_force_next_flush()`;
    const [row] = await own<{ blocks: number; scans: number }[]>`
      select (heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::float8 as blocks, seq_scan::float8 as scans
      from pg_statio_user_tables join pg_stat_user_tables using (relid) where relid = 'scheduler.timers'::regclass`;
    return row!;
  };
  /** In statements that end well within their time-out, however busy the machine is. */
  const fill = async (first: number, last: number) => {
    for (let from = first; from <= last; from += 20_000) await database.sql`
      insert into scheduler.timers (namespace, request_id, kind, ordinal, generation, due_at, wake_at)
      select case when i % 2 = 0 then 'a' else 'b' end, 'pending-' || md5(i::text), 'deadline', 0, 1, at, at
      from (select i, clock_timestamp() + interval '1 hour' + random() * interval '30 days' as at
        from generate_series(${from}::integer, ${Math.min(last, from + 19_999)}::integer) i) p`;
  };
  /** One round of the scheduler's work on 200 due timers. @returns blocks of table and indexes touched, and whether the table was scanned */
  const round = async (own: Sql) => {
    for (const namespace of ['a', 'b']) await insert(namespace, Array.from({ length: 100 }, (_, i) => -1_000 + i), newId());
    const before = await blocks(own);
    const { timers } = await claimDue(own, { namespaces: ['a', 'b'], from, quota: 100, lease: lease() });
    await removeTimers(own, timers);
    await lookAhead(own, from);
    await claimOverdue(own, { lanes: [{ namespace: 'a', floor: 0 }], before: await databaseNow(own), quota: 100, lease: lease() });
    await new Arming(own, () => undefined).take(timers.map(({ namespace, request_id }) => ({
      namespace, request_id, seq: 1, clocks: [{ kind: 'deadline', ordinal: 0, generation: 1, due_at: '2040-01-01T00:00:00.000Z' }],
    })));
    const after = await blocks(own);
    expect(timers.length).toBe(200);
    return { blocks: after.blocks - before.blocks, scans: after.scans - before.scans };
  };

  it('is the same with 10,000 pending and with 300,000, in statements that were planned on a nearly empty table', async () => {
    const own = connectPostgres({ url: database.url, max: 1, service: 'test', logger: createLogger('test', 'silent') });
    try {
      await fill(300_001, 300_020);
      await own`analyze scheduler.timers, scheduler.marks`;
      for (let i = 0; i < 8; i++) await round(own);
      await fill(1, 10_000);
      const small = await round(own);
      await fill(10_001, 300_000);
      const large = await round(own);
      expect(large.blocks).toBeLessThan(small.blocks * 1.6);
      expect([small.scans, large.scans]).toEqual([0, 0]);
    } finally {
      await own.end({ timeout: 1 });
    }
  });
});
