import { createLogger, connectPostgres } from '@umpire/runtime';
import { eventually, testDatabase, type TestDatabase } from '@umpire/testing';
import type { Clock } from '@umpire/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Arming } from './arming.service.ts';
import { pruneMarks, type ClockSet } from './clock-set.queries.ts';
import { claimDue, rearmTimers, releaseTimers, removeTimers } from './timer.queries.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());
beforeEach(() => database.sql`truncate scheduler.timers, scheduler.marks`);

const clock = (kind: Clock['kind'], ordinal: number, generation: number, due = '2031-01-01T00:00:00.000Z'): Clock => ({ kind, ordinal, generation, due_at: due });
const set = (request_id: string, seq: number, clocks: Clock[], namespace = 'default'): ClockSet => ({ namespace, request_id, seq, clocks });

async function rows() {
  const found = await database.sql<{ id: string; kind: string; ordinal: number; generation: number; due_at: Date }[]>`
    select request_id as id, kind, ordinal, generation, due_at from scheduler.timers order by namespace, request_id, kind, ordinal`;
  return found.map((row) => `${row.id} ${row.kind}:${row.ordinal} g${row.generation} ${row.due_at.toISOString()}`);
}

function newArming() {
  const armed: [string, number][] = [];
  return { armed, arming: new Arming(database.sql, (namespace, at) => armed.push([namespace, at])) };
}

describe('arming', () => {
  it('arms, moves and disarms as the newest set says', async () => {
    const { arming, armed } = newArming();
    await arming.take([set('a', 1, [clock('deadline', 0, 1), clock('level', 0, 1), clock('level', 1, 1)])]);
    await arming.take([set('a', 2, [clock('deadline', 0, 2, '2032-01-01T00:00:00.000Z'), clock('level', 1, 1)])]);
    expect(await rows()).toEqual(['a deadline:0 g2 2032-01-01T00:00:00.000Z', 'a level:1 g1 2031-01-01T00:00:00.000Z']);
    expect(armed.map(([, at]) => new Date(at).getUTCFullYear())).toEqual([2031, 2031, 2031, 2032]);
    await arming.take([set('a', 3, [])]);
    expect(await rows()).toEqual([]);
  });

  it('keeps namespaces apart, and ids whose parts could be confused', async () => {
    const { arming } = newArming();
    await arming.take([set('b/c', 1, [clock('deadline', 0, 1)], 'a'), set('c', 1, [clock('deadline', 0, 1)], 'b'), set('hitl-Übung/7 \u{1f980}\u0001', 1, [clock('deadline', 0, 1)], 'a')]);
    await arming.take([set('c', 2, [], 'b')]);
    expect((await rows()).length).toBe(2);
  });

  it('changes nothing for what is repeated, late, or older than the newest in its own batch', async () => {
    const { arming, armed } = newArming();
    const third = set('a', 3, [clock('deadline', 0, 3, '2033-01-01T00:00:00.000Z')]);
    expect(await arming.take([set('a', 2, [clock('deadline', 0, 2)]), third, set('a', 1, [clock('claim', 0, 1)])])).toBe(1);
    const before = await rows();
    expect(await arming.take([third, set('a', 1, [clock('claim', 0, 1)]), set('a', 2, [clock('deadline', 0, 2)])])).toBe(0);
    expect(await rows()).toEqual(before);
    expect(before).toEqual(['a deadline:0 g3 2033-01-01T00:00:00.000Z']);
    expect(armed.length).toBe(1);
  });

  it('does not arm again what has settled, until its tombstone is older than the stream', async () => {
    const { arming } = newArming();
    await arming.take([set('settled', 5, []), set('pending', 1, [clock('deadline', 0, 1)])]);
    await arming.take([set('settled', 1, [clock('deadline', 0, 1)])]);
    expect(await rows()).toEqual(['pending deadline:0 g1 2031-01-01T00:00:00.000Z']);
    await database.sql`update scheduler.marks set quiet_since = quiet_since - interval '7 days 23 hours'`;
    expect(await pruneMarks(database.sql, 8, 100)).toBe(0);
    await database.sql`update scheduler.marks set quiet_since = quiet_since - interval '2 hours'`;
    expect(await pruneMarks(database.sql, 8, 100)).toBe(1);
    expect((await database.sql`select request_id from scheduler.marks`).map((row) => row['request_id'])).toEqual(['pending']);
  });

  it('ends in the newest set of each escalation, whatever the order, the repetitions and the batches of several replicas', async () => {
    const sets: ClockSet[] = [];
    const random = seeded(20_260_117);
    for (let id = 0; id < 60; id++) {
      for (let seq = 1; seq <= 8; seq++) {
        const clocks = (['deadline', 'level', 'reminder', 'claim'] as const).filter(() => random() < 0.5).map((kind) => clock(kind, Math.floor(random() * 2), Math.ceil(random() * seq)));
        sets.push(set(`e${id}`, seq, seq === 8 && id % 3 === 0 ? [] : clocks));
      }
    }
    const shuffled = [...sets, ...sets.filter(() => random() < 0.4)].map((value) => ({ value, key: random() })).sort((a, b) => a.key - b.key).map(({ value }) => value);
    const replicas = [newArming().arming, newArming().arming, newArming().arming];
    const queues = replicas.map((_, replica) => shuffled.filter((__, index) => index % 3 === replica));
    await Promise.all(queues.map(async (queue, replica) => {
      while (queue.length > 0) await replicas[replica]!.take(queue.splice(0, 1 + Math.floor(random() * 40)));
    }));
    const wanted = sets.filter((one) => one.seq === 8).flatMap((one) => one.clocks.map((c) => `${one.request_id} ${c.kind}:${c.ordinal} g${c.generation} ${c.due_at}`));
    expect((await rows()).sort()).toEqual(wanted.sort());
    expect(await deadlocks(database)).toBe(0);
  });
});

describe('leases and generations', () => {
  const past = '2020-01-01T00:00:00.000Z';
  const claim = async (id: string, ms = 60_000) => (await claimDue(database.sql, { namespaces: ['default'], from: 0, quota: 100, lease: { id, ms } })).timers;
  const LEASE = '0197f1f0-0000-7000-8000-000000000001';
  const OTHER = '0197f1f0-0000-7000-8000-000000000002';

  it('a timer that was armed again while leased survives the answer to the old one', async () => {
    const { arming } = newArming();
    await arming.take([set('a', 1, [clock('deadline', 0, 1, past)])]);
    const leased = await claim(LEASE);
    expect(leased.map((timer) => timer.generation)).toEqual([1]);
    await arming.take([set('a', 2, [clock('deadline', 0, 2, past)])]);
    expect(await removeTimers(database.sql, leased)).toBe(0);
    expect(await rearmTimers(database.sql, LEASE, leased.map((timer) => ({ ...timer, retry_at: 0 })))).toBe(0);
    expect(await releaseTimers(database.sql, LEASE, leased, 60_000)).toBe(0);
    // Free at once: the new generation does not wait for the end of the old one's lease.
    expect((await claim(OTHER)).map((timer) => timer.generation)).toEqual([2]);
  });

  it('an event that leaves a leased timer as it is leaves its lease, too', async () => {
    const { arming } = newArming();
    await arming.take([set('a', 1, [clock('deadline', 0, 1, past)])]);
    const leased = await claim(LEASE);
    await arming.take([set('a', 2, [clock('deadline', 0, 1, past), clock('claim', 0, 2)])]);
    expect(await claim(OTHER)).toEqual([]);
    expect(await removeTimers(database.sql, leased)).toBe(1);
  });

  it('a lease that ended belongs to whoever claims next; its first holder can no longer put the timer off', async () => {
    const { arming } = newArming();
    await arming.take([set('a', 1, [clock('deadline', 0, 1, past)])]);
    const first = await claim(LEASE, 1);
    const second = await eventually('the lease to end', async () => {
      const claimed = await claim(OTHER);
      return claimed.length > 0 && claimed;
    });
    expect(second[0]!.attempts).toBe(2);
    expect(await rearmTimers(database.sql, LEASE, first.map((timer) => ({ ...timer, retry_at: 0 })))).toBe(0);
    expect(await releaseTimers(database.sql, LEASE, first, 60_000)).toBe(0);
    expect(await rearmTimers(database.sql, OTHER, second.map((timer) => ({ ...timer, retry_at: Date.parse('2031-05-05T00:00:00.123Z') })))).toBe(1);
    expect(await rows()).toEqual(['a deadline:0 g1 2031-05-05T00:00:00.123Z']);
  });

  it('settling never waits for an event that is being taken in', async () => {
    const { arming } = newArming();
    await arming.take([set('a', 1, [clock('deadline', 0, 1, past)]), set('b', 1, [clock('deadline', 0, 1, past)])]);
    const leased = await claim(LEASE);
    const other = connectPostgres({ url: database.url, max: 1, service: 'test', logger: createLogger('test', 'silent') });
    await other.begin(async (tx) => {
      await tx`select 1 from scheduler.timers where request_id = 'a' for update`;
      expect(await removeTimers(database.sql, leased)).toBe(1);
    });
    await other.end();
    expect(await rows()).toEqual([`a deadline:0 g1 ${past}`]);
  });
});

async function deadlocks({ sql }: TestDatabase): Promise<number> {
  const [row] = await sql<{ deadlocks: number }[]>`select deadlocks::integer from pg_stat_database where datname = current_database()`;
  return row!.deadlocks;
}

/** mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
