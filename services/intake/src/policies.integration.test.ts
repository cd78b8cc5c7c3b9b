import { eventually } from '@umpire/testing';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../test/http.ts';
import { bytes, hitlRequest, pipelinePayload } from '../test/samples.ts';
import { post, Producer, Stack, type Reply, type Running } from '../test/stack.ts';

let stack: Stack;
let store: Running;
let intake: Running;
let other: Running;
let admin: string;
let producer: string;

beforeAll(async () => {
  stack = await Stack.start();
  store = await stack.startStore();
  [intake, other] = await Promise.all([stack.startIntake({ UMPIRE_VERDICT_WAIT_MS: '20000' }), stack.startIntake({ UMPIRE_VERDICT_WAIT_MS: '20000' })]);
  [admin, producer] = await Promise.all([stack.key(['admin']), stack.key(['producer'])]);
});
afterAll(() => stack.stop());

const ask = (method: string, path: string, body?: unknown, type?: string): Promise<Reply> => call(intake.origin, admin, method, path, body, type);
const sample = (file: string) => readFileSync(new URL(`../samples/${file}`, import.meta.url), 'utf8');
/** Changes policies, and waits until both replicas know: either may read the next message. */
async function change(method: string, path: string, body?: unknown, type?: string): Promise<Reply> {
  const reply = await ask(method, path, body, type);
  const known = async ({ origin }: Running) => JSON.stringify((await call(origin, admin, 'POST', '/policies/simulate', hitlRequest())).body['policies']);
  await eventually('both replicas know', async () => (await known(intake)) === (await known(other)), 3_000);
  return reply;
}

const errorPaths = (reply: Reply) => (reply.body['errors'] as { path: string }[]).map((error) => error.path).sort();

let count = 0;
/** Sends an escalation and reads back what the store made of it. */
async function sent(change: Record<string, unknown>, origin = intake.origin) {
  const request_id = `policy-${(count += 1)}`;
  expect(await post(origin, producer, bytes(hitlRequest({ request_id, ...change })))).toMatchObject({ status: 202, body: { status: 'stored' } });
  const explained = await call(store.origin, admin, 'GET', `/hitl/escalations/${request_id}/explain`);
  const row = await stack.database.sql<{ state: Buffer }[]>`select state from store.escalations where request_id = ${request_id}`;
  return { policy: explained.body['policy'], roles: (explained.body['can_decide'] as { roles: string[] }).roles, rules: (JSON.parse(row[0]!.state.toString()) as { rules: Record<string, unknown> }).rules };
}

describe('a policy', () => {
  it('shapes what it takes, by version, on every replica', async () => {
    expect((await sent({})).policy).toBeNull();
    const applied = await change('POST', '/policies', sample('senior-reviewers.yaml'), 'application/yaml');
    expect(applied).toMatchObject({ status: 201, body: { id: 'senior-reviewers', version: 1, enabled: true, priority: 200, document: { same_task: 'supersede' } } });
    const metadata = { disagreement_areas: ['primary_decision'], confidence_spread: 0.5 };
    const first = await sent({ metadata });
    expect(first).toMatchObject({ policy: { id: 'senior-reviewers', version: 1 }, roles: ['senior-reviewer'], rules: { priority: 'high', timeout_seconds: 14_400, reminders: [3600, 900] } });
    expect(await change('POST', '/policies', sample('senior-reviewers.yaml').replace('[senior-reviewer]', '[chief]'), 'text/yaml')).toMatchObject({ status: 201, body: { version: 2 } });
    expect(await sent({ metadata })).toMatchObject({ policy: { id: 'senior-reviewers', version: 2 }, roles: ['chief'] });
    expect(await ask('GET', '/policies/senior-reviewers/versions')).toMatchObject({ body: { items: [{ version: 2, active: true }, { version: 1, active: false }], next: null } });
    expect(await change('POST', '/policies/senior-reviewers/versions/1/activate')).toMatchObject({ status: 200, body: { version: 1 } });
    expect(await sent({ metadata })).toMatchObject({ policy: { id: 'senior-reviewers', version: 1 }, roles: ['senior-reviewer'] });
  });

  it('wins over the request on what it enforces, and fills the rest', async () => {
    await change('POST', '/policies', { id: 'strict', priority: 900, match: { metadata: { team: 'strict' } }, interaction: { assignees: { users: ['carol'] }, timeout_seconds: 60, priority: 'low' }, enforce: ['assignees'] });
    const request_id = 'policy-strict';
    const message = { type: 'hitl_escalation', payload: hitlRequest({ request_id, metadata: { team: 'strict' } }), interaction: { assignees: { users: ['mallory'] }, timeout_seconds: 90 } };
    expect(await post(intake.origin, producer, bytes(message))).toMatchObject({ status: 202 });
    const [row] = await stack.database.sql<{ state: Buffer }[]>`select state from store.escalations where request_id = ${request_id}`;
    expect(JSON.parse(row!.state.toString())).toMatchObject({ electorate: { users: ['carol'], roles: [] }, rules: { timeout_seconds: 90, priority: 'low' } });
  });

  it('that is the same document again makes no version', async () => {
    const document = { id: 'same', match: { task_id: 'same/*' } };
    expect(await ask('POST', '/policies', document)).toMatchObject({ status: 201, body: { version: 1 } });
    expect(await ask('POST', '/policies', { match: { task_id: 'same/*' }, id: 'same' })).toMatchObject({ status: 200, body: { version: 1 } });
    expect(await ask('POST', '/policies?dry_run=true', { ...document, priority: 5 })).toMatchObject({ status: 200, body: { id: 'same', version: 2, priority: 5 } });
    expect(await ask('GET', '/policies/same')).toMatchObject({ status: 200, body: { version: 1, priority: 0 } });
  });

  it('takes nothing while disabled or deleted, and its versions stay', async () => {
    const task = { task_id: 'off/1' };
    await change('POST', '/policies', { id: 'off', priority: 950, match: { task_id: 'off/*' } });
    expect((await sent(task)).policy).toEqual({ id: 'off', version: 1 });
    expect(await change('POST', '/policies/off/disable')).toMatchObject({ status: 200, body: { enabled: false } });
    expect((await sent(task)).policy).toBeNull();
    expect(await ask('POST', '/policies', { id: 'off', priority: 951, match: { task_id: 'off/*' } })).toMatchObject({ body: { version: 2, enabled: false } });
    expect(await change('POST', '/policies/off/enable')).toMatchObject({ body: { version: 2, enabled: true } });
    expect((await sent(task)).policy).toEqual({ id: 'off', version: 2 });
    expect((await change('DELETE', '/policies/off')).status).toBe(204);
    expect((await sent(task)).policy).toBeNull();
    expect((await ask('GET', '/policies/off')).status).toBe(404);
    expect((await ask('POST', '/policies/off/enable')).status).toBe(404);
    expect((await ask('DELETE', '/policies/off')).status).toBe(404);
    expect(await ask('GET', '/policies/off/versions/1')).toMatchObject({ status: 200, body: { version: 1, active: false, document: { priority: 950 } } });
    expect(await ask('POST', '/policies', { id: 'off', priority: 951, match: { task_id: 'off/*' } })).toMatchObject({ status: 201, body: { version: 3, enabled: true } });
    await change('DELETE', '/policies/off');
    await expect(stack.database.sql`update intake.policy_versions set document = '{}' where id = 'off'`).rejects.toThrow(/never changed/);
    await expect(stack.database.sql`delete from intake.policy_versions where id = 'off'`).rejects.toThrow(/never changed/);
  });

  it('is refused with every field at fault, and stores nothing', async () => {
    const bad = await ask('POST', '/policies', { id: 'bad', match: { when: 'metdata.x > 1', reason: 'custom_rule' }, interaction: { quorum: 'most' } });
    expect(bad).toMatchObject({ status: 422, body: { code: 'invalid' } });
    expect(errorPaths(bad)).toEqual(['interaction.quorum', 'match.reason']);
    const worse = await ask('POST', '/policies?dry_run=true', { id: 'bad', match: { when: 'metdata.x > 1' }, interaction: { quorum: 'majority' } });
    expect(errorPaths(worse)).toEqual(['interaction.quorum', 'match.when']);
    expect(await ask('POST', '/policies', 'id: bad\n  - x: [', 'application/yaml')).toMatchObject({ status: 422, body: { errors: expect.arrayContaining([{ path: '', code: 'invalid_yaml', message: expect.stringMatching(/line 2/) }]) } });
    expect(await ask('POST', '/policies', '{"id":', 'application/json')).toMatchObject({ status: 400, body: { code: 'malformed_json' } });
    expect((await ask('POST', '/policies', 'id=bad', 'text/plain')).status).toBe(415);
    expect((await ask('POST', '/policies/simulate', 'id: bad', 'application/yaml')).status).toBe(415);
    expect((await ask('GET', '/policies/bad')).status).toBe(404);
  });

  it('is its namespace’s own, and an admin’s', async () => {
    const [stranger, reviewer] = await Promise.all([stack.key(['admin'], 'team-a'), stack.key(['reviewer'], 'default', 'bob')]);
    await ask('POST', '/policies', { id: 'mine', priority: -5 });
    expect((await call(intake.origin, stranger, 'GET', '/policies')).body).toEqual({ items: [], next: null });
    expect((await call(intake.origin, stranger, 'GET', '/policies/mine')).status).toBe(404);
    expect((await call(intake.origin, stranger, 'DELETE', '/policies/mine')).status).toBe(404);
    expect((await call(intake.origin, stranger, 'POST', '/policies/simulate', hitlRequest())).body).toMatchObject({ policy: null, policies: [] });
    for (const key of [reviewer, producer]) expect((await call(intake.origin, key, 'GET', '/policies')).status).toBe(403);
    expect((await call(intake.origin, stranger, 'POST', '/policies', { id: 'mine' })).body).toMatchObject({ version: 1 });
    const page = await ask('GET', '/policies?limit=1');
    const rest = await ask('GET', `/policies?after=${String(page.body['next'])}`);
    const ids = [page, rest].flatMap((reply) => (reply.body['items'] as { id: string }[]).map((one) => one.id));
    expect(ids).toEqual(ids.toSorted());
    expect(ids).toContain('mine');
    await ask('DELETE', '/policies/mine');
  });
});

describe('a task that is evaluated again', () => {
  it('is superseded or kept as the policy that takes it says', async () => {
    await change('POST', '/policies', { id: 'anew', priority: 800, match: { task_id: 'anew/*' }, same_task: 'supersede' });
    const evaluation = (request_id: string, task_id: string) => post(intake.origin, producer, bytes(hitlRequest({ request_id, task_id, metadata: {} })));
    for (const id of ['anew-1', 'anew-2']) expect(await evaluation(id, 'anew/7')).toMatchObject({ body: { status: 'stored' } });
    const explained = async (id: string) => (await call(store.origin, admin, 'GET', `/hitl/escalations/${id}/explain`)).body;
    expect(await explained('anew-1')).toMatchObject({ state: 'cancelled', outcome: { superseded_by: 'anew-2' } });
    expect(await explained('anew-2')).toMatchObject({ state: 'pending', policy: { id: 'anew' }, same_task: { mode: 'supersede', earlier: ['anew-1'] } });
    // What the column holds only in part is not compared.
    for (const end of ['a', 'b']) await evaluation(`anew-long-${end}`, `anew/${'x'.repeat(600)}${end}`);
    expect(await explained('anew-long-a')).toMatchObject({ state: 'pending', same_task: null });
    await change('POST', '/policies', { id: 'anew', priority: 800, match: { task_id: 'anew/*' }, same_task: 'keep' });
    await evaluation('anew-3', 'anew/7');
    expect(await explained('anew-2')).toMatchObject({ state: 'pending' });
    expect(await explained('anew-3')).toMatchObject({ same_task: { mode: 'keep', earlier: ['anew-2'] } });
    await change('DELETE', '/policies/anew');
  });
});

describe('changes made at once', () => {
  it('become versions one after the other, and the last is in force everywhere', async () => {
    const priorities = Array.from({ length: 20 }, (_, index) => index);
    const replies = await Promise.all(priorities.map((priority) => call(priority % 2 ? intake.origin : other.origin, admin, 'POST', '/policies', { id: 'raced', priority, match: { task_id: 'raced' } })));
    expect(replies.map((reply) => reply.status)).toEqual(priorities.map(() => 201));
    expect(replies.map((reply) => reply.body['version']).sort((a, b) => Number(a) - Number(b))).toEqual(priorities.map((index) => index + 1));
    const { items } = (await ask('GET', '/policies/raced/versions')).body as { items: { version: number; priority: number; active: boolean }[] };
    expect(items.map((one) => one.version)).toEqual(priorities.map((index) => 20 - index));
    expect(items.filter((one) => one.active)).toEqual([items[0]]);
    const wanted = { id: 'raced', version: 20 };
    for (const { origin } of [intake, other]) {
      await eventually('the last one is asked', async () => {
        const { body } = await call(origin, admin, 'POST', '/policies/simulate', hitlRequest({ task_id: 'raced', metadata: {} }));
        return JSON.stringify(body['policy']) === JSON.stringify(wanted);
      }, 3_000);
    }
    await ask('DELETE', '/policies/raced');
  });
});

describe('a simulation', () => {
  it('says which policy would take a message, which rules come of it, and why the others did not', async () => {
    await ask('POST', '/policies', sample('confidence-specialists.yaml'), 'application/yaml');
    await ask('POST', '/policies', sample('payments-four-eyes.json'));
    const before = await stack.database.sql`select count(*)::int as count from store.escalations`;
    const { status, body } = await ask('POST', '/policies/simulate', { type: 'hitl_escalation', payload: hitlRequest({ metadata: { disagreement_areas: [], confidence_spread: 0.4 } }), interaction: { priority: 'critical' } });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      kind: 'escalation', reason: 'hard_disagreement', policy: { id: 'confidence-specialists', version: 1 }, same_task: 'supersede', errors: [],
      rules: { priority: 'critical', timeout_seconds: 28_800, assignees: { roles: ['confidence-specialist'] } },
    });
    const told = Object.fromEntries((body['policies'] as { id: string; failed: { path: string; message: string } | null }[]).map(({ id, failed }) => [id, failed?.path ?? null]));
    expect(told).toMatchObject({ 'confidence-specialists': null, 'payments-four-eyes': 'match.kind', 'senior-reviewers': 'match.when', strict: 'match.metadata.team', same: 'match.task_id' });
    expect(await stack.database.sql`select count(*)::int as count from store.escalations`).toEqual(before);
  });

  it('takes a pipeline’s interaction, with numbers that no double holds', async () => {
    const text = JSON.stringify({ type: 'hitl_interaction', payload: pipelinePayload({ pipeline_name: 'payouts', data: { amount: 20_000, account: 'BIG' }, metadata: { team: 'treasury' } }) }).replace('"BIG"', '9007199254740993');
    expect((await ask('POST', '/policies/simulate', text)).body).toMatchObject({ kind: 'interaction', reason: 'custom_rule', policy: { id: 'payments-four-eyes' }, rules: { quorum: { at_least: 2 }, pattern: 'approval' } });
  });

  it('says what would be refused, and whether a policy had a part in it', async () => {
    const invalid = await ask('POST', '/policies/simulate', hitlRequest({ alignment_score: 7 }));
    expect(invalid).toMatchObject({ status: 422, body: { errors: [{ path: 'alignment_score' }] } });
    expect(await ask('POST', '/policies/simulate', '{"type":')).toMatchObject({ status: 400, body: { code: 'malformed_json' } });
    expect((await ask('POST', '/policies/simulate', { type: 'hitl_cancel', payload: { request_id: 'x' } })).status).toBe(422);
    const clash = { type: 'hitl_interaction', payload: pipelinePayload({ pipeline_name: 'payouts', data: { amount: 20_000 }, metadata: { team: 'payments' } }), interaction: { veto: ['dave'], exclude: ['dave'], revises: 'a\u0000b' } };
    expect((await ask('POST', '/policies/simulate', clash)).status).toBe(422);
    const reply = await ask('POST', '/policies/simulate', { ...clash, interaction: { levels: [{ after_seconds: 60, assignees: { users: [] } }] } });
    expect(reply).toMatchObject({ status: 200, body: { policy: { id: 'payments-four-eyes' }, rules: null, errors: [{ path: 'interaction.levels[0].assignees' }] } });
    const disabled = await ask('POST', '/policies/payments-four-eyes/disable');
    expect(disabled.status).toBe(200);
    const after = await ask('POST', '/policies/simulate', clash && { ...clash, interaction: undefined });
    expect(after.body['policy']).toBeNull();
    expect(after.body['policies']).toContainEqual(expect.objectContaining({ id: 'payments-four-eyes', failed: { path: 'enabled', message: 'the policy is disabled' } }));
  });
});

describe('intake', () => {
  it('reads the policies before any message, and goes on with them while Postgres is away', async () => {
    const letGo = await stack.hold('intake.policy_revision');
    const late = await stack.startUnreadyIntake();
    expect(await post(late.origin, producer, bytes(hitlRequest({ request_id: 'early' })))).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect((await fetch(`${late.origin}/readyz`)).status).toBe(503);
    expect((await sent({ metadata: { disagreement_areas: ['primary_decision'] } }, intake.origin)).policy).toMatchObject({ id: 'senior-reviewers' });
    await letGo();
    await eventually('it is ready', async () => (await fetch(`${late.origin}/readyz`)).status === 200);
    expect((await sent({ metadata: { disagreement_areas: ['primary_decision'] } }, late.origin)).policy).toMatchObject({ id: 'senior-reviewers' });
    await late.stop();
  });

  it('gives up an expression that costs too much on a message, and takes the message', async () => {
    await change('POST', '/policies', { id: 'dear', priority: 999, match: { task_id: 'dear', when: 'metadata.many.all(a, metadata.many.all(b, a + b >= 0))' } });
    const metadata = { many: Array.from({ length: 5_000 }, (_, index) => index) };
    expect((await sent({ task_id: 'dear', metadata })).policy).toBeNull();
    expect((await sent({ task_id: 'dear', metadata: { many: [1, 2, 3] } })).policy).toEqual({ id: 'dear', version: 1 });
    expect(await (await fetch(`${intake.origin}/metrics`)).text()).toMatch(/umpire_intake_policy_exceeded_total\{namespace="default",policy="dear"\} [1-9]/);
    await ask('DELETE', '/policies/dear');
  });
});

/** What the upstream framework really writes; not part of the repository. */
const upstream = new URL('../../../../shared/data/hitl-requests.jsonl', import.meta.url);

describe.skipIf(!existsSync(upstream))('what the upstream framework writes', () => {
  it('reaches senior reviewers and confidence specialists over JetStream', async () => {
    const jetstream = new Producer(await stack.nats.producer());
    const lines = readFileSync(upstream, 'utf8').trimEnd().split('\n').slice(0, 60);
    for (const line of lines) {
      const { escalation_reason, request_id, metadata } = JSON.parse(line) as { escalation_reason: string; request_id: string; metadata: { disagreement_areas: string[]; confidence_spread: number } };
      expect(await jetstream.ask(`review.${escalation_reason}`, bytes(line))).toMatchObject({ status: 'stored' });
      const [row] = await stack.database.sql<{ policy: string | null }[]>`select policy from store.escalations where request_id = ${request_id}`;
      const wanted = metadata.disagreement_areas.includes('primary_decision') ? 'senior-reviewers' : metadata.confidence_spread > 0.3 ? 'confidence-specialists' : null;
      expect(row?.policy ?? null).toBe(wanted);
    }
  });
});
