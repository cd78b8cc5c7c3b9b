import { LIMITS, STREAMS, type Reason } from '@umpire/contract';
import { eventually } from '@umpire/testing';
import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytes, hitlRequest, pipelinePayload } from '../test/samples.ts';
import { post, Producer, Stack, type Running } from '../test/stack.ts';

let stack: Stack;
let store: Running;
let intake: Running;
let producer: Producer;
let key: string;

beforeAll(async () => {
  stack = await Stack.start();
  store = await stack.startStore();
  intake = await stack.startIntake({ UMPIRE_PURGE_INTERVAL_MS: '200', UMPIRE_VERDICT_WAIT_MS: '20000' });
  producer = new Producer(await stack.nats.producer());
  key = await stack.key(['producer']);
});
afterAll(() => stack.stop());

let count = 0;
const newId = () => `hitl-beleg/${(count += 1)} Ø ${'~'.repeat(3)}`;
const message = (change: Record<string, unknown>, beside: Record<string, unknown> = {}) =>
  bytes({ type: 'hitl_escalation', payload: hitlRequest(change), routing_key: 'review.hard_disagreement', ...beside });
const review = (body: Uint8Array) => producer.ask('review.hard_disagreement', body);

describe('over JetStream', () => {
  it('stores the payload’s bytes, and tells the same content from other content', async () => {
    const id = newId();
    expect(await review(message({ request_id: id }))).toEqual({ request_id: id, status: 'stored', duplicate: false });
    expect((await stack.stored(id))?.body.toString()).toBe(JSON.stringify(hitlRequest({ request_id: id })));
    expect(await review(bytes(hitlRequest({ request_id: id, created_at: '2032-01-01T00:00:00' })))).toEqual({ request_id: id, status: 'stored', duplicate: true });
    const other = message({ request_id: id, summary: 'another matter' });
    expect(await review(other)).toMatchObject({ request_id: id, status: 'conflict', duplicate: false, errors: [{ code: 'id_conflict' }] });
    const letter = (await stack.deadLetters()).at(-1);
    expect(letter).toMatchObject({ on: 'hitl.default.rejected.hard_disagreement', subject: 'hitl.default.review.hard_disagreement', errors: [{ code: 'id_conflict' }], digest: hash('sha256', other, 'hex') });
    expect(Buffer.from(letter!.original, 'base64')).toEqual(Buffer.from(other));
  });

  it('refuses what is wrong with every field named, and stores its neighbours', async () => {
    const ids = Array.from({ length: 60 }, newId);
    const bad = [bytes('{"type":'), new Uint8Array([0xff, 0xfe]), message({ request_id: 'bad', alignment_score: 7, summary: ' ' }), message({ request_id: 'x' }, { interaction: { four_eyes: true } })];
    const before = (await stack.deadLetters()).length;
    const answers = await Promise.all([...ids.map((id) => review(message({ request_id: id }))), ...bad.map(review)]);
    expect(answers.slice(0, ids.length).every((answer) => answer.status === 'stored' && !answer.duplicate)).toBe(true);
    expect(answers.slice(ids.length).map((answer) => [answer.request_id, answer.status, answer.errors?.map((error) => error.path)])).toEqual([
      [null, 'rejected', ['']], [null, 'rejected', ['']], ['bad', 'rejected', ['payload.alignment_score', 'payload.summary']], ['x', 'rejected', ['interaction.four_eyes']],
    ]);
    const letters = (await stack.deadLetters()).slice(before);
    expect(letters.map((letter) => letter.original).sort()).toEqual(bad.map((body) => Buffer.from(body).toString('base64')).sort());
    expect(new Set(letters.map((letter) => letter.id)).size).toBe(bad.length);
  });

  it('refuses a subject that disagrees with the payload', async () => {
    expect(await producer.ask('review.low_confidence', message({ request_id: newId() }))).toMatchObject({ status: 'rejected', errors: [{ code: 'reason_mismatch' }, { code: 'reason_mismatch' }] });
    expect((await stack.deadLetters()).at(-1)?.on).toBe('hitl.default.rejected.low_confidence');
  });

  it('refuses what the store cannot keep, with the store’s errors', async () => {
    const body = message({ request_id: newId() }, { interaction: { assignees: { groups: ['nobody-is-in-it'] }, quorum: 'any' } });
    expect(await review(body)).toMatchObject({ status: 'rejected', errors: [{ code: 'empty_electorate' }] });
  });

  it('cancels, also what is not there yet, and says what was too late', async () => {
    const cancel = (id: string) => producer.ask('cancel.hard_disagreement', bytes({ type: 'hitl_cancel', payload: { request_id: id, detail: 'done' } }));
    const [known, unknown] = [newId(), newId()];
    await review(message({ request_id: known }));
    expect(await cancel(known)).toMatchObject({ request_id: known, status: 'cancelled', outcome: { state: 'cancelled', source: 'cancel' } });
    expect(await cancel(unknown)).toEqual({ request_id: unknown, status: 'tombstoned', duplicate: false });
    expect(await review(message({ request_id: unknown }))).toMatchObject({ status: 'stored' });
    expect(await stack.stored(unknown)).toMatchObject({ status: 'cancelled' });
  });

  it('gives an interaction without an id one that stays the same', async () => {
    const body = bytes({ type: 'hitl_interaction', payload: pipelinePayload({ interaction_id: undefined, data: { n: 1 } }) });
    const [first, second] = [await producer.ask('review.custom_rule', body), await producer.ask('review.custom_rule', body)];
    expect(first).toMatchObject({ status: 'stored', duplicate: false });
    expect(first.request_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
    expect(second.request_id).not.toBe(first.request_id);
  });

  it('keeps namespaces apart, and answers only into a namespace’s own inbox', async () => {
    const other = new Producer(await stack.nats.producer('team-a'), 'team-a');
    const id = newId();
    await review(message({ request_id: id }));
    expect(await other.ask('review.hard_disagreement', message({ request_id: id, summary: 'theirs' }))).toEqual({ request_id: id, status: 'stored', duplicate: false });
    const operator = await stack.nats.operator();
    const heard: string[] = [];
    operator.subscribe('_INBOX.ns.team-b.>', { callback: (_, got) => void heard.push(got.subject) });
    await operator.flush();
    const stray = newId();
    await producer.publish('review.hard_disagreement', message({ request_id: stray }), '_INBOX.ns.team-b.spy');
    await eventually('the message is stored all the same', () => stack.stored(stray));
    // A later message of the same reason is answered after the stray one would have been.
    await review(message({ request_id: newId() }));
    await operator.flush();
    expect(heard).toEqual([]);
  });

  it('purges what has been acked', async () => {
    await review(message({ request_id: newId() }));
    await eventually('the stream is empty', async () => (await stack.queued()) === 0);
  });
});

/** What the upstream framework really writes; not part of the repository. */
const upstream = new URL('../../../../shared/data/hitl-requests.jsonl', import.meta.url);
describe.skipIf(!existsSync(upstream))('the upstream framework’s own requests', () => {
  it('are all stored, byte for byte', async () => {
    const lines = readFileSync(upstream, 'utf8').trimEnd().split('\n').map((line) => ({ line, ...(JSON.parse(line) as { request_id: string; escalation_reason: Reason }) }));
    const answers = await Promise.all(lines.map(({ line, escalation_reason: reason }, index) =>
      producer.ask(`review.${reason}`, bytes(index % 3 === 0 ? line : `{"type": "hitl_escalation", "payload": ${line}, "routing_key": "review.${reason}"}`))));
    expect(answers.filter((answer) => answer.status !== 'stored' || answer.duplicate)).toEqual([]);
    expect(answers).toHaveLength(363);
    for (const { line, request_id: id } of lines) expect((await stack.stored(id))?.body.toString()).toBe(line);
  });
});

describe('POST /api/escalations', () => {
  const send = (body: Uint8Array | string, more?: Record<string, string>) => post(intake.origin, key, body, more);

  it('answers with the store’s verdict', async () => {
    const id = newId();
    expect(await send(message({ request_id: id }))).toMatchObject({ status: 202, body: { request_id: id, status: 'stored', duplicate: false } });
    expect(await send(bytes(hitlRequest({ request_id: id })))).toMatchObject({ status: 202, body: { request_id: id, status: 'stored', duplicate: true } });
    expect(await send(message({ request_id: id, summary: 'another' }))).toMatchObject({ status: 409, body: { code: 'id_conflict', request_id: id } });
  });

  it('names every bad field and stores nothing', async () => {
    const before = (await stack.jsm.streams.info(STREAMS.review.name)).state.last_seq;
    const reply = await send(message({ request_id: newId(), alignment_score: -1, agent_decisions: [] }, { interaction: { quorum: 'most' } }));
    expect(reply).toMatchObject({ status: 422, body: { code: 'invalid', status: 422 } });
    expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect((reply.body['errors'] as { path: string }[]).map((error) => error.path)).toEqual(expect.arrayContaining(['payload.alignment_score', 'payload.agent_decisions', 'interaction.quorum']));
    expect(await send(message({ request_id: newId() }, { routing_key: 'review.custom_rule' }))).toMatchObject({ status: 422, body: { code: 'reason_mismatch' } });
    expect(await send(message({ request_id: newId() }, { interaction: { four_eyes: true } }))).toMatchObject({ status: 422, body: { code: 'unsupported' } });
    expect(await send('{"type":')).toMatchObject({ status: 400, body: { code: 'malformed_json' } });
    expect(await send('')).toMatchObject({ status: 400, body: { code: 'malformed_json' } });
    expect(await send(bytes(hitlRequest({ padding: 'x'.repeat(LIMITS.request) })))).toMatchObject({ status: 413, body: { code: 'too_large' } });
    expect(await send('x', { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
    expect((await stack.jsm.streams.info(STREAMS.review.name)).state.last_seq).toBe(before);
  });

  it('tells what only the store can know', async () => {
    expect(await send(message({ request_id: newId() }, { interaction: { assignees: { groups: ['empty'] } } }))).toMatchObject({ status: 422, body: { errors: [{ code: 'empty_electorate' }] } });
  });

  it('takes an idempotency key for the name of an interaction that has none', async () => {
    const body = bytes({ type: 'hitl_interaction', payload: pipelinePayload({ interaction_id: undefined }) });
    const first = await send(body, { 'idempotency-key': 'run 17' });
    expect(first).toMatchObject({ status: 202, body: { status: 'stored', duplicate: false } });
    expect(await send(body, { 'idempotency-key': 'run 17' })).toMatchObject({ body: { request_id: first.body['request_id'], status: 'stored', duplicate: true } });
    expect((await send(body, { 'idempotency-key': 'run 18' })).body['request_id']).not.toBe(first.body['request_id']);
    expect((await stack.stored(String(first.body['request_id'])))?.body.toString()).toBe(JSON.stringify(pipelinePayload({ interaction_id: undefined })));
    const [one, two] = [await send(body), await send(body)];
    expect(one.body['request_id']).not.toBe(two.body['request_id']);
    expect(await send(body, { 'idempotency-key': 'k'.repeat(256) })).toMatchObject({ status: 400 });
  });

  it('cancels, and answers a late cancel with the outcome', async () => {
    const cancel = (id: string) => send(bytes({ type: 'hitl_cancel', payload: { request_id: id } }));
    const [open, decided] = [newId(), newId()];
    await send(message({ request_id: open }));
    await send(message({ request_id: decided }));
    expect(await cancel(open)).toMatchObject({ status: 202, body: { request_id: open, status: 'cancelled', duplicate: false } });
    expect(await cancel(newId())).toMatchObject({ status: 202, body: { status: 'tombstoned' } });
    const alice = await stack.key(['reviewer'], 'default', 'alice');
    const answer = await fetch(`${store.origin}/hitl/respond`, {
      method: 'POST', headers: { authorization: `Bearer ${alice}`, 'content-type': 'application/json' }, body: JSON.stringify({ interaction_id: decided, user_input: { decision: 'approve' } }),
    });
    expect(answer.status).toBe(200);
    expect(await cancel(decided)).toMatchObject({ status: 409, body: { code: 'already_settled', outcome: { state: 'completed', verdict: 'approve', decided_by: ['alice'] } } });
  });

  it('takes producers and admins, into their own namespace', async () => {
    const body = message({ request_id: newId() });
    const status = async (who: string) => (await post(intake.origin, who, body)).status;
    expect(await status(await stack.key(['reviewer'], 'default', 'bob'))).toBe(403);
    expect(await status('umk_wrong')).toBe(401);
    expect(await status(await stack.key(['admin'], 'team-a'))).toBe(202);
    expect(await status(await stack.key(['producer'], 'undeclared'))).toBe(403);
    const id = (JSON.parse(new TextDecoder().decode(body)) as { payload: { request_id: string } }).payload.request_id;
    expect(await stack.stored(id)).toBeUndefined();
    expect(await stack.stored(id, 'team-a')).toBeDefined();
  });
});
