import { jetstreamManager } from '@nats-io/jetstream';
import { eventually } from '@umpire/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RealStore, submission } from '../test/real-store.ts';

// What fell due while nobody looked, and what nobody was told of: on a real store.

/** `MISSED=100000` takes some minutes. */
const COUNT = Number(process.env['MISSED'] ?? 4_000);
const HOUR = 3_600_000;
/** Timers in one request; two transactions of the store may share them. */
const REQUEST = 200;

let real: RealStore;
beforeEach(async () => {
  real = await RealStore.start({ virtualClock: true });
  await real.clock!.runAhead(0);
});
afterEach(() => real.stop());

type Ended = { namespace: string; request_id: string; late: number; deadline: number; xid: number };

/** In the order in which the store settled them, within each namespace. */
const ended = () => real.harness.database.sql<Ended[]>`
  select namespace, request_id, (extract(epoch from settled_at - deadline) * 1000)::float8 as late, (extract(epoch from deadline) * 1000)::float8 as deadline, changed_xid::text::float8 as xid
  from store.escalations where status = 'expired' order by namespace, changed_xid, deadline`;
const pending = async () => (await real.harness.database.sql`select count(*)::int as count from store.escalations where status = 'pending'`)[0]!['count'] as number;

describe('after all schedulers were down', () => {
  it(`${COUNT} escalations that fell due meanwhile are ended once each, in due order of each namespace, and new ones do not wait for them`, async () => {
    await real.startStore();
    const armed = await real.startScheduler();
    const namespaces = ['team-a', 'team-a', 'team-a', 'team-b', 'team-b', 'default'];
    await real.open(Array.from({ length: COUNT }, (_, nth) =>
      submission(`missed-${nth}`, { namespace: namespaces[nth % namespaces.length]!, interaction: { timeout_seconds: 3_600 + ((nth * 7_919) % 3_600) } })));
    await eventually('all clocks to be armed', async () => (await real.timers()) === COUNT, 120_000);
    await armed.stop();
    await real.clock!.runAhead(3 * HOUR);
    await Promise.all([real.startScheduler({ UMPIRE_CATCH_UP_PER_SECOND: '8000' }), real.startScheduler({ UMPIRE_CATCH_UP_PER_SECOND: '8000' })]);
    await real.open(Array.from({ length: 150 }, (_, nth) => submission(`new-${nth}`, { interaction: { timeout_seconds: 0.5 + nth * 0.01 } })));
    await eventually('all to be ended', async () => (await pending()) === 0, 300_000);

    const all = await ended();
    expect(all).toHaveLength(COUNT + 150);
    expect(all.filter(({ late }) => late < 0)).toEqual([]);
    const [events] = await real.harness.database.sql<{ total: number; expired: number }[]>`select count(*)::int as total, count(*) filter (where type = 'expired')::int as expired from store.events`;
    expect(events).toEqual({ total: 2 * (COUNT + 150), expired: COUNT + 150 });
    for (const [, rows] of Map.groupBy(all.filter(({ request_id }) => request_id.startsWith('missed-')), ({ namespace }) => namespace)) {
      expect(farthestBehind(rows.map(({ deadline }) => deadline))).toBeLessThan(REQUEST);
    }
    const lastOld = Math.max(...all.filter(({ request_id }) => request_id.startsWith('missed-')).map(({ xid }) => xid));
    const firstNew = Math.min(...all.filter(({ request_id }) => request_id.startsWith('new-')).map(({ xid }) => xid));
    expect(firstNew).toBeLessThan(lastOld);
  }, 600_000);
});

/** By how many places anything stands behind something that was due later. */
function farthestBehind(due: number[]): number {
  const rank = new Map([...new Set(due)].sort((a, b) => a - b).map((at, place) => [at, place]));
  let farthest = 0;
  let highest = 0;
  for (const at of due) {
    highest = Math.max(highest, rank.get(at)!);
    farthest = Math.max(farthest, highest - rank.get(at)!);
  }
  return farthest;
}

describe('after the events were lost', () => {
  it('every escalation gets its clocks from the store, page by page, and a change that no event told of moves them', async () => {
    const origin = await real.startStore();
    const count = 650;
    await real.open(Array.from({ length: count }, (_, nth) => submission(`untold-${nth}/Ü`, { namespace: nth % 2 ? 'team-a' : 'default', interaction: { timeout_seconds: 600 + nth } })));
    await eventually('all published', async () => (await real.harness.database.sql`select 1 from store.outbox`).length === 0, 30_000);
    const key = await real.harness.key(['reviewer'], 'alice');
    const answer = await fetch(`${origin}/hitl/respond`, {
      method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify({ interaction_id: 'untold-0/Ü', user_input: { decision: 'approve' } }),
    });
    expect(answer.status).toBe(200);
    await eventually('all published', async () => (await real.harness.database.sql`select 1 from store.outbox`).length === 0, 30_000);
    const manager = await jetstreamManager(await real.harness.nats.operator());
    expect((await manager.streams.purge('HITL_EVENTS')).purged).toBe(count + 2);
    await real.startScheduler({ UMPIRE_RECONCILE_MS: '200' });
    await eventually('all clocks to be armed', async () => (await real.timers()) === count - 1, 60_000);
    const due = await real.harness.database.sql<{ wrong: number }[]>`
      select count(*)::int as wrong from scheduler.timers t join store.escalations e using (namespace, request_id) where t.due_at <> e.deadline or t.kind <> 'deadline'`;
    expect(due[0]!.wrong).toBe(0);
    await real.clock!.runAhead(HOUR);
    await eventually('all to be ended', async () => (await pending()) === 0, 60_000);
    expect((await ended()).filter(({ late }) => late < 0)).toEqual([]);
  }, 180_000);
});
