import { idToken, parseIdToken, rawText, readJson, member } from '@umpire/contract';
import { eventually } from '@umpire/testing';
import { createInbox, headers as natsHeaders } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hitlRequest, queueMessage, upstreamRequests } from './messages.ts';
import { readDeadLetters } from './operator.ts';
import { Receiver } from './receiver.ts';
import { Stack, topologies } from './stack.ts';

describe.each(topologies)('the whole flow, topology %s', (topology) => {
  let stack: Stack;
  let receiver: Receiver;
  let keys: Stack['connection']['keys'];

  beforeAll(async () => {
    stack = await Stack.start(topology, { default: ['main'], 'team-b': ['main'] });
    receiver = await Receiver.register(stack);
    keys = stack.connection.keys;
  });
  afterAll(async () => {
    await receiver.close();
    await stack.stop();
  });

  /** The payload's text inside a webhook, as it stands there. */
  const escalationText = (text: string) => rawText(member(readJson(text), 'escalation')!, text);

  it('carries an escalation from POST to a signed webhook, a decision, and the outcome back', async () => {
    const payload = hitlRequest('flow-1');
    const posted = await stack.post('/api/escalations', keys.producer, queueMessage(payload));
    expect([posted.status, posted.body]).toEqual([202, { request_id: 'flow-1', status: 'stored', duplicate: false }]);
    const webhook = await receiver.waitFor('flow-1', 'hitl_escalation_required');
    expect(escalationText(webhook.text)).toBe(payload);
    expect(webhook.body).toMatchObject({ seq: 1, schema_version: '1.0' });
    const pending = await stack.get('/hitl/pending/alice', keys.reviewers.alice);
    expect(pending.body.find((item: any) => item.interaction_id === 'flow-1')).toMatchObject({ status: 'pending', data: { request_id: 'flow-1' } });
    expect(pending.text).toContain(payload);
    const answered = await stack.respond('flow-1', { decision: 'approve', feedback: 'Checked the payslip' });
    expect(answered.body).toMatchObject({ status: 'accepted', message: 'Response submitted successfully', interaction_id: 'flow-1', state: 'completed' });
    const resolved = await receiver.waitFor('flow-1', 'hitl_escalation_resolved');
    expect(escalationText(resolved.text)).toBe(payload);
    expect(resolved.body.outcome).toMatchObject({ verdict: 'approve', source: 'human', decided_by: ['alice'], response: { decision: 'approve', feedback: 'Checked the payslip' } });
    const { js, nats } = await stack.producer();
    const consumer = await js.consumers.get('HITL_OUTCOMES', stack.connection.nats.producer.outcome_consumer!);
    const outcome = await eventually('the outcome', async () => {
      const message = await consumer.next({ expires: 2_000 });
      message?.ack();
      const body = message?.json<any>();
      return body?.request_id === 'flow-1' && body;
    });
    expect(outcome).toEqual(resolved.body.outcome);
    expect(resolved.id).toBe(outcome.id);
    const asked = (await nats.request('hitl.default.query.outcome', JSON.stringify({ request_id: 'flow-1' }), { timeout: 3_000 })).json<any>();
    expect(asked.outcome).toMatchObject({ id: outcome.id, data: { request_id: 'flow-1' }, merged: { decision: 'approve', task_id: 'loan/2024/17' } });
    const timeline = await stack.get('/hitl/escalations/flow-1/timeline', keys.admin);
    expect(timeline.body.items.map((event: any) => [event.seq, event.type])).toEqual([[1, 'opened'], [2, 'responded'], [3, 'resolved']]);
  });

  it('knows repeats, conflicts, faults and what is too large', async () => {
    const payload = hitlRequest('repeat-1');
    expect((await stack.post('/api/escalations', keys.producer, payload)).body).toMatchObject({ status: 'stored', duplicate: false });
    const later = payload.replace('2026-01-15T10:30:00.123456', '2026-01-15T10:31:00.5').replace('"processing_time_ms":12', '"processing_time_ms":99');
    expect((await stack.post('/api/escalations', keys.producer, later)).body).toMatchObject({ request_id: 'repeat-1', duplicate: true });
    const conflict = await stack.post('/api/escalations', keys.producer, payload.replace('Two agents', 'Three agents'));
    expect([conflict.status, conflict.body.code]).toEqual([409, 'id_conflict']);
    const bad = await stack.post('/api/escalations', keys.producer, hitlRequest('bad-1').replace('"confidence":0.90', '"confidence":1.5').replace('"dissenting_agents":["sales"]', '"dissenting_agents":["nobody"]').replace('"summary":"Two agents cannot agree on the loan"', '"summary":"  "'));
    expect([bad.status, bad.headers.get('content-type')]).toEqual([422, 'application/problem+json']);
    expect(bad.body.errors.map((error: any) => error.path).sort()).toEqual(['agent_decisions[0].confidence', 'dissenting_agents[0]', 'summary']);
    expect((await stack.get('/hitl/status/bad-1', keys.producer)).status).toBe(404);
    const large = await stack.post('/api/escalations', keys.producer, `{"x":"${'a'.repeat(257 * 1024)}"}`);
    expect([large.status, large.body.code]).toEqual([413, 'too_large']);
    expect((await stack.post('/api/escalations', keys.producer, '{"request_id":')).status).toBe(400);
    expect((await stack.post('/api/escalations', keys.reviewers.alice, payload)).status).toBe(403);
    const disagree = await stack.post('/api/escalations', keys.producer, queueMessage(hitlRequest('disagree'), 'low_confidence'));
    expect([disagree.status, disagree.body.errors[0].code]).toEqual([422, 'reason_mismatch']);
  });

  it('takes all three forms over JetStream and answers where it is asked to', async () => {
    const { nats, js } = await stack.producer();
    const submit = async (subject: string, body: string) => {
      const inbox = createInbox(stack.connection.nats.producer.inbox_prefix);
      const answers = nats.subscribe(inbox, { max: 1, timeout: 10_000 });
      const header = natsHeaders();
      header.set('Umpire-Reply-To', inbox);
      await js.publish(subject, body, { headers: header });
      for await (const message of answers) return message.json<any>();
    };
    expect(await submit('hitl.default.review.hard_disagreement', queueMessage(hitlRequest('js-1')))).toMatchObject({ request_id: 'js-1', status: 'stored' });
    expect(await submit('hitl.default.review.low_confidence', hitlRequest('js-2', 'low_confidence'))).toMatchObject({ request_id: 'js-2', status: 'stored' });
    const interaction = '{"type":"hitl_interaction","payload":{"interaction_id":"js-3","pipeline_name":"loans","step_name":"check","data":{"amount":12345678901234567890,"rate":1.50}},"interaction":{"pattern":"approval","assignees":{"users":["alice","bob"]},"quorum":"all"}}';
    expect(await submit('hitl.default.review.custom_rule', interaction)).toMatchObject({ request_id: 'js-3', status: 'stored' });
    const webhook = await receiver.waitFor('js-3', 'hitl_escalation_required');
    expect(webhook.body.escalation).toMatchObject({ pipeline_name: 'loans', step_name: 'check' });
    expect(webhook.text).toContain('{"amount":12345678901234567890,"rate":1.50}');
    expect((await stack.respond('js-3', { decision: 'approve' })).body).toMatchObject({ state: 'pending' });
    expect((await stack.respond('js-3', { decision: 'approve' }, keys.reviewers.bob)).body).toMatchObject({ state: 'completed' });
    const rejected = await submit('hitl.default.review.hard_disagreement', '{"type":"hitl_escalation","payload":{"request_id":"js-bad"}}');
    expect(rejected).toMatchObject({ status: 'rejected' });
    expect(rejected.errors.length).toBeGreaterThan(3);
  });

  it('cancels, also before the submit came', async () => {
    const { js } = await stack.producer();
    await js.publish('hitl.default.cancel.hard_disagreement', '{"type":"hitl_cancel","payload":{"request_id":"never-mind","detail":"solved"}}');
    await js.publish('hitl.default.review.hard_disagreement', queueMessage(hitlRequest('never-mind')));
    const status = await eventually('the cancelled escalation', async () => ((answer) => answer.body?.status === 'cancelled' && answer)(await stack.get('/hitl/status/never-mind', keys.producer)));
    expect(status.body.outcome).toMatchObject({ state: 'cancelled', source: 'cancel', verdict: null });
    await receiver.waitFor('never-mind', 'hitl_escalation_cancelled');
  });

  it('times out by its own clocks: a default where one was given, expiry otherwise', async () => {
    await stack.post('/api/escalations', keys.producer, queueMessage(hitlRequest('slow-1'), 'hard_disagreement', { timeout_seconds: 1, default_action: 'reject' }));
    await stack.post('/api/escalations', keys.producer, queueMessage(hitlRequest('slow-2'), 'hard_disagreement', { timeout_seconds: 1 }));
    const byDefault = await stack.get('/hitl/status/slow-1?wait=20', keys.producer);
    expect(byDefault.body.outcome).toMatchObject({ state: 'completed', verdict: 'reject', source: 'timeout', timeout_applied: true, decided_by: [] });
    const expired = await stack.get('/hitl/status/slow-2?wait=20', keys.producer);
    expect(expired.body.outcome).toMatchObject({ state: 'expired', verdict: null, source: 'timeout' });
    expect(Date.parse(expired.body.outcome.decided_at)).toBeGreaterThanOrEqual(Date.parse(expired.body.expires_at));
    await receiver.waitFor('slow-1', 'hitl_escalation_resolved');
    await receiver.waitFor('slow-2', 'hitl_escalation_expired');
  });

  it.each(['hitl-loan/2024/17-af4ecf7b', 'hitl-Übung 7-0c1d2e3f', 'a b?c#d%e&f', '審'.repeat(170) + 'ab', 'dots..and/../more'])('takes the id %s everywhere', async (id) => {
    expect((await stack.post('/api/escalations', keys.producer, queueMessage(hitlRequest(id)))).body).toMatchObject({ request_id: id, status: 'stored' });
    const paths = [encodeURIComponent(id), `~${idToken(id)}`];
    for (const path of paths) {
      expect((await stack.get(`/hitl/status/${path}`, keys.producer)).body.interaction_id).toBe(id);
      expect((await stack.get(`/hitl/escalations/${path}`, keys.admin)).body.request_id).toBe(id);
      expect((await stack.get(`/hitl/escalations/${path}/timeline`, keys.admin)).body.items).toHaveLength(1);
    }
    const { nats } = await stack.producer();
    const hints = nats.subscribe('hitl.default.settled.*', { timeout: 10_000 });
    expect((await stack.respond(id, { decision: 'approve' })).status).toBe(200);
    for await (const hint of hints) if (parseIdToken(hint.subject.split('.').at(-1)!) === id) break;
    expect((await receiver.waitFor(id, 'hitl_escalation_resolved')).body.outcome.request_id).toBe(id);
    await nats.close();
  });

  it('keeps namespaces apart', async () => {
    const other = stack.connection.namespaces['team-b']!.keys;
    expect((await stack.post('/api/escalations', other.producer, queueMessage(hitlRequest('flow-1')))).body).toMatchObject({ status: 'stored', duplicate: false });
    expect((await stack.get('/hitl/status/flow-1', other.producer)).body.status).toBe('pending');
    expect((await stack.get('/hitl/status/repeat-1', other.admin)).status).toBe(404);
    expect((await stack.get('/webhooks/endpoints', other.admin)).body.items).toEqual([]);
    expect((await stack.respond('repeat-1', { decision: 'approve' }, other.reviewers.alice)).status).toBe(404);
  });

  const upstream = upstreamRequests();
  it.skipIf(upstream === null)('takes everything that the upstream framework sends, and gives it back as it came', async () => {
    const { js } = await stack.producer();
    const messages = upstream!.map((text, index) => {
      const reason = JSON.parse(text).escalation_reason as string;
      return { text, reason, id: JSON.parse(text).request_id as string, body: index % 2 ? text : queueMessage(text, reason) };
    });
    await Promise.all(messages.map(({ reason, body }) => js.publish(`hitl.default.review.${reason}`, body)));
    for (const { id, text } of messages) {
      const webhook = await receiver.waitFor(id, 'hitl_escalation_required', 60_000);
      expect(escalationText(webhook.text)).toBe(text);
    }
    expect(new Set(messages.map(({ id }) => id)).size).toBe(messages.length);
  });

  it('dead-letters what cannot be read, with the bytes and every error', async () => {
    const { js } = await stack.producer();
    const bytes = new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]);
    await js.publish('hitl.default.review.custom_rule', bytes);
    const letter = await eventually('the dead letter', async () => {
      return (await readDeadLetters(stack)).find((one) => Buffer.from(one.original, 'base64').equals(Buffer.from(bytes)));
    });
    expect(letter.subject).toBe('hitl.default.review.custom_rule');
    expect(letter.errors[0]).toMatchObject({ path: '', code: expect.any(String), message: expect.any(String) });
    expect(letter.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it('accepts every signature by two published verifiers', () => {
    expect(receiver.faults).toEqual([]);
    expect(receiver.received.length).toBeGreaterThan(10);
  });

  it('comes back after a clean stop and after kill -9 with everything it had', async () => {
    await stack.post('/api/escalations', keys.producer, queueMessage(hitlRequest('survivor')));
    await stack.pause();
    await stack.resume();
    expect((await stack.get('/hitl/status/survivor', keys.producer)).body.status).toBe('pending');
    await stack.crash();
    await stack.resume();
    expect((await stack.get('/hitl/status/survivor', keys.producer)).body.status).toBe('pending');
    expect(stack.connection.keys).toEqual(keys);
    expect((await stack.respond('survivor', { decision: 'approve' })).body.state).toBe('completed');
  });
});
