import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../test/http.ts';
import { bytes, humanReviewRequest } from '../test/samples.ts';
import { post, Producer, Stack, type Running } from '../test/stack.ts';

let stack: Stack;
let store: Running;
let intake: Running;
let producer: Producer;
let key: string;
let alice: string;

beforeAll(async () => {
  stack = await Stack.start();
  store = await stack.startStore();
  intake = await stack.startIntake({ UMPIRE_VERDICT_WAIT_MS: '20000' });
  producer = new Producer(await stack.nats.producer());
  [key, alice] = await Promise.all([stack.key(['producer']), stack.key(['reviewer'], 'default', 'alice')]);
});
afterAll(() => stack.stop());

describe('a deprecated HumanReviewRequest', () => {
  it('is stored as a HITLRequest, posted or over JetStream, and said to be deprecated', async () => {
    const message = humanReviewRequest({ deadline: new Date(Date.now() + 7_200_000).toISOString() });
    const reply = await post(intake.origin, key, bytes(message));
    expect(reply).toMatchObject({ status: 202, body: { status: 'stored', duplicate: false } });
    expect(reply.headers.get('deprecation')).toMatch(/^@\d+$/);
    expect(reply.headers.get('link')).toMatch(/rel="deprecation"/);
    const id = String(reply.body['request_id']);
    const [row] = await stack.database.sql<{ body: Buffer; left: number }[]>`
      select p.body, extract(epoch from e.deadline - e.opened_at)::float8 as left from store.escalations e join store.payloads p using (namespace, request_id) where e.request_id = ${id}`;
    expect(JSON.parse(row!.body.toString())).toMatchObject({ request_id: id, task_id: 'beleg/2031/4 Ø', escalation_reason: 'hard_disagreement' });
    expect(row!.left).toBeGreaterThan(7_100);
    expect(row!.left).toBeLessThanOrEqual(7_201);
    expect(await producer.ask('review.hard_disagreement', bytes(message))).toEqual({ request_id: id, status: 'stored', duplicate: true });
    expect(await producer.ask('review.hard_disagreement', bytes({ ...message, disagreement_summary: 'something else' }))).toMatchObject({ request_id: id, status: 'conflict' });
    expect(await (await fetch(`${intake.origin}/metrics`)).text()).toMatch(/umpire_intake_deprecated_total\{form="HumanReviewRequest"\} 3/);
  });

  it('is said to be deprecated when it is refused, too', async () => {
    const reply = await post(intake.origin, key, bytes(humanReviewRequest({}, { alignment_score: 2 })));
    expect(reply).toMatchObject({ status: 422, body: { errors: [{ path: 'evaluation_result.alignment_summary.alignment_score' }] } });
    expect(reply.headers.get('deprecation')).toMatch(/^@/);
    expect((await post(intake.origin, key, bytes({}))).headers.get('deprecation')).toBeNull();
  });

  it('opens after its deadline too, and then nobody can decide it', async () => {
    const reply = await post(intake.origin, key, bytes(humanReviewRequest({ task_id: 'over', deadline: '2020-01-01T00:00:00' })));
    expect(reply).toMatchObject({ status: 202, body: { status: 'stored' } });
    const late = await call(store.origin, alice, 'POST', '/hitl/respond', { interaction_id: reply.body['request_id'], user_input: { decision: 'yes' } });
    expect(late).toMatchObject({ status: 409, body: { outcome: { state: 'expired', source: 'timeout' } } });
  });
});

/** What the upstream framework really writes; not part of the repository. */
const data = new URL('../../../../shared/data/', import.meta.url);
type Upstream = { task_id: string; evaluation_result: { alignment_summary: { state: string; disagreement_areas: string[] } } };
const lines = (file: string) => readFileSync(new URL(file, data), 'utf8').trimEnd().split('\n');
/** A day that is still to come, whenever this runs. */
const future = new Date(Date.now() + 9 * 24 * 3_600_000).toISOString().slice(0, 19);

describe.skipIf(!existsSync(new URL('human-review-requests.jsonl', data)))('the upstream framework’s own requests and decisions', () => {
  it.each(['over JetStream', 'posted'])('go through, %s: every request is stored, every decision answers it', async (way) => {
    const decisions = lines('human-review-decisions.jsonl');
    let answered = 0;
    for (const [index, line] of lines('human-review-requests.jsonl').entries()) {
      const request = line.replace('2026-12-01T12:00:00', future).replace('"eval-11-', way === 'posted' ? '"posted-' : '"eval-11-');
      const { task_id, evaluation_result: { alignment_summary: { state, disagreement_areas: areas } } } = JSON.parse(request) as Upstream;
      const reason = state === 'hard_disagreement' ? state : areas.includes('evidence_quality') ? 'inconsistent_evidence' : 'low_confidence';
      const told = way === 'posted' ? (await post(intake.origin, key, bytes(request))).body : await producer.ask(`review.${reason}`, bytes(request));
      expect(told).toMatchObject({ status: 'stored', duplicate: false });
      const decision = JSON.parse(decisions[index]!) as { task_id: string; decision_value: unknown };
      expect(decision.task_id).toBe(task_id);
      const answer = await call(store.origin, alice, 'POST', '/hitl/respond', decisions[index]);
      expect(answer).toMatchObject({ status: 200, body: { status: 'accepted', interaction_id: told['request_id' as keyof typeof told], state: 'completed' } });
      expect(answer.headers.get('deprecation')).toMatch(/^@/);
      const { body } = await call(store.origin, alice, 'GET', `/hitl/status/${encodeURIComponent(String(told['request_id' as keyof typeof told]))}`);
      expect(body).toMatchObject({ status: 'completed', outcome: { state: 'completed', source: 'human', decided_by: ['alice'], response: { decision: decision.decision_value, confidence: 0.9 } } });
      answered += 1;
    }
    expect(answered).toBe(12);
  });
});
