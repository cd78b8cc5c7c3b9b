import { createLogger, databaseNow } from '@umpire/runtime';
import { eventually } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeptFigures } from './kept-figures.ts';
import { StatsLoop, majorityWord } from './stats.loop.ts';
import { PENDING_COUNTED } from './stats.queries.ts';
import { quantile, STATS_KEEPING, StatsReads, type Stats } from './stats.service.ts';
import { planner } from './test/plans.ts';
import { startHarness, submission, type Harness } from './test/store-harness.ts';
import { fillStore } from './test/store-rows.ts';

let harness: Harness;
let origin: string;
let admin: string;
let alice: string;
beforeAll(async () => {
  harness = await startHarness();
  ({ origin } = await harness.startStore());
  [admin, alice] = await Promise.all([harness.key(['admin']), harness.key(['reviewer'], 'alice')]);
});
afterAll(() => harness.stop());

const read = async (key = admin, query = ''): Promise<Stats> => (await (await fetch(`${origin}/hitl/stats${query}`, { headers: { authorization: `Bearer ${key}` } })).json()) as Stats;
/** Figures are kept for a moment: those that are no older than the question. */
const readNow = async (): Promise<Stats> => {
  const since = await databaseNow(harness.database.sql);
  return eventually('figures of now', async () => {
    const stats = await read();
    return Date.parse(stats.as_of) > since ? stats : null;
  });
};
const post = async (path: string, body: object, key = alice) => (await fetch(`${origin}${path}`, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify(body) })).status;
const hard = ({ reasons }: Stats) => reasons.find(({ reason }) => reason === 'hard_disagreement')!;
const payload = (id: string, decisions: unknown[]) => JSON.stringify({ request_id: id, agent_decisions: decisions.map((decision_value) => ({ decision_value })) });

describe('statistics', () => {
  it('count each end once, by source, with people and agreement', async () => {
    const named = { interaction: { assignees: { users: ['alice'] } } };
    await harness.submit([
      submission('s-1', { ...named, payload: payload('s-1', ['Approve', 'approve', 'reject']) }),
      submission('s-2', { ...named, payload: payload('s-2', ['reject', 'reject']) }),
      submission('s-3', { ...named, payload: payload('s-3', ['approve', 'reject']) }),
      submission('s-4', named),
      submission('s-5', named),
    ]);
    expect(hard(await readNow())).toMatchObject({ pending: 5, ended: 0, p50_seconds: null });
    for (const id of ['s-1', 's-2', 's-3']) expect(await post('/hitl/respond', { interaction_id: id, user_input: { decision: 'approve' } })).toBe(200);
    expect(await post('/hitl/escalations/s-4/cancel', {}, admin)).toBe(200);
    const counted = await eventually('all four counted', async () => {
      const stats = await read();
      return hard(stats).ended === 4 && hard(stats).opened === 5 ? stats : null;
    });
    expect(hard(counted)).toMatchObject({ pending: 1, by_source: { human: 3, timeout: 0, cancel: 1 }, agents_agreed: 1, agents_disagreed: 1, p50_seconds: 10 });
    expect(counted.people).toMatchObject([{ user_id: 'alice', votes: 3, open: 1 }]);
    const inSeries = (of: 'opened' | 'ended') => counted.series.reduce((sum, one) => sum + one[of], 0);
    expect([inSeries('opened'), inSeries('ended')]).toEqual([5, 4]);
    // What changes after its end (the permit is used) is met again, and not counted again.
    await harness.database.sql`update store.escalations set changed_xid = pg_current_xact_id() where request_id in ('s-1', 's-4')`;
    const loop = new StatsLoop(harness.database.sql, createLogger('test', 'silent'));
    await loop.runOnce();
    await loop.runOnce();
    expect(hard(await readNow())).toMatchObject({ opened: 5, ended: 4 });
  });

  it('count each end once beside the version before, which knows of no openings', async () => {
    const { sql } = harness.database;
    const loop = new StatsLoop(sql, createLogger('test', 'silent'));
    const before = hard(await readNow());
    await harness.submit([submission('old-1'), submission('old-2', { interaction: { assignees: { users: ['alice'] } } })]);
    const counted = async (of: 'opened' | 'ended') => {
      await loop.runOnce();
      return hard(await readNow())[of] === before[of] + 2;
    };
    await eventually('the openings counted', () => counted('opened'));
    for (const id of ['old-1', 'old-2']) expect(await post(`/hitl/escalations/${id}/cancel`, {}, admin)).toBe(200);
    await eventually('the ends counted', () => counted('ended'));
    // As the version before does when it has counted an end first: its statement names no columns of ours.
    await sql`delete from store.stats_counted where request_id = 'old-1'`;
    await sql`insert into store.stats_counted (namespace, request_id) select 'default', id from unnest(array['old-1', 'old-2']) as t (id) on conflict do nothing`;
    await sql`update store.escalations set changed_xid = pg_current_xact_id() where request_id in ('old-1', 'old-2')`;
    // Its cursor is its own: moving it takes nothing from ours.
    await sql`update store.stats_cursor set changed_xid = pg_current_xact_id()`;
    await eventually('both met again', async () => {
      await loop.runOnce();
      const [row] = await sql<{ opened: boolean; ended: boolean }[]>`select opened, ended from store.stats_counted where request_id = 'old-1'`;
      return row!.opened && row!.ended;
    });
    expect(hard(await readNow())).toMatchObject({ ended: before.ended + 2, opened: before.opened + 3 });
  });

  it('are for administrators of the namespace', async () => {
    expect(await read(alice)).toMatchObject({ status: 403 });
    expect(hard(await read(await harness.key(['admin'], undefined, 'other')))).toMatchObject({ pending: 0, ended: 0 });
    expect(await read(admin, '?hours=0')).toMatchObject({ status: 422 });
  });

  it('never read a table whole', async () => {
    await fillStore(harness.database.sql, 'filled', 20_000);
    await harness.database.sql`vacuum analyze store.escalations, store.assignments`;
    const plans = planner(harness.database.url);
    const facts = await plans.plansOf(() => new StatsReads(plans.sql).read('filled', 24));
    await plans.end();
    expect(facts.flatMap((fact) => fact.seqScans).filter((table) => ['escalations', 'assignments', 'payloads'].includes(table))).toEqual([]);
    expect(Math.max(...facts.map((fact) => fact.rowsRead))).toBeLessThan(20_000);
  });

  it('know how many are pending where there are more than it counts', async () => {
    const { sql } = harness.database;
    const counted = await sql<{ reason: string; pending: number }[]>`select reason, count(*)::int as pending from store.escalations where namespace = 'filled' and status = 'pending' group by reason order by reason`;
    expect(Math.max(...counted.map(({ pending }) => pending))).toBeGreaterThan(PENDING_COUNTED);
    expect(Math.min(...counted.map(({ pending }) => pending))).toBeLessThan(PENDING_COUNTED);
    const reads = new StatsReads(sql);
    await eventually('all of them counted', async () => {
      const { reasons } = await reads.read('filled', 24);
      return counted.every(({ reason, pending }) => reasons.find((one) => one.reason === reason)!.pending === pending);
    });
    // The hours and what is kept of all of them agree.
    expect(await sql`select sum(opened)::int as opened, sum(ended)::int as ended from store.stats_totals where namespace = 'filled'`).toEqual([{ opened: 20_000, ended: 20_000 - counted.reduce((sum, one) => sum + one.pending, 0) }]);
  });

  it('are computed once for all who ask the same, each gets what they asked for, and nobody what is older than two seconds', async () => {
    let now = 0;
    const reads = new StatsReads(harness.database.sql, new KeptFigures(STATS_KEEPING, () => (now += 100)));
    const asked = [['filled', 24], ['default', 24], ['filled', 720], ['filled', 24]] as const;
    const answers = await Promise.all(asked.map(([namespace, hours]) => reads.read(namespace, hours)));
    expect(answers.map(({ hours }) => hours)).toEqual([24, 24, 720, 24]);
    expect(answers[3]).toBe(answers[0]);
    expect(hard(answers[0]!).pending).toBeGreaterThan(hard(answers[1]!).pending);
    expect(await reads.read('filled', 24)).toBe(answers[0]);
    now += 2_000;
    const anew = await reads.read('filled', 24);
    expect(anew).not.toBe(answers[0]);
    expect(Date.parse(anew.as_of)).toBeGreaterThanOrEqual(Date.parse(answers[0]!.as_of));
  });

  it('that are kept are not shown once a person was erased', async () => {
    const { sql } = harness.database;
    const now = 0;
    const reads = new StatsReads(sql, new KeptFigures(STATS_KEEPING, () => now));
    const first = await reads.read('filled', 24);
    expect(await reads.read('filled', 24)).toBe(first);
    await sql`insert into store.erasures (id, namespace, scope, pseudonym, reason, requested_by, done_at) values (gen_random_uuid(), 'filled', 'person', 'erased-1', 'left', 'admin', clock_timestamp())`;
    expect(await reads.read('filled', 24)).not.toBe(first);
  });

  it('find the class of a quantile and the word of most agents', () => {
    expect([quantile([], 0.5), quantile([5, 5], 0.5), quantile([1, 9], 0.5), quantile([...Array.from({ length: 11 }, () => 0), 3], 0.5)]).toEqual([null, 10, 30, null]);
    const body = (values: unknown[]) => new TextEncoder().encode(payload('x', values));
    expect([majorityWord(body(['A', 'a ', 'b'])), majorityWord(body(['a', 'b'])), majorityWord(body([true, true, 'no'])), majorityWord(body([]))]).toEqual(['a', null, 'true', null]);
  });
});
