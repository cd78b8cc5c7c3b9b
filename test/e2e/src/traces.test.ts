import { headers as natsHeaders } from '@nats-io/transport-node';
import { eventually } from '@umpire/testing';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Collector } from './collector.ts';
import { hitlRequest, queueMessage } from './messages.ts';
import { Receiver } from './receiver.ts';
import { Stack } from './stack.ts';

const WITHIN_MS = 60_000;
const SETTINGS = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_BSP_SCHEDULE_DELAY', 'OTEL_TRACES_EXPORTER', 'OTEL_RESOURCE_ATTRIBUTES'] as const;

/** Four processes: whatever is not carried from one to the next is missing. */
describe('traces, topology split', () => {
  let collector: Collector;
  let stack: Stack;
  let receiver: Receiver;

  beforeAll(async () => {
    collector = await Collector.start();
    for (const name of SETTINGS) delete process.env[name];
    Object.assign(process.env, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_BSP_SCHEDULE_DELAY: '100' });
    stack = await Stack.start('split');
    receiver = await Receiver.register(stack);
  });
  afterAll(async () => {
    for (const name of SETTINGS) delete process.env[name];
    await receiver.close();
    await stack.stop();
    await collector.close();
  });

  const spansOf = (traceId: string, wanted: string[]) => eventually(`spans ${wanted.join(', ')}`, () => {
    const names = collector.of(traceId).map((span) => `${span.service}: ${span.name}`);
    return wanted.every((name) => names.includes(name)) && names;
  }, WITHIN_MS).catch((error: unknown) => {
    const names = collector.of(traceId).map((span) => `${span.service}: ${span.name}`);
    throw new Error(`missing: ${wanted.filter((name) => !names.includes(name)).join(', ')}; there are: ${names.join(', ')}`, { cause: error });
  });

  const traceOf = (header: string | undefined) => header?.split('-')[1];

  it('follows a posted escalation to the webhook, a person\'s answer and its outcome in the producer\'s trace', async () => {
    const traceId = '11111111111111111111111111111111';
    const parent = '2222222222222222';
    const { keys } = stack.connection;
    const posted = await stack.post('/api/escalations', keys.producer, queueMessage(hitlRequest('trace-1')), { traceparent: `00-${traceId}-${parent}-01` });
    expect(posted.status).toBe(202);
    const required = await receiver.waitFor('trace-1', 'hitl_escalation_required', WITHIN_MS);
    expect(traceOf(required.headers['traceparent'])).toBe(traceId);
    // The person's own trace is another one: theirs is linked with, the escalation's goes on.
    const own = '33333333333333333333333333333333';
    const answered = await stack.post('/hitl/respond', keys.reviewers.alice, { interaction_id: 'trace-1', user_input: { decision: 'approve' } }, { traceparent: `00-${own}-4444444444444444-01` });
    expect(answered.body).toMatchObject({ state: 'completed' });
    const resolved = await receiver.waitFor('trace-1', 'hitl_escalation_resolved', WITHIN_MS);
    expect(traceOf(resolved.headers['traceparent'])).toBe(traceId);
    await spansOf(traceId, [
      'umpire-intake: POST /api/escalations', 'umpire-intake: intake take', 'umpire-intake: request umpire.store.submit.hard_disagreement',
      'umpire-state-store: store open', 'umpire-state-store: postgres insert escalations', 'umpire-state-store: publish escalation opened',
      'umpire-notifier: notifier fan out', 'umpire-notifier: postgres insert deliveries', 'umpire-notifier: webhook POST',
      'umpire-timeout-scheduler: scheduler arm', 'umpire-timeout-scheduler: postgres arm timers',
      'umpire-state-store: store respond', 'umpire-state-store: postgres decide', 'umpire-state-store: publish escalation resolved', 'umpire-state-store: publish outcome',
    ]);
    const spans = collector.of(traceId);
    expect(spans.filter((span) => span.failed)).toEqual([]);
    expect(spans.find((span) => span.name === 'POST /api/escalations')?.parentSpanId).toBe(parent);
    expect(spans.find((span) => span.name === 'store respond')?.links).toEqual([own]);
    // One tree: every span hangs on another one of the trace, or on the producer's.
    const known = new Set([parent, ...spans.map((span) => span.spanId)]);
    expect(spans.filter((span) => !known.has(span.parentSpanId))).toEqual([]);
    const webhooks = spans.filter((span) => span.name === 'webhook POST').map((span) => span.spanId);
    expect(webhooks).toContain(required.headers['traceparent']!.split('-')[2]);
    await spansOf(own, ['umpire-state-store: POST /hitl/respond']);
  });

  it('follows a message over NATS to the timer that ends it', async () => {
    const traceId = '55555555555555555555555555555555';
    const { js } = await stack.producer();
    const headers = natsHeaders();
    headers.set('traceparent', `00-${traceId}-6666666666666666-01`);
    const body = { type: 'hitl_interaction', payload: { interaction_id: 'trace-2', pipeline_name: 'p', step_name: 's', data: {} }, interaction: { pattern: 'timed_decision', timeout_seconds: 1, default_action: 'abort' } };
    await js.publish('hitl.default.review.custom_rule', JSON.stringify(body), { headers });
    const { headers: sent } = await receiver.waitFor('trace-2', 'hitl_escalation_resolved', WITHIN_MS);
    expect(traceOf(sent['traceparent'])).toBe(traceId);
    await spansOf(traceId, ['umpire-intake: intake take', 'umpire-timeout-scheduler: scheduler arm', 'umpire-timeout-scheduler: scheduler fire', 'umpire-state-store: store clock', 'umpire-state-store: publish outcome']);
    const { js: reader } = await stack.producer();
    const consumer = await reader.consumers.get('HITL_OUTCOMES', stack.connection.nats.producer.outcome_consumer!);
    const outcome = await eventually('the outcome', async () => {
      const message = await consumer.next({ expires: 2_000 });
      message?.ack();
      return message?.json<any>().request_id === 'trace-2' && message;
    }, WITHIN_MS);
    expect(traceOf(outcome.headers?.get('traceparent'))).toBe(traceId);
  });

  it('gives each message of a batch its own trace, and links them with the batch', async () => {
    const { js } = await stack.producer();
    const ids = Array.from({ length: 40 }, (_, index) => (index + 100).toString(16).padStart(32, '7'));
    await Promise.all(ids.map((traceId, index) => {
      const headers = natsHeaders();
      headers.set('traceparent', `00-${traceId}-8888888888888888-01`);
      return js.publish('hitl.default.review.low_confidence', JSON.stringify({ type: 'hitl_interaction', payload: { interaction_id: `trace-b${index}`, pipeline_name: 'p', step_name: 's', data: {} } }), { headers });
    }));
    for (const traceId of ids) await spansOf(traceId, ['umpire-intake: intake take', 'umpire-state-store: store open', 'umpire-notifier: webhook POST']);
    const batch = await eventually('a batch', () => collector.spans.find((span) => span.name === 'intake take batch'), WITHIN_MS);
    expect(batch.links.length).toBe(Number(batch.attributes['messaging.batch.message_count']));
    for (const link of batch.links) expect(ids).toContain(link);
  });

  it('respects a producer that does not sample, and starts a trace for one that says nothing or nonsense', async () => {
    const { keys } = stack.connection;
    const quiet = '99999999999999999999999999999999';
    await stack.post('/api/escalations', keys.producer, queueMessage(hitlRequest('trace-3')), { traceparent: `00-${quiet}-8888888888888888-00` });
    await stack.post('/api/escalations', keys.producer, queueMessage(hitlRequest('trace-4')), { traceparent: 'nonsense' });
    const third = await receiver.waitFor('trace-3', 'hitl_escalation_required', WITHIN_MS);
    expect(third.headers['traceparent']).toMatch(new RegExp(`^00-${quiet}-[0-9a-f]{16}-00$`));
    const fourth = traceOf((await receiver.waitFor('trace-4', 'hitl_escalation_required', WITHIN_MS)).headers['traceparent'])!;
    await spansOf(fourth, ['umpire-intake: POST /api/escalations', 'umpire-state-store: store open', 'umpire-notifier: webhook POST']);
    expect(collector.of(quiet)).toEqual([]);
  });

  it('writes the trace into log lines', async () => {
    const traceId = 'abababababababababababababababab';
    const { js } = await stack.producer();
    const headers = natsHeaders();
    headers.set('traceparent', `00-${traceId}-8888888888888888-01`);
    await js.publish('hitl.default.review.low_confidence', '{"not":"a message"}', { headers });
    const line = await eventually('the line', async () => {
      const folder = join(stack.home, 'logs');
      const texts = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')));
      return texts.join('\n').split('\n').find((text) => text.includes('message_rejected') && text.includes(traceId));
    }, WITHIN_MS);
    expect(JSON.parse(line)).toMatchObject({ service: 'intake', trace_id: traceId, msg: 'message_rejected' });
  });
});
