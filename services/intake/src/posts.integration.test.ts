import { consumerNames, REASONS, STREAMS } from '@umpire/contract';
import { eventually } from '@umpire/testing';
import { hash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../test/http.ts';
import { bytes, hitlRequest } from '../test/samples.ts';
import { post, Stack, type Reply, type Running } from '../test/stack.ts';

let stack: Stack;
let store: Running;
let intake: Running;
let key: string;

beforeAll(async () => {
  stack = await Stack.start();
  store = await stack.startStore();
  intake = await readyIntake(20_000);
  key = await stack.key(['producer']);
});
afterAll(() => stack.stop());

async function readyIntake(verdictWaitMs: number): Promise<Running> {
  const started = await stack.startIntake({ UMPIRE_VERDICT_WAIT_MS: String(verdictWaitMs) });
  await eventually('it has read the policies', async () => (await fetch(`${started.origin}/readyz`)).status === 200);
  return started;
}

const send = (change: Record<string, unknown>, who = key, origin = intake.origin): Promise<Reply> => post(origin, who, bytes(hitlRequest(change)));
const stored = (request_id: string, duplicate = false) => ({ status: 202, body: { request_id, status: 'stored', duplicate } });
/** How many messages were ever put into the review stream. */
const published = async (): Promise<number> => (await stack.jsm.streams.info(STREAMS.review.name)).state.last_seq;

async function opened(id: string): Promise<{ seq: number; events: number }[]> {
  return stack.database.sql<{ seq: number; events: number }[]>`
    select e.seq, (select count(*)::int from store.events v where v.namespace = e.namespace and v.request_id = e.request_id) as events
    from store.escalations e where e.request_id = ${id}`;
}

describe('a post', () => {
  it('goes to the store at once, and not into the stream', async () => {
    const before = await published();
    expect(await send({ request_id: 'plain' })).toMatchObject(stored('plain'));
    expect(await stack.stored('plain')).toMatchObject({ status: 'pending', seq: 1 });
    expect(await published()).toBe(before);
  });

  it('and its twin at the same time are both stored, one of them as a duplicate', async () => {
    const before = await published();
    const replies = await Promise.all([send({ request_id: 'twin' }), send({ request_id: 'twin' })]);
    expect(replies.map(({ status, body }) => [status, body['status']])).toEqual([[202, 'stored'], [202, 'stored']]);
    expect(replies.map(({ body }) => body['duplicate']).toSorted()).toEqual([false, true]);
    expect(await opened('twin')).toEqual([{ seq: 1, events: 1 }]);
    expect(await published()).toBe(before);
  });

  it('of other content under the same id is refused, and is a dead letter by then', async () => {
    const other = { request_id: 'twin', summary: 'another matter' };
    const before = [await published(), (await stack.deadLetters()).length];
    expect(await send(other)).toMatchObject({ status: 409, body: { code: 'id_conflict' } });
    const letters = await stack.deadLetters();
    expect([await published(), letters.length - 1]).toEqual(before);
    expect(letters.at(-1)).toMatchObject({ on: 'hitl.default.rejected.hard_disagreement', subject: 'hitl.default.review.hard_disagreement', errors: [{ code: 'id_conflict' }], digest: hash('sha256', bytes(hitlRequest(other)), 'hex') });
  });

  it('is stored beside many others, of other namespaces and reasons too', async () => {
    const elsewhere = await stack.key(['producer'], 'team-a');
    const before = await published();
    const posts = Array.from({ length: 60 }, (_, index) => ({ request_id: `many-${index}`, escalation_reason: REASONS[index % 3]!, who: index % 2 ? elsewhere : key }));
    const replies = await Promise.all(posts.map(({ who, ...change }) => send(change, who)));
    expect(replies).toMatchObject(posts.map(({ request_id }) => stored(request_id)));
    for (const [index, { request_id }] of posts.entries()) expect(await stack.stored(request_id, index % 2 ? 'team-a' : 'default')).toMatchObject({ status: 'pending' });
    expect(await published()).toBe(before);
  });
});

describe('what leans on being delivered again goes through the stream:', () => {
  it('a cancel', async () => {
    await send({ request_id: 'taken-back' });
    const before = await published();
    expect(await post(intake.origin, key, bytes({ type: 'hitl_cancel', payload: { request_id: 'taken-back' } }))).toMatchObject({ status: 202, body: { status: 'cancelled' } });
    expect(await stack.stored('taken-back')).toMatchObject({ status: 'cancelled' });
    expect(await published()).toBe(before + 1);
  });

  it.each(['supersede', 'keep'])('all of a namespace with a policy that says same_task, since the others are compared with what it takes: %s', async (same_task) => {
    const [admin, producer] = await Promise.all([stack.key(['admin'], 'team-a'), stack.key(['producer'], 'team-a')]);
    const policy = { id: 'anew', priority: 800, match: { task_id: 'anew/*' }, same_task };
    expect((await call(intake.origin, admin, 'POST', '/policies', policy)).status).toBeLessThan(300);
    const before = await published();
    expect(await send({ request_id: `${same_task}-other-task`, task_id: 'other/1' }, producer)).toMatchObject(stored(`${same_task}-other-task`));
    expect(await send({ request_id: `${same_task}-1`, task_id: 'anew/1' }, producer)).toMatchObject(stored(`${same_task}-1`));
    expect(await published()).toBe(before + 2);
    expect(await send({ request_id: `${same_task}-elsewhere`, task_id: 'anew/1' })).toMatchObject(stored(`${same_task}-elsewhere`));
    expect(await published()).toBe(before + 2);
  });
});

describe('a store that does not answer', () => {
  it('for a lock leaves the post in the stream, and stores it once', async () => {
    const quick = await readyIntake(300);
    const [before, letters] = [await published(), (await stack.deadLetters()).length];
    const letGo = await stack.holdStore();
    const reply = await send({ request_id: 'held' }, key, quick.origin).finally(letGo);
    expect(reply).toMatchObject({ status: 202, body: { status: 'queued' } });
    expect(reply.body).toEqual({ request_id: 'held', status: 'queued' });
    expect(await published()).toBe(before + 1);
    await eventually('the stream is acked', async () => (await acked()) === before + 1);
    expect(await opened('held')).toEqual([{ seq: 1, events: 1 }]);
    expect(await stack.deadLetters()).toHaveLength(letters);
    expect(await send({ request_id: 'held' })).toMatchObject(stored('held', true));
  });

  it('for it is not there has the post wait in the stream, and stores it when it comes', async () => {
    expect(await send({ request_id: 'key-is-known' })).toMatchObject(stored('key-is-known'));
    const before = await published();
    await store.stop();
    const reply = send({ request_id: 'unheard' });
    await eventually('it is in the stream', async () => (await published()) === before + 1);
    store = await stack.startStore();
    expect(await reply).toMatchObject(stored('unheard'));
    expect(await opened('unheard')).toEqual([{ seq: 1, events: 1 }]);
    expect(await published()).toBe(before + 1);
    expect(await send({ request_id: 'at once again' })).toMatchObject(stored('at once again'));
    expect(await published()).toBe(before + 1);
  });
});

/** The last message of the default namespace's disagreements that intake is done with. */
async function acked(): Promise<number> {
  const { ack_floor } = await stack.jsm.consumers.info(STREAMS.review.name, consumerNames.intake('default', 'hard_disagreement'));
  return ack_floor.stream_seq;
}
