import type { Sql } from '@umpire/runtime';
import { eventually } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client, type Client } from './test/http.ts';
import { startHarness, submission, type Harness } from './test/store-harness.ts';

let harness: Harness;
let http: Client;
let sql: Sql;
const keys: Record<string, string> = {};

beforeAll(async () => {
  harness = await startHarness();
  sql = harness.database.sql;
  http = client((await harness.startStore()).origin);
  for (const person of ['alice', 'bob', 'carol']) keys[person] = await harness.key(['reviewer'], person);
  keys['producer'] = await harness.key(['producer']);
});
afterAll(() => harness.stop());

const respond = async (id: string, who: string, userInput: object) => {
  const reply = await http.post('/hitl/respond', { interaction_id: id, user_input: userInput }, keys[who]!);
  expect(reply.status).toBe(200);
};
type StateRow = { interaction_id: string; pipeline_name: string; step_name: string; data: string; created_at: Date; expires_at: Date; status: string; completed_at: Date | null; human_input: string | null };
const states = async (id: string) => (await sql<StateRow[]>`
  select interaction_id, pipeline_name, step_name, data, created_at, expires_at, status, completed_at, human_input from seed.pipeline_states where interaction_id = ${id}`)[0]!;
const approvals = (id: string) => sql<{ approver_id: string; decision: string; comments: string | null; decided_at: string | null }[]>`
  select approver_id, decision, comments, decided_at::text from seed.multi_approvals where approval_id = ${id} order by approver_id`;

describe('the seed\'s tables', () => {
  it('have exactly its columns', async () => {
    const rows = await sql<{ table_name: string; column_name: string; data_type: string }[]>`
      select table_name::text, column_name::text, data_type::text from information_schema.columns where table_schema = 'seed' order by table_name, ordinal_position`;
    const columns = (table: string) => rows.filter((row) => row.table_name === table).map((row) => `${row.column_name} ${row.data_type}`);
    expect(columns('pipeline_states')).toEqual([
      'interaction_id text', 'pipeline_name text', 'step_name text', 'data text', 'created_at timestamp without time zone', 'expires_at timestamp without time zone',
      'status text', 'completed_at timestamp without time zone', 'human_input text',
    ]);
    expect(columns('pipeline_assignments')).toEqual(['id bigint', 'interaction_id text', 'user_id text', 'role text', 'assigned_at timestamp without time zone']);
    expect(columns('multi_approvals')).toEqual(['approval_id text', 'approver_id text', 'decision text', 'comments text', 'decided_at timestamp without time zone']);
  });

  it('cannot be written', async () => {
    await expect(sql`delete from seed.pipeline_states`).rejects.toThrow(/cannot delete from view/);
    await expect(sql`update seed.multi_approvals set decision = 'approve'`).rejects.toThrow(/cannot update view/);
    await expect(sql`insert into seed.pipeline_assignments (interaction_id, user_id) values ('x', 'y')`).rejects.toThrow(/cannot insert into view/);
  });

  it('answer the queries of the seed', async () => {
    await harness.submit([submission('listed', { interaction: { assignees: { users: ['alice'] } } })]);
    const pending = await sql`
      select ps.interaction_id, pa.user_id from seed.pipeline_states ps join seed.pipeline_assignments pa on ps.interaction_id = pa.interaction_id
      where pa.user_id = 'alice' and ps.status = 'pending' and ps.expires_at > (now() at time zone 'UTC') order by ps.created_at`;
    expect(pending).toContainEqual({ interaction_id: 'listed', user_id: 'alice' });
  });
});

describe('pipeline_states', () => {
  it('show a contract escalation under its reason, with its own text', async () => {
    const payload = '{"request_id":"contract", "score":1.50,"big":12345678901234567890}';
    await harness.submit([submission('contract', { payload })]);
    expect(await states('contract')).toMatchObject({ pipeline_name: 'hitl_escalation', step_name: 'hard_disagreement', data: payload, status: 'pending', completed_at: null, human_input: null });
    await respond('contract', 'alice', { decision: 'approve', feedback: 'fine' });
    const row = await states('contract');
    expect(row.status).toBe('completed');
    expect(JSON.parse(row.human_input!)).toEqual({ decision: 'approve', feedback: 'fine' });
    const [kept] = await sql<{ opened: string; settled: string; created_at: string; completed_at: string }[]>`
      select to_char(e.opened_at at time zone 'UTC', 'HH24:MI:SS.MS') as opened, to_char(e.settled_at at time zone 'UTC', 'HH24:MI:SS.MS') as settled,
        to_char(v.created_at, 'HH24:MI:SS.MS') as created_at, to_char(v.completed_at, 'HH24:MI:SS.MS') as completed_at
      from store.escalations e join seed.pipeline_states v on v.interaction_id = e.request_id where e.request_id = 'contract'`;
    expect(kept!.created_at).toBe(kept!.opened);
    expect(kept!.completed_at).toBe(kept!.settled);
  });

  it('show an interaction\'s data alone, character by character', async () => {
    const data = String.raw`{"n":1.50,"nul":"a\u0000b","half":"\ud800","path":"C:\\users\\u0041","quote":"\"","noncharacter":"${'\ufdd0'}1"}`;
    await harness.submit([submission('interaction', { kind: 'interaction', payload: `{"interaction_id":"interaction","data": ${data} ,"metadata":{}}` })]);
    expect(await states('interaction')).toMatchObject({ pipeline_name: 'loans', step_name: 'check', data });
  });

  it('tell a timeout\'s default with its provenance, and nothing for an expiry', async () => {
    await harness.submit([submission('defaulted', { interaction: { timeout_seconds: 0.05, default_action: 'reject' } }), submission('expired', { interaction: { timeout_seconds: 0.05 } })]);
    // An answer before the deadline would count: the database's clock says when both are over.
    await eventually('both deadlines', async () => (await sql`select 1 from store.escalations where request_id in ('defaulted', 'expired') and deadline <= clock_timestamp()`).length === 2);
    await eventually('both timeouts', async () => {
      await Promise.all(['defaulted', 'expired'].map((id) => http.post('/hitl/respond', { interaction_id: id, user_input: { decision: 'approve' } }, keys['alice']!)));
      return (await states('defaulted')).status === 'completed' && (await states('expired')).status === 'expired';
    });
    expect(JSON.parse((await states('defaulted')).human_input!)).toEqual({ decision: 'reject', timeout_applied: true });
    expect(await states('expired')).toMatchObject({ completed_at: null, human_input: null });
  });
});

describe('pipeline_assignments', () => {
  it('list named people, holders of a role that are known, and nobody whom four-eyes keeps out', async () => {
    await harness.submit([
      submission('by-name', { interaction: { assignees: { users: ['bob', 'guest'] } } }),
      submission('by-role', { interaction: { exclude: ['carol'] } }),
      submission('by-both', { interaction: { assignees: { users: ['bob'], roles: ['reviewer'] } } }),
    ]);
    const of = async (id: string) => (await sql<{ user_id: string; role: string }[]>`select user_id, role from seed.pipeline_assignments where interaction_id = ${id} order by user_id`).map((row) => `${row.user_id} ${row.role}`);
    expect(await of('by-name')).toEqual(['bob reviewer', 'guest reviewer']);
    expect(await of('by-role')).toEqual(['alice reviewer', 'bob reviewer']);
    expect(await of('by-both')).toEqual(['alice reviewer', 'bob reviewer', 'carol reviewer']);
    const ids = await sql<{ id: bigint }[]>`select id from seed.pipeline_assignments`;
    expect(new Set(ids.map((row) => row.id)).size).toBe(ids.length);
    const again = await sql<{ id: bigint }[]>`select id from seed.pipeline_assignments`;
    expect(new Set(again.map((row) => row.id))).toEqual(new Set(ids.map((row) => row.id)));
  });
});

describe('multi_approvals', () => {
  it('have a row for everyone who is asked', async () => {
    const interaction = { pattern: 'approval' as const, assignees: { users: ['alice', 'bob', 'carol'] }, quorum: 'majority' as const };
    await harness.submit([submission('together', { interaction })]);
    expect(await approvals('together')).toEqual(['alice', 'bob', 'carol'].map((approver_id) => ({ approver_id, decision: 'pending', comments: null, decided_at: null })));
    await respond('together', 'alice', { decision: 'reject', comments: 'no\u0000 "C:\\temp" \ud800' });
    await respond('together', 'bob', { decision: 'approve' });
    const [alice, bob, carol] = await approvals('together');
    // What Postgres cannot hold as a character stands there as its escape.
    expect(alice).toMatchObject({ decision: 'reject', comments: 'no\\u0000 "C:\\temp" \\ud800' });
    expect(bob).toMatchObject({ decision: 'approve', comments: null });
    expect(bob!.decided_at).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/);
    expect(carol).toMatchObject({ decision: 'pending' });
    expect(await http.post('/hitl/escalations/together/revise', { prompt: 'again' }, keys['producer']!)).toMatchObject({ status: 200 });
    expect((await approvals('together')).map((row) => row.decision)).toEqual(['pending', 'pending', 'pending']);
  });

  it('know where one answer is enough', async () => {
    await harness.submit([submission('single', { interaction: { assignees: { users: ['alice', 'bob'] } } })]);
    expect(await approvals('single')).toEqual([]);
  });
});

describe('namespaces', () => {
  it('are chosen by the setting, and default', async () => {
    await harness.submit([submission('ours'), submission('theirs', { namespace: 'team-a' })]);
    const seen = (namespace: string | null) => sql.begin(async (tx) => {
      if (namespace !== null) await tx`select set_config('umpire.namespace', ${namespace}, true)`;
      return (await tx<{ interaction_id: string }[]>`select interaction_id from seed.pipeline_states where interaction_id in ('ours', 'theirs')`).map((row) => row.interaction_id);
    });
    expect(await seen(null)).toEqual(['ours']);
    expect(await seen('default')).toEqual(['ours']);
    expect(await seen('team-a')).toEqual(['theirs']);
    expect(await seen('team-b')).toEqual([]);
  });
});
