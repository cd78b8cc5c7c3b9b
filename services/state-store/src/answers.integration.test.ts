import { idToken } from '@umpire/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client, type Client } from './test/http.ts';
import { startHarness, submission, type Harness } from './test/store-harness.ts';

let harness: Harness;
let http: Client;
const keys: Record<string, string> = {};

beforeAll(async () => {
  harness = await startHarness();
  http = client((await harness.startStore()).origin);
  for (const person of ['alice', 'bob', 'carol']) keys[person] = await harness.key(['reviewer'], person);
  keys['admin'] = await harness.key(['admin']);
  keys['producer'] = await harness.key(['producer']);
});
afterAll(() => harness.stop());

const bulk = (items: object[], who = 'alice') => http.post('/hitl/bulk/respond', { items }, keys[who]!);
const approve = (interaction_id: string, more: object = {}) => ({ interaction_id, user_input: { decision: 'approve' }, ...more });

describe('POST /hitl/bulk/respond', () => {
  it('gives each item its own result, in order, whatever becomes of the others', async () => {
    await harness.submit([
      submission('bulk-1'),
      submission('bulk-excluded', { interaction: { exclude: ['alice'] } }),
      submission('bulk-settled'),
      submission('bulk-vote', { interaction: { assignees: { users: ['alice', 'bob'] }, quorum: 'all' } }),
      submission('bulk-other', { interaction: { assignees: { users: ['bob'] } } }),
      submission('bulk-elsewhere', { namespace: 'team-a' }),
    ]);
    await http.post('/hitl/respond', { interaction_id: 'bulk-settled', user_input: { decision: 'reject' } }, keys['bob']!);
    const reply = await bulk([
      approve('bulk-1'), approve('bulk-excluded'), approve('bulk-settled'), approve('bulk-vote'), approve('bulk-other'), approve('bulk-elsewhere'),
      approve('nowhere'), { interaction_id: 'bulk-1', user_input: { decision: 'maybe' } }, approve('bulk-1'), approve('bulk-vote', { user_id: 'bob' }),
      { interaction_id: 'bulk-vote', user_input: { decision: 'approve', feedback: 'x'.repeat(70_000) } },
    ]);
    expect(reply.status).toBe(200);
    expect(reply.body.items.map((item: any) => [item.interaction_id, item.status, item.result?.state ?? item.problem.code])).toEqual([
      ['bulk-1', 200, 'completed'],
      ['bulk-excluded', 403, 'four_eyes'],
      ['bulk-settled', 409, 'already_settled'],
      ['bulk-vote', 200, 'pending'],
      ['bulk-other', 403, 'not_eligible'],
      ['bulk-elsewhere', 404, 'not_found'],
      ['nowhere', 404, 'not_found'],
      // The second answer to an escalation sees what the first one did.
      ['bulk-1', 409, 'already_settled'],
      ['bulk-1', 200, 'completed'],
      ['bulk-vote', 403, 'forbidden'],
      ['bulk-vote', 413, 'too_large'],
    ]);
    expect(reply.body).toMatchObject({ accepted: 3, refused: 8 });
    expect(reply.body.items[2].problem).toMatchObject({ status: 409, outcome: { verdict: 'reject', decided_by: ['bob'] } });
    expect(reply.body.items[0].result).toEqual((await http.post('/hitl/respond', approve('bulk-1'), keys['alice']!)).body);
  });

  it('takes a hundred at once, and no more', async () => {
    const ids = Array.from({ length: 100 }, (_, index) => `hundred-${index}`);
    await harness.submit(ids.map((id) => submission(id)));
    const reply = await bulk(ids.map((id) => approve(id)));
    expect(reply.body).toMatchObject({ accepted: 100, refused: 0 });
    expect(reply.body.items.map((item: { interaction_id: string }) => item.interaction_id)).toEqual(ids);
    const [row] = await harness.database.sql`select count(*)::int as settled from store.escalations where request_id like 'hundred-%' and status = 'completed' and seq = 3`;
    expect(row!['settled']).toBe(100);
    expect((await bulk([...ids, 'one-more'].map((id) => approve(id)))).body.errors[0].path).toBe('items');
    expect((await bulk([])).status).toBe(422);
    expect((await bulk([{ interaction_id: 'x' }])).body.errors[0].path).toBe('items[0].user_input');
    expect((await bulk([approve('x')], 'producer')).status).toBe(403);
    expect((await bulk([approve('x')], 'admin')).status).toBe(403);
  });
});

describe('GET …/explain', () => {
  const explain = (id: string, who = 'alice') => http.get(`/hitl/escalations/~${idToken(id)}/explain`, keys[who]!);

  it('tells why it is pending, who can decide, and what fires next', async () => {
    await harness.submit([submission('why', { interaction: { assignees: { users: ['alice', 'bob', 'carol'] }, quorum: 'majority', exclude: ['carol'], reminders: [600], veto: ['bob'] } })]);
    await http.post('/hitl/respond', approve('why'), keys['alice']!);
    const { body, headers } = await explain('why');
    expect(headers.get('etag')).toBe('"2"');
    expect(body).toMatchObject({
      interaction_id: 'why', seq: 2, state: 'pending', policy: null, excluded: ['carol'], can_decide: { users: ['bob'], roles: [] },
      quorum: { rule: 'majority', electorate: 2, tally: { approve: 1 } }, votes: [{ user_id: 'alice', verdict: 'approve', counts: true }],
      veto: { holders: ['bob'], waiting_for: ['bob'] }, next: { kind: 'reminder' }, outcome: null,
    });
    expect(body.why).toContain('bob');
    expect(Date.parse(body.next.due_at)).toBeLessThan(Date.parse(body.deadline));
    expect(Date.parse(body.as_of)).toBeLessThan(Date.parse(body.next.due_at));
    await http.post('/hitl/respond', { interaction_id: 'why', user_input: { decision: 'reject' } }, keys['bob']!);
    expect((await explain('why', 'producer')).body).toMatchObject({ state: 'completed', next: null, can_decide: { users: [] }, outcome: { verdict: 'reject' } });
  });

  it('names the policy and version that shaped it', async () => {
    const shaped = submission('shaped');
    if (shaped.item.type === 'cancel') throw new Error('not a submission');
    shaped.item.policy = { id: 'senior-reviewers', version: 3 };
    await harness.submit([shaped]);
    expect((await explain('shaped')).body.policy).toEqual({ id: 'senior-reviewers', version: 3 });
    expect((await http.get('/hitl/escalations?policy=senior-reviewers', keys['admin']!)).body.items.map((item: { interaction_id: string }) => item.interaction_id)).toEqual(['shaped']);
  });

  it('is for those who may read it', async () => {
    await harness.submit([submission('private', { interaction: { assignees: { users: ['alice'] } } })]);
    expect((await explain('private', 'bob')).status).toBe(403);
    expect((await explain('unknown')).status).toBe(404);
  });
});

describe('the deprecated HumanReviewDecision', () => {
  const decision = (task_id: string, more: object = {}) => ({ task_id, reviewer_id: 'alice', decision_value: 'approve', confidence: 0.9, rationale: 'both are right', feedback: 'fine', ...more });
  const post = (body: object, who = 'alice') => http.post('/hitl/respond', body, keys[who]!);

  it('answers the task\'s only pending escalation, and says that it is deprecated', async () => {
    await harness.submit([submission('old-1', { task_id: 'task/old 1' }), submission('old-elsewhere', { task_id: 'task/old 1', namespace: 'team-a' })]);
    const reply = await post(decision('task/old 1'));
    expect(reply).toMatchObject({ status: 200, body: { status: 'accepted', interaction_id: 'old-1', state: 'completed', outcome: { verdict: 'approve', decided_by: ['alice'] } } });
    expect(reply.headers.get('deprecation')).toMatch(/^@\d+$/);
    expect(reply.headers.get('link')).toContain('rel="deprecation"');
    expect(reply.body.outcome.response).toEqual({ decision: 'approve', feedback: 'fine' });
    expect((await post(decision('task/old 1'))).body).toEqual(reply.body);
    const late = await post({ ...decision('task/old 1'), reviewer_id: 'bob' }, 'bob');
    expect(late).toMatchObject({ status: 409, body: { code: 'already_settled', outcome: { decided_by: ['alice'] } } });
    expect(late.headers.get('deprecation')).not.toBeNull();
  });

  it('is a conflict where none or several are pending', async () => {
    await harness.submit([submission('old-2a', { task_id: 'task-2' }), submission('old-2b', { task_id: 'task-2' })]);
    expect(await post(decision('task-2'))).toMatchObject({ status: 409, body: { code: 'conflict', interaction_ids: expect.arrayContaining(['old-2a', 'old-2b']) } });
    expect(await post(decision('task-none'))).toMatchObject({ status: 409, body: { code: 'conflict' } });
    await http.post('/hitl/respond', approve('old-2a'), keys['bob']!);
    expect((await post(decision('task-2'))).body.interaction_id).toBe('old-2b');
  });

  it('takes identity from the credential, and the verdict into the form\'s own field', async () => {
    await harness.submit([
      submission('old-3', { task_id: 'task-3' }),
      submission('old-4', { task_id: 'task-4', interaction: { verdict_field: 'ruling', ui_schema: { fields: [{ name: 'ruling', type: 'radio', options: ['uphold', 'overturn'], required: true }] }, approving: ['uphold'] } }),
    ]);
    expect((await post(decision('task-3', { reviewer_id: 'bob' }))).status).toBe(403);
    expect((await post(decision('task-3', { decision_value: undefined }))).body.errors[0].path).toBe('decision_value');
    expect((await post(decision('task-3', { decision_value: 'maybe' }))).body).toMatchObject({ code: 'invalid', errors: [{ path: 'user_input.decision', code: 'option' }] });
    expect((await post(decision('task-4', { decision_value: 'overturn' }))).body.outcome).toMatchObject({ verdict: 'overturn', response: { ruling: 'overturn' } });
    const wrong = await http.post('/hitl/respond', { user_input: {} }, keys['alice']!);
    expect(wrong.status).toBe(422);
    expect(wrong.body.errors[0].path).toBe('interaction_id');
    expect(wrong.headers.get('deprecation')).toBeNull();
  });
});
