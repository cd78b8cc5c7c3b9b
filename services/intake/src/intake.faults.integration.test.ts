import { consumerNames, decodeFrame, REQUESTS, STREAMS, UmpireError, type SubmitHeader, type Verdict } from '@umpire/contract';
import { createLogger, ensureConsumers, ensureStreams } from '@umpire/runtime';
import { eventually, TEST_NAMESPACES } from '@umpire/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytes, hitlRequest } from '../test/samples.ts';
import { post, Producer, Stack } from '../test/stack.ts';
import { readMessage } from './message/read-message.ts';
import { ReviewPurge } from './review-purge.loop.ts';
import { noteSuspect } from './suspect.queries.ts';
import { StoreClient } from './store.client.ts';
import { toSubmission } from './submission.ts';

let stack: Stack;
beforeEach(async () => void (stack = await Stack.start()));
afterEach(() => stack.stop());

const message = (id: string) => bytes({ type: 'hitl_escalation', payload: hitlRequest({ request_id: id }), routing_key: 'review.hard_disagreement' });
const consumer = consumerNames.intake('default', 'hard_disagreement');
const submitSpec = REQUESTS.find((request) => request.subject === 'umpire.store.submit.*')!;

describe('a store that is away', () => {
  it('leaves what came in the stream, with the post told so, and bounds how many wait', async () => {
    await stack.startStore();
    const intake = await stack.startIntake({ UMPIRE_MAX_IN_FLIGHT: '2', UMPIRE_VERDICT_WAIT_MS: '1000', UMPIRE_PURGE_INTERVAL_MS: '100' });
    const key = await stack.key(['producer']);
    expect(await post(intake.origin, key, message('before'))).toMatchObject({ status: 202 });
    await eventually('it is stored and purged', async () => (await stack.stored('before')) && (await stack.queued()) === 0);
    const letGo = await stack.holdStore();
    const elsewhere = post(intake.origin, await stack.key(['producer'], 'team-a'), message('a'));
    const replies = await Promise.all(['a', 'b', 'c'].map((id) => post(intake.origin, key, message(id))));
    expect(replies.map((reply) => reply.status).sort()).toEqual([202, 202, 429]);
    const limited = replies.find((reply) => reply.status === 429)!;
    expect(limited.headers.get('retry-after')).toBe('1');
    const queued = replies.filter((reply) => reply.status === 202);
    expect(queued.map((reply) => [reply.body['status'], 'duplicate' in reply.body])).toEqual([['queued', false], ['queued', false]]);
    expect((await elsewhere).body['status']).toBe('queued');
    expect(await stack.queued()).toBe(3);
    await letGo();
    for (const { body } of queued) expect(await eventually('it is stored', () => stack.stored(String(body['request_id'])))).toMatchObject({ status: 'pending', seq: 1 });
    await eventually('the stream is empty', async () => (await stack.queued()) === 0);
  });
});

describe('a stream', () => {
  it('that is full refuses the post, to be tried again', async () => {
    await stack.startStore();
    const intake = await stack.startIntake({ UMPIRE_VERDICT_WAIT_MS: '20' });
    const key = await stack.key(['producer']);
    const letGo = await stack.holdStore();
    const full = await eventually('the stream is full', async () => {
      // Intake keeps the stream's configuration, so the small one lasts only until its next look.
      await stack.jsm.streams.update(STREAMS.review.name, { max_msgs_per_subject: 1 });
      await post(intake.origin, key, message('first'));
      const reply = await post(intake.origin, key, message('second'));
      return reply.status === 503 && reply;
    });
    await letGo();
    expect(full).toMatchObject({ body: { code: 'unavailable', detail: 'the queue of hard_disagreement is full; try again later' } });
    expect(full.headers.get('retry-after')).toBe('5');
  });

  it('that was deleted is made again and drained', async () => {
    await stack.startStore();
    const intake = await stack.startIntake();
    const key = await stack.key(['producer']);
    expect(await post(intake.origin, key, message('before'))).toMatchObject({ body: { status: 'stored' } });
    await stack.jsm.streams.delete(STREAMS.review.name);
    await eventually('posts are taken again', async () => (await post(intake.origin, key, message('after'))).status === 202);
    await eventually('and reach the store', () => stack.stored('after'));
  });
});

describe('a redelivered message', () => {
  async function waiting(id: string) {
    const bus = await stack.nats.bus('intake');
    await ensureStreams(bus);
    await ensureConsumers(bus, TEST_NAMESPACES);
    const producer = new Producer(await stack.nats.producer());
    const answers = producer.listen();
    await producer.publish('review.hard_disagreement', message(id), answers.subject);
    return { bus, answers, source: await bus.js.consumers.get(STREAMS.review.name, consumer) };
  }

  it('is stored, not a duplicate, if the crash came between verdict and ack', async () => {
    await stack.startStore();
    const { bus, answers, source } = await waiting('crashed');
    const delivered = (await source.next())!;
    const read = readMessage(delivered.data, {
      namespace: 'default', subject: { verb: 'review', reason: 'hard_disagreement' }, submission: `HITL_REVIEW:1@${delivered.timestampNanos}`, interactionId: () => '', now: () => 0,
    }, () => null);
    if (!read.ok) throw new Error('the sample is not valid');
    expect(await new StoreClient(bus, 5_000).submit('hard_disagreement', [toSubmission(read.item, read.payload)])).toEqual([{ request_id: 'crashed', status: 'stored' }]);
    delivered.nak();
    await stack.startIntake();
    expect(await answers.next()).toEqual({ request_id: 'crashed', status: 'stored', duplicate: false });
    expect(await stack.stored('crashed')).toMatchObject({ seq: 1 });
  });

  async function deliverTenTimes(source: Awaited<ReturnType<typeof waiting>>['source']) {
    for (let delivery = 1; delivery <= 10; delivery++) {
      const delivered = (await source.next())!;
      expect(delivered.info.deliveryCount).toBe(delivery);
      delivered.nak();
      if (delivery === 10) return `HITL_REVIEW:${delivered.seq}@${delivered.timestampNanos}`;
    }
    throw new Error('not delivered ten times');
  }

  it('is refused unread after ten deliveries without a verdict, if reading it was the last thing that three processes did', async () => {
    await stack.startStore();
    const { answers, source } = await waiting('poison');
    const submission = await deliverTenTimes(source);
    // As three processes leave it that noted the message, began to read it, and were gone.
    for (let life = 1; life <= 3; life++) expect(await noteSuspect(stack.database.sql, submission)).toBe(life);
    const intake = await stack.startIntake();
    expect(await answers.next()).toMatchObject({ request_id: null, status: 'rejected', errors: [{ code: 'poison' }] });
    expect(await (await fetch(`${intake.origin}/metrics`)).text()).toMatch(/umpire_intake_poison_total\{namespace="default",reason="\w+"\} 1\n/);
    expect(await stack.deadLetters()).toMatchObject([{ errors: [{ code: 'poison' }], original: Buffer.from(message('poison')).toString('base64') }]);
    expect(await stack.stored('poison')).toBeUndefined();
  });

  it('is stored after ten deliveries without a verdict that were the fault of an outage', async () => {
    await stack.startStore();
    const { answers, source } = await waiting('healthy');
    await deliverTenTimes(source);
    await stack.startIntake();
    expect(await answers.next()).toEqual({ request_id: 'healthy', status: 'stored', duplicate: false });
    expect(await stack.deadLetters()).toEqual([]);
    expect(await stack.database.sql`select submission from intake.suspects`).toEqual([]);
  });

  it('is not suspected for ever: what nobody has tried for a day is forgotten, and all but the newest ten thousand', async () => {
    const { sql } = stack.database;
    await sql`insert into intake.suspects (submission, reads, noted_at) select 'old-' || n, 3, clock_timestamp() - interval '25 hours' from generate_series(1, 50) as n`;
    await sql`insert into intake.suspects (submission, reads, noted_at) select 'new-' || n, 1, clock_timestamp() - n * interval '1 second' from generate_series(1, 10050) as n`;
    await stack.startIntake();
    await eventually('they are forgotten', async () => (await sql<{ n: number }[]>`select count(*)::int as n from intake.suspects`)[0]!.n === 10_000);
    expect(await sql`select submission from intake.suspects where submission in ('new-1', 'new-10000', 'new-10001', 'old-1') order by submission`).toEqual([{ submission: 'new-1' }, { submission: 'new-10000' }]);
  });
});

describe('the purge', () => {
  it('removes what was acked; all else is still delivered', async () => {
    const bus = await stack.nats.bus('intake');
    await ensureStreams(bus);
    await ensureConsumers(bus, TEST_NAMESPACES);
    const producer = new Producer(await stack.nats.producer());
    for (const id of ['one', 'two', 'three', 'four']) await producer.publish('review.hard_disagreement', message(id));
    await producer.publish('review.low_confidence', message('another reason'));
    const purge = new ReviewPurge({ bus, intervalMs: 1_000, logger: createLogger('test', 'silent') });
    expect(await purge.runOnce()).toBe(0);
    expect(await stack.queued()).toBe(5);
    const source = await bus.js.consumers.get(STREAMS.review.name, consumer);
    const next = async () => (await source.next({ expires: 2_000 }))!;
    const [one, two] = [await next(), await next()];
    await one.ackAck();
    expect(await purge.runOnce()).toBe(1);
    expect(await purge.runOnce()).toBe(0);
    two.nak();
    const rest = [await next(), await next(), await next()];
    expect(rest.map((got) => [got.seq, got.info.deliveryCount]).sort()).toEqual([[2, 2], [3, 1], [4, 1]]);
    for (const got of rest) await got.ackAck();
    expect(await purge.runOnce()).toBe(3);
    const other = await bus.js.consumers.get(STREAMS.review.name, consumerNames.intake('default', 'low_confidence'));
    expect((await other.next({ expires: 2_000 }))!.seq).toBe(5);
  });

  it('purges a crowded queue that another holds back, and only what it has read', async () => {
    const bus = await stack.nats.bus('intake');
    await ensureStreams(bus);
    await ensureConsumers(bus, TEST_NAMESPACES);
    const producer = new Producer(await stack.nats.producer());
    await producer.publish('review.low_confidence', message('slow'));
    for (const id of ['one', 'two', 'three']) await producer.publish('review.hard_disagreement', message(id));
    await producer.publish('cancel.hard_disagreement', message('four'));
    const source = await bus.js.consumers.get(STREAMS.review.name, consumer);
    const next = async () => (await source.next({ expires: 2_000 }))!;
    for (let read = 0; read < 2; read++) await (await next()).ackAck();
    const purgeAt = (crowded: number) => new ReviewPurge({ bus, crowded, intervalMs: 1_000, logger: createLogger('test', 'silent') }).runOnce();
    expect(await purgeAt(5)).toBe(0);
    expect(await purgeAt(4)).toBe(2);
    const rest = [await next(), await next()];
    expect(rest.map((got) => [got.seq, got.subject])).toEqual([[4, 'hitl.default.review.hard_disagreement'], [5, 'hitl.default.cancel.hard_disagreement']]);
    await rest[0]!.ackAck();
    await rest[1]!.ackAck();
    expect(await purgeAt(2)).toBe(2);
    const slow = await bus.js.consumers.get(STREAMS.review.name, consumerNames.intake('default', 'low_confidence'));
    expect((await slow.next({ expires: 2_000 }))!.seq).toBe(1);
  });

  it('leaves what no consumer was made for', async () => {
    const bus = await stack.nats.bus('intake');
    await ensureStreams(bus);
    await ensureConsumers(bus, { default: ['main'] });
    await new Producer(await stack.nats.producer('team-a'), 'team-a').publish('review.hard_disagreement', message('early'));
    await new Producer(await stack.nats.producer()).publish('review.hard_disagreement', message('one'));
    const source = await bus.js.consumers.get(STREAMS.review.name, consumer);
    await (await source.next())!.ackAck();
    expect(await new ReviewPurge({ bus, crowded: 1, intervalMs: 1_000, logger: createLogger('test', 'silent') }).runOnce()).toBe(1);
    expect((await stack.jsm.streams.getMessage(STREAMS.review.name, { seq: 1 }))?.subject).toBe('hitl.team-a.review.hard_disagreement');
  });

  it('loses nothing of a flood of reviews and cancels while the store comes and goes', async () => {
    let store = await stack.startStore();
    await stack.startIntake({ UMPIRE_PURGE_INTERVAL_MS: '100' });
    const producer = new Producer(await stack.nats.producer());
    const ids = Array.from({ length: 400 }, (_, index) => `flood ${index}`);
    const flood = async () => {
      for (const id of ids) {
        await producer.publish('review.hard_disagreement', message(id));
        if (id.endsWith('7')) await producer.publish('cancel.hard_disagreement', bytes({ type: 'hitl_cancel', payload: { request_id: id } }));
      }
    };
    const published = flood();
    for (let round = 0; round < 3; round++) {
      await eventually('some more is stored', async () => (await storedCount()) > round * 60);
      await store.stop();
      store = await stack.startStore();
    }
    await published;
    await eventually('all are stored', async () => (await storedCount()) === ids.length, 30_000);
    await eventually('all is settled and purged', async () => (await stack.queued()) === 0);
    const [{ cancelled }] = await stack.database.sql<[{ cancelled: number }]>`select count(*)::int as cancelled from store.escalations where status = 'cancelled'`;
    expect(cancelled).toBe(40);
    expect(await stack.deadLetters()).toEqual([]);
  });

  async function storedCount(): Promise<number> {
    const [{ count }] = await stack.database.sql<[{ count: number }]>`select count(*)::int as count from store.escalations`;
    return count;
  }
});

describe('frames', () => {
  const entries = (count: number, size: number) => Array.from({ length: count }, (_, index) => {
    const read = readMessage(bytes(hitlRequest({ request_id: `r${index}`, padding: 'x'.repeat(size) })), { namespace: 'default', subject: null, submission: 's', interactionId: () => '', now: () => 0 }, () => null);
    if (!read.ok) throw new Error('the sample is not valid');
    return toSubmission(read.item, read.payload);
  });

  it('are cut at 150 items and 512 KiB, and what a cut reply leaves out is asked again', async () => {
    const bus = await stack.nats.bus('state-store');
    const frames: { items: number; bytes: number }[] = [];
    // Only the wire: how many verdicts come back is the store's to choose.
    bus.respond(submitSpec, async (frame) => {
      const { items } = decodeFrame<SubmitHeader>(frame).header;
      frames.push({ items: items.length, bytes: frame.length });
      return JSON.stringify({ verdicts: items.slice(0, 100).map(({ request_id }) => ({ request_id, status: 'stored' })) });
    });
    await bus.connection.flush();
    const client = new StoreClient(await stack.nats.bus('intake'), 5_000);
    expect(await client.submit('hard_disagreement', entries(400, 0))).toHaveLength(100);
    expect(await client.submit('hard_disagreement', entries(10, 200_000))).toHaveLength(2);
    expect(await client.submit('hard_disagreement', entries(60, 10_000))).toHaveLength(frames[2]!.items);
    expect(frames.map((frame) => frame.items)).toEqual([150, 2, expect.any(Number)]);
    expect(frames[2]!.bytes).toBeGreaterThan(490_000);
    expect(frames[2]!.bytes).toBeLessThanOrEqual(512 * 1024 + 10_000);
  });

  it('that the store refuses as a whole are halved until the one that it cannot keep is alone', async () => {
    const bus = await stack.nats.bus('state-store');
    // The wire alone, as above: which content a store cannot keep is not known here.
    bus.respond(submitSpec, async (frame) => {
      const { items } = decodeFrame<SubmitHeader>(frame).header;
      if (items.some(({ request_id }) => request_id === 'r77')) throw new UmpireError('bad_request', 'cannot be kept');
      return JSON.stringify({ verdicts: items.map(({ request_id }) => ({ request_id, status: 'stored' })) });
    });
    await bus.connection.flush();
    const client = new StoreClient(await stack.nats.bus('intake'), 5_000);
    const verdicts: Verdict[] = [];
    for (const all = entries(100, 0); verdicts.length < all.length; ) verdicts.push(...(await client.submit('hard_disagreement', all.slice(verdicts.length))));
    expect(verdicts.map(({ request_id }) => request_id)).toEqual(Array.from({ length: 100 }, (_, index) => `r${index}`));
    expect(verdicts.filter(({ status }) => status !== 'stored')).toEqual([{ request_id: 'r77', status: 'rejected', errors: [{ path: '', code: 'bad_request', message: 'cannot be kept' }] }]);
  });
});
