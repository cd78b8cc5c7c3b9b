import type { Verdict } from '@umpire/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findOthersOfTasks, findPendingOfTasks } from './same-task.queries.ts';
import { callerOf, type Call } from './test/http-client.ts';
import { planner } from './test/plans.ts';
import { cancellation, startHarness, submission, type Harness, type Submitted } from './test/store-harness.ts';
import { fillStore } from './test/store-rows.ts';

let harness: Harness;
let call: Call;
let admin: string;

beforeAll(async () => {
  harness = await startHarness();
  call = callerOf((await harness.startStore()).origin);
  await harness.startStore();
  admin = await harness.key(['admin']);
});
afterAll(() => harness.stop());

let count = 0;
const task = () => `task/${(count += 1)} Ü`;
let arrivals = 1_000;
/** The next evaluation of a task, as intake hands it over. */
function evaluation(task_id: string, id: string, same_task?: 'keep' | 'supersede', more: { namespace?: string } = {}): Submitted {
  arrivals += 1;
  const made = submission(id, { task_id, payload: JSON.stringify({ request_id: id, task_id }), submission: `HITL_REVIEW:${arrivals}@${arrivals}000`, ...more });
  return { body: made.body, item: { ...made.item, ...(same_task ? { same_task } : {}) } as Submitted['item'] };
}
const stored = (id: string): Verdict => ({ request_id: id, status: 'stored' });
const explained = async (id: string) => (await call('GET', `/hitl/escalations/${encodeURIComponent(id)}/explain`, { key: admin })).body as Record<string, any>;
async function statusOf(id: string): Promise<string | undefined> {
  const [row] = await harness.database.sql<{ status: string }[]>`select status from store.escalations where namespace = 'default' and request_id = ${id}`;
  return row?.status;
}

describe('a task that is evaluated again', () => {
  it('has its earlier escalation superseded: cancelled, and each names the other', async () => {
    const [name, first, second] = [task(), 'superseded-1', 'superseded-2'];
    expect(await harness.submit([evaluation(name, first, 'supersede')])).toEqual([stored(first)]);
    expect(await explained(first)).toMatchObject({ state: 'pending', same_task: { mode: 'supersede', earlier: [] } });
    expect(await harness.submit([evaluation(name, second, 'supersede')])).toEqual([stored(second)]);
    expect(await explained(second)).toMatchObject({ state: 'pending', same_task: { mode: 'supersede', earlier: [first] } });
    expect(await explained(first)).toMatchObject({ state: 'cancelled', why: `a newer evaluation of its task took its place: ${second}`, outcome: { source: 'cancel', superseded_by: second, verdict: null, seq: 2 } });
    const status = await call('GET', `/hitl/status/${first}`, { key: admin });
    expect(status.body).toMatchObject({ status: 'cancelled', outcome: { superseded_by: second } });
  });

  it('keeps it where the policy says so, and the new one names it', async () => {
    const name = task();
    await harness.submit([evaluation(name, 'kept-1', 'keep')]);
    await harness.submit([evaluation(name, 'kept-2', 'keep')]);
    await harness.submit([evaluation(name, 'kept-3', 'keep')]);
    expect(await explained('kept-3')).toMatchObject({ same_task: { mode: 'keep', earlier: ['kept-2', 'kept-1'] } });
    expect([await statusOf('kept-1'), await statusOf('kept-2'), await statusOf('kept-3')]).toEqual(['pending', 'pending', 'pending']);
  });

  it('is left alone where no policy says anything', async () => {
    const name = task();
    await harness.submit([evaluation(name, 'silent-1')]);
    await harness.submit([evaluation(name, 'silent-2')]);
    expect(await statusOf('silent-1')).toBe('pending');
    expect(await explained('silent-2')).toMatchObject({ same_task: null });
  });

  it('supersedes whatever was pending of it, in one batch too, and nothing of others', async () => {
    const name = task();
    await harness.submit([evaluation(name, 'all-1'), evaluation(`${name}x`, 'all-other-task', 'supersede'), evaluation(name, 'all-2', 'keep')]);
    await harness.submit([evaluation(name, 'all-elsewhere', 'supersede', { namespace: 'team-a' })]);
    expect(await harness.submit([evaluation(name, 'all-3', 'supersede'), evaluation(name, 'all-4', 'supersede')])).toEqual([stored('all-3'), stored('all-4')]);
    for (const id of ['all-1', 'all-2', 'all-3']) expect(await explained(id)).toMatchObject({ state: 'cancelled', outcome: { superseded_by: 'all-4' } });
    expect(await explained('all-4')).toMatchObject({ state: 'pending', same_task: { earlier: expect.arrayContaining(['all-1', 'all-2']) } });
    expect(await statusOf('all-other-task')).toBe('pending');
    const [elsewhere] = await harness.database.sql<{ status: string }[]>`select status from store.escalations where namespace = 'team-a' and request_id = 'all-elsewhere'`;
    expect(elsewhere?.status).toBe('pending');
  });

  it('leaves what was decided, and what a person settles first', async () => {
    const name = task();
    const alice = await harness.key(['reviewer'], 'alice');
    await harness.submit([evaluation(name, 'decided-1', 'supersede')]);
    expect((await call('POST', '/hitl/respond', { key: alice, body: { interaction_id: 'decided-1', user_input: { decision: 'approve' } } })).status).toBe(200);
    await harness.submit([evaluation(name, 'decided-2', 'supersede')]);
    expect(await explained('decided-1')).toMatchObject({ state: 'completed', outcome: { verdict: 'approve' } });
    expect(await explained('decided-2')).toMatchObject({ same_task: { mode: 'supersede', earlier: [] } });
  });

  it('is not superseded by one that its producer had taken back', async () => {
    const name = task();
    await harness.submit([evaluation(name, 'withdrawn-1', 'supersede')]);
    expect(await harness.submit([cancellation('withdrawn-2'), evaluation(name, 'withdrawn-2', 'supersede')])).toMatchObject([{ status: 'tombstoned' }, { status: 'stored' }]);
    expect(await statusOf('withdrawn-2')).toBe('cancelled');
    expect(await statusOf('withdrawn-1')).toBe('pending');
  });

  it('is the same submission again when it is delivered again', async () => {
    const name = task();
    const [older, newer] = [evaluation(name, 'again-1', 'supersede'), evaluation(name, 'again-2', 'supersede')];
    await harness.submit([older]);
    await harness.submit([newer]);
    // The older one comes back late: it is not the newer evaluation for that.
    expect(await harness.submit([older, newer])).toEqual([stored('again-1'), stored('again-2')]);
    expect([await statusOf('again-1'), await statusOf('again-2')]).toEqual(['cancelled', 'pending']);
    expect((await explained('again-1'))['seq']).toBe(2);
  });
});

describe('a store that fails between storing and superseding', () => {
  it('gives no verdict, and makes it good when the submission comes again', async () => {
    const name = task();
    await harness.submit([evaluation(name, 'crash-1', 'supersede')]);
    const newer = evaluation(name, 'crash-2', 'supersede');
    await harness.database.sql`create function store.fail() returns trigger language plpgsql as $$ begin raise exception 'the disk is full' using errcode = 'disk_full'; end $$`;
    await harness.database.sql`create trigger fails before update on store.escalations for each row when (new.request_id = 'crash-1') execute function store.fail()`;
    await expect(harness.submit([newer])).rejects.toThrow();
    expect([await statusOf('crash-1'), await statusOf('crash-2')]).toEqual(['pending', 'pending']);
    await harness.database.sql`drop trigger fails on store.escalations`;
    expect(await harness.submit([newer])).toEqual([stored('crash-2')]);
    expect(await explained('crash-1')).toMatchObject({ state: 'cancelled', outcome: { superseded_by: 'crash-2' } });
  });
});

describe('evaluations that are stored at once by two stores', () => {
  it('leave exactly the newest pending, whichever commits first', async () => {
    const rounds = Array.from({ length: 60 }, (_, index) => {
      const name = task();
      return ['a', 'b', 'c'].map((letter) => evaluation(name, `raced-${index}-${letter}`, 'supersede'));
    });
    await Promise.all(rounds.flatMap((round) => round.toSorted(() => Math.random() - 0.5).map((one) => harness.submit([one]))));
    const rows = await harness.database.sql<{ request_id: string; status: string; state: Buffer }[]>`select request_id, status, state from store.escalations where request_id like 'raced-%'`;
    expect(rows).toHaveLength(180);
    for (const { request_id, status, state } of rows) {
      const newest = request_id.endsWith('-c');
      expect({ request_id, status }).toEqual({ request_id, status: newest ? 'pending' : 'cancelled' });
      const { outcome } = JSON.parse(state.toString()) as { outcome: { superseded_by?: string } | null };
      const round = request_id.slice(0, -2);
      if (!newest) expect([`${round}-b`, `${round}-c`]).toContain(outcome?.superseded_by);
      expect(outcome?.superseded_by).not.toBe(request_id);
    }
  });
});

describe('the look for a task’s other escalations', () => {
  it('goes through an index, whatever else there is', async () => {
    await fillStore(harness.database.sql, 'team-b', 30_000);
    const plans = planner(harness.database.url);
    const tasks = [10, 20, 30, 40_000].map((n) => ({ namespace: 'team-b', task_id: `task/${n}` }));
    for (const find of [findPendingOfTasks, findOthersOfTasks]) {
      for (const { seqScans, rowsRead } of await plans.plansOf(() => find(plans.sql, tasks))) {
        expect(seqScans).toEqual([]);
        expect(rowsRead).toBeLessThan(20);
      }
    }
    await plans.end();
  });
});
