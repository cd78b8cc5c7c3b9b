import { jetstreamManager } from '@nats-io/jetstream';
import { parseHitlRequest, UmpireError, type Outcome } from '@umpire/contract';
import { everyItem, UmpireClient, verifyWebhook, type SettledOutcome } from '@umpire/client';
import { natsOptionsFrom, UmpireNats } from '@umpire/client/nats';
import { eventually, signal } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CuttableLine } from './client-proxy.ts';
import { hitlRequest } from './messages.ts';
import { operatorConnection } from './operator.ts';
import { Receiver } from './receiver.ts';
import { Stack } from './stack.ts';

let stack: Stack;
let producer: UmpireClient;
let alice: UmpireClient;
let bob: UmpireClient;
let admin: UmpireClient;
let nats: UmpireNats;

beforeAll(async () => {
  stack = await Stack.start('all', { default: ['main', 'second'], 'team-b': [] });
  const { keys } = stack.connection;
  const client = (key: string) => new UmpireClient({ url: stack.origin, key });
  [producer, admin, alice, bob] = [client(keys.producer), client(keys.admin), client(keys.reviewers.alice), client(keys.reviewers.bob)];
  nats = await UmpireNats.connect(natsOptionsFrom(stack.connection));
});
afterAll(async () => {
  await nats.close();
  await stack.stop();
});

const failure = async (call: Promise<unknown>): Promise<UmpireError> => {
  const error = await call.then(() => null, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UmpireError);
  return error as UmpireError;
};
const question = (interaction_id: string, more: object = {}) => ({
  interaction_id, pipeline_name: 'loans', step_name: 'check', data: { amount: 5 }, interaction: { pattern: 'approval' as const, assignees: { users: ['alice'] } }, ...more,
});
const approve = (id: string, client = alice) => client.respond(id, { decision: 'approve' });
/** A question under way to the store over NATS is there when somebody sees it. */
const arrived = (id: string) => eventually(`the escalation ${id}`, () => producer.findStatus(id));

describe.each(['HTTP', 'NATS'] as const)('a pipeline over %s', (way) => {
  const client = () => (way === 'HTTP' ? producer : nats);
  const id = (name: string) => `${way}/${name} Ø`;

  it('knows its namespace', async () => {
    expect(await client().namespace()).toBe('default');
  });

  it('hands over a HITLRequest as value, document or text, and knows repeats', async () => {
    const text = hitlRequest(id('value'));
    const parsed = parseHitlRequest(text);
    if (!parsed.ok) throw new Error('the sample is not valid');
    expect(await client().escalate(parsed.document)).toEqual({ request_id: id('value'), status: 'stored', duplicate: false });
    expect(await client().escalate(text)).toEqual({ request_id: id('value'), status: 'stored', duplicate: true });
    // Numbers beyond a double would be other content: the value is of another question.
    expect(await client().escalate({ ...parsed.document.request, request_id: id('plain') }, { interaction: { priority: 'high' } })).toMatchObject({ status: 'stored', duplicate: false });
    expect(await alice.get(id('plain'))).toMatchObject({ priority: 'high', kind: 'escalation', status: 'pending' });
  });

  it('is refused with every field at fault, and with the same code', async () => {
    const bad = await failure(client().escalate(hitlRequest(id('bad')).replace('"confidence":0.90', '"confidence":1.5').replace('"alignment_score":0.30', '"alignment_score":"x"')));
    expect([bad.code, bad.errors.map((error) => error.path).sort()]).toEqual(['invalid', ['payload.agent_decisions[0].confidence', 'payload.alignment_score']]);
    await client().interact(question(id('twice')));
    expect((await failure(client().interact(question(id('twice'), { data: { amount: 6 } })))).code).toBe('id_conflict');
    expect((await failure(client().interact(question(id('rules'), { interaction: { on_timeout: 'default' } })))).errors[0]!.path).toBe('interaction.default_action');
  });

  it('hears of the outcome, whether it comes while it waits or came before', async () => {
    await client().interact(question(id('outcome')));
    const waiting = client().waitForOutcome<{ amount: number }>(id('outcome'), { timeoutMs: 30_000 });
    const answered = approve(id('outcome'));
    const outcome = await waiting;
    expect(outcome).toMatchObject({ verdict: 'approve', source: 'human', decided_by: ['alice'], data: { amount: 5 }, merged: { amount: 5, decision: 'approve' }, pipeline_name: 'loans', step_name: 'check' });
    expect(outcome.id).toBe((await answered).outcome!.id);
    expect(await client().waitForOutcome(id('outcome'), { timeoutMs: 5_000 })).toEqual(outcome);
  });

  it('stops waiting when it is told to, when its time is over, and when nobody knows the id', async () => {
    await client().interact(question(id('patience')));
    expect((await failure(client().waitForOutcome(id('patience'), { timeoutMs: 100 }))).code).toBe('timeout');
    const abort = new AbortController();
    const waiting = client().waitForOutcome(id('patience'), { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect((await failure(client().waitForOutcome(id('nobody'), { unknownMs: 0 }))).code).toBe('not_found');
    expect(await client().findStatus(id('nobody'))).toBeNull();
    expect(await client().findStatus(id('patience'))).toMatchObject({ status: 'pending', revision: 1 });
  });

  it('takes questions back: pending, not yet there, and too late', async () => {
    await client().interact(question(id('cancel')));
    expect(await client().cancel(id('cancel'), { detail: 'solved' })).toEqual({ request_id: id('cancel'), status: 'cancelled', ...(way === 'HTTP' ? { duplicate: false } : {}) });
    expect(await client().waitForOutcome(id('cancel'))).toMatchObject({ state: 'cancelled', verdict: null, source: 'cancel', detail: 'solved' });
    expect(await client().cancel(id('early'))).toMatchObject({ status: 'tombstoned' });
    await client().interact(question(id('early')));
    expect(await client().waitForOutcome(id('early'))).toMatchObject({ state: 'cancelled' });
    await client().interact(question(id('late')));
    await approve(id('late'));
    const late = await failure(client().cancel(id('late')));
    expect([late.code, (late.extra['outcome'] as Outcome).verdict]).toEqual(['already_settled', 'approve']);
  });

  it('refuses to send what is too large', async () => {
    expect((await failure(client().interact(question(id('large'), { data: { x: 'x'.repeat(256 * 1024) } })))).code).toBe('too_large');
  });
});

describe('over NATS', () => {
  it('is durable without a verdict, and a repeat within the stream\'s window goes no further', async () => {
    const first = await nats.interact(question('fast'), { verdict: false });
    expect([first, await nats.interact(question('fast'), { verdict: false })]).toEqual([{ request_id: 'fast', status: 'queued' }, { request_id: 'fast', status: 'queued' }]);
    await arrived('fast');
    const { items } = await admin.timeline('fast');
    expect(items.map(({ type }) => type)).toEqual(['opened']);
  });

  it('sends more at once than it waits for', async () => {
    const ids = Array.from({ length: 200 }, (_, index) => `many-${index}`);
    await Promise.all(ids.map((one) => nats.interact(question(one), { verdict: false })));
    for (const one of ids) expect(await arrived(one)).toMatchObject({ status: 'pending' });
  });

  it('finds an outcome that came while the line was cut', async () => {
    const line = await CuttableLine.to(stack.connection.nats_url);
    const client = await UmpireNats.connect({ ...natsOptionsFrom(stack.connection), servers: `127.0.0.1:${line.port}` });
    try {
      await client.interact(question('cut'));
      const waiting = client.waitForOutcome('cut', { timeoutMs: 30_000 });
      line.down();
      await approve('cut');
      line.up();
      expect(await waiting).toMatchObject({ verdict: 'approve' });
    } finally {
      await client.close();
      await line.close();
    }
  });

  it('gives up at once when the caller does, also while the line is cut', async () => {
    const line = await CuttableLine.to(stack.connection.nats_url);
    const client = await UmpireNats.connect({ ...natsOptionsFrom(stack.connection), servers: `127.0.0.1:${line.port}` });
    line.freeze();
    const began = performance.now();
    const abort = new AbortController();
    const calls = [client.interact(question('given up'), { signal: abort.signal }), client.findStatus('given up', { signal: abort.signal }), client.waitForOutcome('given up', { signal: abort.signal })];
    abort.abort(new Error('enough'));
    expect((await Promise.allSettled(calls)).map((result) => result.status === 'rejected' && (result.reason as Error).message)).toEqual(['enough', 'enough', 'enough']);
    expect((await failure(client.interact(question('too late'), { timeoutMs: 200 }))).code).toMatch(/^(timeout|unavailable)$/);
    // Three seconds is what a single question may take, five an ack.
    expect(performance.now() - began).toBeLessThan(2_900);
    line.thaw();
    await client.close();
    await line.close();
  });

  it('tells whoever still waits that it was closed', async () => {
    const client = await UmpireNats.connect(natsOptionsFrom(stack.connection));
    await client.interact(question('closing'));
    const waiting = failure(client.waitForOutcome('closing'));
    await client.close();
    expect((await waiting).code).toBe('unavailable');
  });

  it('says what a login may not do', async () => {
    const other = await UmpireNats.connect({ ...natsOptionsFrom(stack.connection, 'team-b'), namespace: 'default' });
    expect((await failure(other.interact(question('not-mine'), { timeoutMs: 2_000 }))).code).toBe('forbidden');
    await other.close();
    expect((await failure(UmpireNats.connect({ ...natsOptionsFrom(stack.connection), pass: 'wrong' }))).code).toBe('unauthenticated');
  });
});

describe('outcomes', () => {
  it('come at least once: again after a fault, and after a time when nobody read', async () => {
    const seen: { id: string; attempt: number; outcome: SettledOutcome<{ amount: number }> }[] = [];
    const faults: unknown[] = [];
    const client = await UmpireNats.connect(natsOptionsFrom(stack.connection));
    const read = () => client.outcomes<{ amount: number }>((outcome, { attempt }) => {
      seen.push({ id: outcome.request_id, attempt, outcome });
      if (outcome.request_id === 'again' && attempt === 1) throw new Error('not now');
    }, { consumer: 'outcomes_default_second', onError: (error) => void faults.push(error) });
    let reader = read();
    await producer.interact(question('again'));
    await approve('again');
    await eventually('the outcome a second time', () => seen.some(({ id, attempt }) => id === 'again' && attempt === 2));
    expect(faults).toEqual([expect.objectContaining({ message: 'not now' })]);
    await reader.stop();
    await producer.interact(question('asleep'));
    await approve('asleep');
    reader = read();
    await eventually('the outcome of the time asleep', () => seen.some(({ id }) => id === 'asleep'));
    await reader.stop();
    await reader.stop();
    await client.close();
    const of = (id: string) => seen.filter((one) => one.id === id);
    expect(of('asleep')).toHaveLength(1);
    expect(of('asleep')[0]!.outcome).toMatchObject({ verdict: 'approve', data: { amount: 5 }, merged: { amount: 5, decision: 'approve' } });
    expect(new Set(of('again').map(({ outcome }) => outcome.id)).size).toBe(1);
  });

  it('go on after the consumer was lost and made again', async () => {
    const client = await UmpireNats.connect(natsOptionsFrom(stack.connection));
    const seen: string[] = [];
    const reader = client.outcomes(({ request_id }) => void seen.push(request_id), { consumer: 'outcomes_default_second' });
    await producer.interact(question('before-loss'));
    await approve('before-loss');
    await eventually('the outcome before', () => seen.includes('before-loss'));
    const operator = await operatorConnection(stack);
    await (await jetstreamManager(operator)).consumers.delete('HITL_OUTCOMES', 'outcomes_default_second');
    await operator.close();
    await producer.interact(question('after-loss'));
    await approve('after-loss');
    await eventually('the outcome after', () => seen.includes('after-loss'), 60_000);
    await reader.stop();
    await client.close();
  });

  it('wait for the handler, also at the end', async () => {
    const client = await UmpireNats.connect(natsOptionsFrom(stack.connection));
    const begun = signal();
    const goOn = signal();
    const done: string[] = [];
    await producer.interact(question('slow-hand'));
    await approve('slow-hand');
    const reader = client.outcomes(async ({ request_id }) => {
      if (request_id !== 'slow-hand') return;
      begun.fire();
      await goOn.promise;
      done.push(request_id);
    });
    await begun.promise;
    const stopped = reader.stop().then(() => done.push('stopped'));
    goOn.fire();
    await stopped;
    expect(done).toEqual(['slow-hand', 'stopped']);
    await client.close();
  });

  it('need a consumer that was declared', async () => {
    const client = await UmpireNats.connect(natsOptionsFrom(stack.connection, 'team-b'));
    expect(() => client.outcomes(() => undefined)).toThrow(expect.objectContaining({ code: 'not_found' }));
    await client.close();
  });
});

describe('a reviewer', () => {
  it('sees what waits, page by page, and decides it once', async () => {
    const interaction = { pattern: 'review' as const, assignees: { users: ['carol'] } };
    const carol = new UmpireClient({ url: stack.origin, key: stack.connection.keys.reviewers.carol });
    for (const one of ['page-1', 'page-2', 'page-3']) await producer.interact(question(one, { interaction }));
    const found: string[] = [];
    for await (const item of everyItem((after) => carol.pending('carol', { limit: 2, after }))) found.push(item.interaction_id);
    expect(found.filter((one) => one.startsWith('page-'))).toEqual(['page-1', 'page-2', 'page-3']);
    expect((await failure(alice.pending('carol'))).code).toBe('forbidden');
    const item = await carol.get<{ amount: number }>('page-1');
    expect([item.data.amount, item.ui_schema.fields[0]!.name]).toEqual([5, 'decision']);
    const missing = await failure(carol.respond('page-1', {}, { revision: item.revision }));
    expect([missing.code, missing.errors[0]!.path]).toEqual(['invalid', 'user_input.decision']);
    const first = await carol.respond('page-1', { decision: 'reject', feedback: 'no' }, { revision: item.revision });
    expect(first).toMatchObject({ status: 'accepted', state: 'completed', outcome: { verdict: 'reject' } });
    expect(await carol.respond('page-1', { decision: 'reject', feedback: 'no' })).toEqual(first);
    const other = await failure(carol.respond('page-1', { decision: 'approve' }));
    expect([other.code, (other.extra['outcome'] as Outcome).verdict]).toEqual(['already_settled', 'reject']);
  });

  it('looks for escalations, asks why one is pending, and answers many at once', async () => {
    const interaction = { pattern: 'approval' as const, priority: 'critical' as const, quorum: 'majority' as const, assignees: { users: ['alice', 'bob', 'carol'] } };
    for (const one of ['find-1', 'find-2']) await producer.interact(question(one, { interaction: { ...interaction, prompt: 'May the zebra cross?' } }));
    const found = await eventually('both in the list', async () => ((page) => page.items.length === 2 && page)(await alice.list({ priority: ['critical', 'high'], state: ['pending'], text: 'zebra', sort: 'deadline' })));
    expect(found.items.map((item) => item.interaction_id)).toEqual(['find-1', 'find-2']);
    const { items, next } = await admin.list({ priority: ['critical'], text: 'zebra', limit: 1 });
    expect((await admin.list({ priority: ['critical'], text: 'zebra', limit: 1, after: next! })).items.map((item) => item.interaction_id)).not.toEqual(items.map((item) => item.interaction_id));
    expect(await alice.explain('find-1')).toMatchObject({ state: 'pending', why: expect.any(String), can_decide: { users: ['alice', 'bob', 'carol'] }, next: { kind: 'deadline' } });
    const answers = [{ interaction_id: 'find-1', user_input: { decision: 'approve' } }, { interaction_id: 'find-2', user_input: {} }, { interaction_id: 'nobody', user_input: {} }];
    expect(await alice.bulkRespond(answers)).toMatchObject({
      accepted: 1, refused: 2, items: [{ status: 200, result: { state: 'pending' } }, { status: 422, problem: { code: 'invalid' } }, { status: 404, problem: { code: 'not_found' } }],
    });
    const seen = await bob.get('find-1');
    await alice.comment('find-1', 'done');
    expect((await failure(bob.respond('find-1', { decision: 'approve' }, { ifMatch: seen.seq }))).code).toBe('precondition_failed');
    expect(await bob.respond('find-1', { decision: 'approve' }, { ifMatch: seen.seq + 1 })).toMatchObject({ state: 'completed' });
  });

  it('commands: claim, release, comment, snooze, raise, reassign, delegate, by what they saw', async () => {
    await producer.interact(question('commands', { interaction: { pattern: 'review', assignees: { users: ['alice', 'bob'] } } }));
    const claimed = await alice.claim('commands', { seconds: 60, ifMatch: 1 });
    expect(claimed).toMatchObject({ claimed_by: 'alice', state: 'pending' });
    expect((await failure(approve('commands', bob))).code).toBe('claimed_by_other');
    expect((await failure(alice.release('commands', { ifMatch: 1 }))).code).toBe('precondition_failed');
    expect(await alice.release('commands', { ifMatch: claimed.seq })).toMatchObject({ claimed_by: null });
    await alice.comment('commands', 'looks odd');
    await alice.snooze('commands', { seconds: 60 });
    await alice.raise('commands', { to: { users: ['carol'] }, detail: 'needs a third pair of eyes' });
    await alice.delegate('commands', { to: 'dora', seconds: 60 });
    await bob.reassign('commands', { to: { users: ['erin'] } });
    const { items } = await admin.timeline('commands');
    expect(items.map(({ type }) => type)).toEqual(['opened', 'claimed', 'released', 'commented', 'snoozed', 'raised', 'delegated', 'reassigned']);
    expect(await admin.cancelPending('commands', { detail: 'enough' })).toMatchObject({ state: 'cancelled' });
    expect((await failure(admin.cancelPending('nobody'))).code).toBe('not_found');
  });
});

describe('a producer', () => {
  it('revises what people look at, and consumes an approval once', async () => {
    await producer.interact(question('permit', { interaction: { pattern: 'approval', assignees: { users: ['alice'] }, action_digest: 'sha256:1' } }));
    expect(await producer.revise('permit', { prompt: 'Pay it out?' })).toMatchObject({ revision: 2 });
    await alice.respond('permit', { decision: 'approve' }, { revision: 2 });
    const permit = await producer.consume('permit', { consumer_id: 'agent-1', action_digest: 'sha256:1' });
    expect(permit).toMatchObject({ status: 'consumed', verdict: 'approve' });
    expect(await producer.consume('permit', { consumer_id: 'agent-1', action_digest: 'sha256:1' })).toEqual(permit);
    expect((await failure(producer.consume('permit', { consumer_id: 'agent-2', action_digest: 'sha256:1' }))).code).toBe('already_consumed');
    expect((await failure(producer.consume('permit', { consumer_id: 'agent-1', action_digest: 'sha256:2' }))).code).toBe('digest_mismatch');
  });

  it('sends any message as it is; one without an id is asked once by its key', async () => {
    const message = { type: 'hitl_interaction', payload: { pipeline_name: 'p', step_name: 's', data: {} } };
    const first = await producer.submit(message, { idempotencyKey: 'k-1' });
    expect(await producer.submit(JSON.stringify(message), { idempotencyKey: 'k-1' })).toEqual({ ...first, duplicate: true });
    expect((await producer.submit(message)).request_id).not.toBe(first.request_id);
  });
});

describe('an administrator', () => {
  it('keeps keys, groups and delegations', async () => {
    const { key, id } = await admin.identity.keys.create({ name: 'test', roles: ['reviewer'], user_id: 'frank' });
    expect(await new UmpireClient({ url: stack.origin, key }).session.who()).toMatchObject({ user_id: 'frank', namespace: 'default' });
    expect((await admin.identity.keys.list({ user_id: 'frank' })).items.map((one) => one.id)).toEqual([id]);
    expect(await admin.identity.keys.revoke(id)).toMatchObject({ revoked_by: expect.any(String) });
    expect(await admin.identity.keys.get(id)).toMatchObject({ name: 'test' });
    expect(await admin.identity.groups.create({ name: 'night shift', members: ['alice'] })).toMatchObject({ members: ['alice'] });
    await admin.identity.groups.addMember('night shift', 'b/o b');
    expect(await admin.identity.groups.get('night shift')).toMatchObject({ members: ['alice', 'b/o b'] });
    expect(await admin.identity.groups.removeMember('night shift', 'b/o b')).toMatchObject({ members: ['alice'] });
    await admin.identity.groups.put('night shift', { members: [] });
    expect((await admin.identity.groups.list()).items).toEqual([expect.objectContaining({ name: 'night shift', members: 0 })]);
    await admin.identity.groups.remove('night shift');
    const delegation = await bob.identity.delegations.create({ to: 'alice', seconds: 60 });
    expect((await bob.identity.delegations.list({ in_force: true })).items).toEqual([delegation]);
    expect(await bob.identity.delegations.get(delegation.id)).toEqual(delegation);
    expect(await bob.identity.delegations.revoke(delegation.id)).toMatchObject({ in_force: false });
  });

  it('keeps webhook endpoints, and a receiver verifies what they get', async () => {
    const receiver = await Receiver.register(stack);
    const [endpoint] = (await admin.webhooks.list()).items;
    await producer.interact(question('hooked'));
    const webhook = await receiver.waitFor('hooked', 'hitl_escalation_required');
    const rotated = await admin.webhooks.rotate(endpoint!.id);
    await approve('hooked');
    const resolved = await receiver.waitFor('hooked', 'hitl_escalation_resolved');
    // Signed with both secrets for a while: a receiver that knows either is served.
    expect(verifyWebhook(resolved.text, resolved.headers, rotated.secret)).toMatchObject({ event: 'hitl_escalation_resolved', outcome: { verdict: 'approve' } });
    expect(() => verifyWebhook(webhook.text, webhook.headers, rotated.secret)).toThrow(expect.objectContaining({ code: 'unauthenticated' }));
    const sent = await admin.webhooks.test(endpoint!.id);
    await eventually('the test', () => receiver.received.some(({ event }) => event === 'test'));
    const { items } = await admin.webhooks.deliveries(endpoint!.id, { limit: 10 });
    expect(items.map(({ id }) => id)).toContain(sent.delivery_id);
    expect((await admin.webhooks.attempts(sent.delivery_id)).items).toHaveLength(1);
    expect(await admin.webhooks.retry(sent.delivery_id)).toMatchObject({ id: sent.delivery_id });
    expect(await admin.webhooks.recover(endpoint!.id, { since: '2026-01-01T00:00:00Z' })).toMatchObject({ complete: true });
    expect(await admin.webhooks.update(endpoint!.id, { description: 'ours' })).toMatchObject({ description: 'ours' });
    expect(await admin.webhooks.disable(endpoint!.id)).toMatchObject({ state: 'disabled' });
    expect(await admin.webhooks.enable(endpoint!.id)).toMatchObject({ state: 'enabled' });
    await admin.webhooks.remove(endpoint!.id);
    expect((await failure(admin.webhooks.get(endpoint!.id))).code).toBe('not_found');
    expect(await admin.webhooks.putCallbacks({ allowed_hosts: ['example.com'] })).toMatchObject({ secret: expect.stringMatching(/^whsec_/) });
    expect(await admin.webhooks.callbacks()).toMatchObject({ allowed_hosts: ['example.com'] });
    expect(await admin.webhooks.rotateCallbacks()).toMatchObject({ secret: expect.stringMatching(/^whsec_/) });
    expect((await admin.webhooks.callbackOrigins()).items).toEqual([]);
    await receiver.close();
  });

  it('keeps policies', async () => {
    const policy = { id: 'zebras', match: { kind: 'interaction' as const, when: 'data.animal == "zebra"' }, interaction: { priority: 'high' as const, assignees: { users: ['bob'] } } };
    expect(await admin.policies.check(policy)).toMatchObject({ id: 'zebras', version: 1 });
    const applied = await admin.policies.apply(policy);
    expect(await admin.policies.apply('id: zebras\nmatch: {kind: interaction, when: "data.animal == \\"zebra\\""}\ninteraction: {priority: high, assignees: {users: [bob]}}\n', { format: 'yaml' })).toEqual(applied);
    const message = { type: 'hitl_interaction', payload: { interaction_id: 'zebra', pipeline_name: 'p', step_name: 's', data: { animal: 'zebra' } } };
    expect(await admin.policies.simulate(message)).toMatchObject({ policy: { id: 'zebras', version: 1 }, rules: { priority: 'high' } });
    await producer.submit(message);
    expect(await bob.get('zebra')).toMatchObject({ priority: 'high', policy: { id: 'zebras', version: 1 }, electorate: { users: ['bob'] } });
    const bad = await failure(admin.policies.apply({ ...policy, match: { when: 'data.' } }));
    expect([bad.code, bad.errors[0]!.path]).toEqual(['invalid', 'match.when']);
    await admin.policies.apply({ ...policy, priority: 5 });
    expect((await admin.policies.versions('zebras')).items.map(({ version }) => version)).toEqual([2, 1]);
    expect(await admin.policies.version('zebras', 1)).toMatchObject({ active: false });
    expect(await admin.policies.activate('zebras', 1)).toMatchObject({ version: 1 });
    expect(await admin.policies.disable('zebras')).toMatchObject({ enabled: false });
    expect(await admin.policies.enable('zebras')).toMatchObject({ enabled: true });
    expect((await admin.policies.list()).items.map(({ id }) => id)).toContain('zebras');
    expect(await admin.policies.get('zebras')).toMatchObject({ version: 1 });
    await admin.policies.remove('zebras');
    expect((await failure(admin.policies.get('zebras'))).code).toBe('not_found');
  });

  it('finds what was refused, and sends it again', async () => {
    await nats.interact(question('letter', { interaction: { assignees: { groups: ['letter readers'] } } }), { verdict: false });
    const letter = await eventually('the dead letter', async () => (await admin.rejected.list({ limit: 20 })).items.find((one) => atob(one.original ?? '').includes('"interaction_id":"letter"')));
    expect(letter).toMatchObject({ subject: 'hitl.default.review.custom_rule', errors: [{ path: 'interaction.assignees' }] });
    expect(await admin.rejected.get(letter.id)).toEqual(await admin.rejected.get(letter.seq));
    expect((await failure(admin.rejected.redrive(letter.id))).errors).toEqual(letter.errors);
    await admin.identity.groups.put('letter readers', { members: ['bob'] });
    expect(await admin.rejected.redrive(letter.id)).toMatchObject({ request_id: 'letter', status: 'stored' });
    expect(await bob.get('letter')).toMatchObject({ status: 'pending' });
    await admin.identity.groups.remove('letter readers');
  });

  it('looks at clocks, and anybody at the contract', async () => {
    await producer.interact(question('clock'));
    const timers = await eventually('a timer', async () => ((page) => page.pending > 0 && page)(await admin.timers.page({ kind: 'deadline', limit: 200 })));
    expect(timers.items[0]).toMatchObject({ kind: 'deadline', due_at: expect.any(String) });
    const { items } = await producer.schemas();
    expect(await producer.schema(items[0]!.name)).toHaveProperty('$schema');
    expect(await producer.asyncApi()).toHaveProperty('asyncapi');
    expect(await producer.semantics()).toHaveProperty('contract_version');
  });
});
