import { NoRespondersError, TimeoutError } from '@nats-io/transport-node';
import { UmpireError, type Reason, type SubmitItem, type Verdict } from '@umpire/contract';
import { inSpan, startTracing, stopTracing } from '@umpire/runtime';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { bytes, hitlRequest } from '../test/samples.ts';
import { DirectSubmissions } from './direct.service.ts';
import { readMessage } from './message/read-message.ts';
import type { StoreClient } from './store.client.ts';
import { toSubmission, type Submission } from './submission.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const idsOf = (entries: readonly Submission[]) => entries.map(({ request_id }) => request_id);
const stored = (request_id: string): Verdict => ({ request_id, status: 'stored' });

/** A store that answers when it is told to: the first `count` of what it was sent. */
function heldStore() {
  const sent: { reason: Reason; ids: string[]; items: SubmitItem[]; namespace: string; answer(count?: number): void; fail(error: Error): void }[] = [];
  const submit: StoreClient['submit'] = (reason, entries) => new Promise((resolve, reject) => {
    const ids = idsOf(entries);
    const items = entries.map(({ item }) => JSON.parse(Buffer.from(item).toString()) as SubmitItem);
    sent.push({ reason, ids, items, namespace: entries[0]!.namespace, answer: (count = ids.length) => resolve(ids.slice(0, count).map(stored)), fail: reject });
  });
  return { sent, store: { submit } as StoreClient };
}

function submission(request_id: string, { namespace = 'default', reason = 'hard_disagreement' as Reason } = {}): Submission {
  const read = readMessage(bytes(hitlRequest({ request_id, escalation_reason: reason })), { namespace, subject: null, submission: 's', interactionId: () => '', now: () => 0 }, () => null);
  if (!read.ok) throw new Error('the sample is not valid');
  return toSubmission(read.item, read.payload);
}

afterEach(async () => {
  vi.useRealTimers();
  await stopTracing();
});

describe('DirectSubmissions', () => {
  it('sends together what comes together, and tells each its verdict', async () => {
    const { sent, store } = heldStore();
    const direct = new DirectSubmissions(store, 60_000);
    const told = ['a', 'b'].map((id) => direct.submit(submission(id)));
    await turn();
    expect(sent).toMatchObject([{ reason: 'hard_disagreement', ids: ['a', 'b'] }]);
    sent[0]!.answer();
    expect(await Promise.all(told)).toEqual([stored('a'), stored('b')]);
  });

  it('hands on the trace of each that has one', async () => {
    await startTracing('test', { OTEL_TRACES_EXPORTER: 'otlp' });
    const { sent, store } = heldStore();
    const direct = new DirectSubmissions(store, 60_000);
    const within = (digit: string, id: string) => inSpan('post', { parent: `00-${digit.repeat(32)}-${digit.repeat(16)}-01` }, () => direct.submit(submission(id)));
    const told = [within('a', 'first'), direct.submit(submission('second')), within('b', 'third')];
    await turn();
    expect(sent[0]!.items.map(({ request_id, trace }) => [request_id, trace?.split('-')[1]])).toEqual([['first', 'a'.repeat(32)], ['second', undefined], ['third', 'b'.repeat(32)]]);
    sent[0]!.answer();
    expect(await Promise.all(told)).toEqual(['first', 'second', 'third'].map(stored));
  });

  it('sends the rest again where the store answers for fewer than it was sent', async () => {
    const { sent, store } = heldStore();
    const direct = new DirectSubmissions(store, 60_000);
    const told = ['a', 'b', 'c'].map((id) => direct.submit(submission(id)));
    await turn();
    sent[0]!.answer(2);
    await turn();
    expect(sent.map(({ ids }) => ids)).toEqual([['a', 'b', 'c'], ['c']]);
    sent[1]!.answer();
    expect(await Promise.all(told)).toEqual([stored('a'), stored('b'), stored('c')]);
  });

  const unavailable = (cause?: Error) => new UmpireError('unavailable', 'no answer', { cause });
  const noResponders = unavailable(new NoRespondersError('umpire.store.submit.hard_disagreement'));

  it('says `unsent` where nobody listened', async () => {
    const { sent, store } = heldStore();
    const told = new DirectSubmissions(store, 60_000).submit(submission('a'));
    await turn();
    sent[0]!.fail(noResponders);
    expect(await told).toBe('unsent');
  });

  it.each([unavailable(new TimeoutError()), unavailable(), new TypeError('a fault of ours')])('asks once more after any other fault: %s', async (fault) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const { sent, store } = heldStore();
    const told = new DirectSubmissions(store, 60_000).submit(submission('a'));
    await turn();
    sent[0]!.fail(fault);
    await turn();
    vi.advanceTimersByTime(100);
    await turn();
    expect(sent.map(({ ids }) => ids)).toEqual([['a'], ['a']]);
    sent[1]!.answer();
    expect(await told).toEqual(stored('a'));
  });

  it.each([unavailable(), noResponders])('does not know after two, and leaves that store alone for five seconds: %s', async (second) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const { sent, store } = heldStore();
    const direct = new DirectSubmissions(store, 60_000);
    const told = direct.submit(submission('a'));
    await turn();
    sent[0]!.fail(unavailable());
    await turn();
    vi.advanceTimersByTime(100);
    await turn();
    // The first may have reached the store, whoever heard the second.
    sent[1]!.fail(second);
    expect(await told).toBe('unknown');
    vi.advanceTimersByTime(4_900);
    expect(await direct.submit(submission('b'))).toBe('unsent');
    vi.advanceTimersByTime(200);
    const later = direct.submit(submission('c'));
    const elsewhere = direct.submit(submission('d', { namespace: 'team-a' }));
    await turn();
    expect(sent.slice(2).map(({ ids }) => ids)).toEqual([['c'], ['d']]);
    for (const one of sent.slice(2)) one.answer();
    expect(await Promise.all([later, elsewhere])).toEqual([stored('c'), stored('d')]);
  });

  it('says so of the rest alone if the store goes away in between', async () => {
    const { sent, store } = heldStore();
    const direct = new DirectSubmissions(store, 60_000);
    const told = ['a', 'b', 'c'].map((id) => direct.submit(submission(id)));
    await turn();
    sent[0]!.answer(1);
    await turn();
    sent[1]!.fail(noResponders);
    expect(await Promise.all(told)).toEqual([stored('a'), 'unsent', 'unsent']);
  });

  it('says `unknown` when its time is over, and does not send what waited for longer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const { sent, store } = heldStore();
    const direct = new DirectSubmissions(store, 1_000);
    const told: Promise<unknown>[] = [];
    const submit = async (id: string) => {
      told.push(direct.submit(submission(id)));
      await turn();
    };
    await submit('first lane');
    // Past the patience with it.
    vi.advanceTimersByTime(60);
    await submit('second lane');
    await submit('waits in vain');
    vi.advanceTimersByTime(600);
    await submit('waits');
    vi.advanceTimersByTime(500);
    expect(await Promise.all(told.slice(0, 3))).toEqual(['unknown', 'unknown', 'unknown']);
    sent[0]!.answer();
    await turn();
    await turn();
    expect(sent.map(({ ids }) => ids)).toEqual([['first lane'], ['second lane'], ['waits']]);
    sent[2]!.answer();
    expect(await told[3]).toEqual(stored('waits'));
  });

  it('lets namespaces and reasons not wait for each other', async () => {
    const { sent, store } = heldStore();
    const direct = new DirectSubmissions(store, 60_000);
    const told: Promise<unknown>[] = [];
    for (const [id, of] of [['held', {}], ['elsewhere', { namespace: 'team-a' }], ['otherwise', { reason: 'low_confidence' }], ['waits', {}]] as const) {
      told.push(direct.submit(submission(id, of)));
      await turn();
    }
    expect(sent.map(({ namespace, reason, ids }) => [namespace, reason, ids])).toEqual([
      ['default', 'hard_disagreement', ['held']], ['team-a', 'hard_disagreement', ['elsewhere']], ['default', 'low_confidence', ['otherwise']],
    ]);
    sent[1]!.answer();
    sent[2]!.answer();
    expect(await Promise.all(told.slice(1, 3))).toEqual([stored('elsewhere'), stored('otherwise')]);
    sent[0]!.answer();
    expect(await told[0]).toEqual(stored('held'));
    await turn();
    sent[3]!.answer();
    expect(await told[3]).toEqual(stored('waits'));
  });
});
