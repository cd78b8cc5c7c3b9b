import { jetstream } from '@nats-io/jetstream';
import { subjects, type ApplyReply, type EscalationEvent, type Outcome } from '@umpire/contract';
import { eventually } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client, type Answer, type Client } from './test/http.ts';
import { cancellation, startHarness, submission, type Harness } from './test/store-harness.ts';

const ROUNDS = 45;
const REVIEWERS = 30;
const HTTP_CANCELS = 8;
const NATS_CANCELS = 6;
const TIMERS = 6;
const FAR_OFF = 3_600;

let harness: Harness;
let stores: Client[];
let reviewers: string[];
let producer: string;

beforeAll(async () => {
  harness = await startHarness();
  stores = [client((await harness.startStore()).origin), client((await harness.startStore()).origin)];
  reviewers = await Promise.all(Array.from({ length: REVIEWERS }, (_, index) => harness.key(['reviewer'], `person-${index}`)));
  producer = await harness.key(['producer']);
});
afterAll(() => harness.stop());

type Told = { who: 'person' | 'producer' | 'stream' | 'timer'; status: number | string; outcome: Outcome | null };

const told = (who: Told['who'], { status, body }: Answer): Told => ({ who, status, outcome: body.outcome ?? null });

/** A timer that asks until it is no longer wanted; only once where its time is far off. */
async function ring(request_id: string, farOff: boolean): Promise<Told> {
  for (;;) {
    const { results } = await harness.scheduler.requestJson<ApplyReply>(subjects.apply, { items: [{ namespace: 'default', request_id, kind: 'deadline', ordinal: 0, generation: 1 }] }, 10_000);
    const { status } = results[0]!;
    if (status !== 'retry_at' || farOff) return { who: 'timer', status, outcome: null };
  }
}

/** Fifty clients at once, on both stores: people, the producer over HTTP and over the stream, and timers. */
function race(request_id: string, round: number, farOff: boolean): Promise<Told[]> {
  const store = (index: number) => stores[(index + round) % 2]!;
  const people = Array.from({ length: REVIEWERS }, (_, index) => async () =>
    told('person', await store(index).post('/hitl/respond', { interaction_id: request_id, user_input: { decision: index % 3 ? 'approve' : 'reject', feedback: `from ${index}` } }, reviewers[index]!)));
  const cancels = Array.from({ length: HTTP_CANCELS }, (_, index) => async () => told('producer', await store(index).post(`/hitl/escalations/${request_id}/cancel`, { detail: `by ${index}` }, producer)));
  const streamed = Array.from({ length: NATS_CANCELS }, () => async (): Promise<Told> => {
    const [verdict] = await harness.submit([cancellation(request_id)]);
    return { who: 'stream', status: verdict!.status, outcome: verdict!.outcome ?? null };
  });
  const timers = Array.from({ length: TIMERS }, () => () => ring(request_id, farOff));
  // One side looks before it acts, or the stream, which needs no HTTP, would always be first.
  const looking = (acts: (() => Promise<Told>)[]) => acts.map((act, index) => () => store(index).get(`/hitl/status/${request_id}`, producer).then(act));
  const producers = [...cancels, ...streamed];
  const order = round % 3 === 0 ? [...producers, ...looking(people), ...timers] : [...people, ...timers, ...looking(producers)];
  return Promise.all(order.map((act) => act()));
}

async function published<T extends { request_id: string }>(stream: string): Promise<T[]> {
  const connection = await harness.nats.operator();
  const consumer = await jetstream(connection).consumers.get(stream);
  const { num_pending } = await consumer.info();
  const found: T[] = [];
  for await (const message of await consumer.fetch({ max_messages: num_pending, expires: 5_000 })) {
    found.push(message.json<T>());
    if (message.info.pending === 0) break;
  }
  await connection.close();
  return found;
}

describe('fifty clients racing on two stores', () => {
  it('have one winner each, and every loser learns the real outcome', async () => {
    expect(REVIEWERS + HTTP_CANCELS + NATS_CANCELS + TIMERS).toBe(50);
    const sources = new Map<string, number>();
    const outcomes = new Map<string, Outcome>();
    for (let round = 0; round < ROUNDS; round++) {
      const id = `race-${round}`;
      // No deadline in sight, one that has come when the first arrives, and one in the midst of them.
      const timeout_seconds = [FAR_OFF, 0.001, 0.02 + (round % 7) * 0.02][round % 5 === 4 ? 2 : round % 3 === 1 ? 1 : round % 2 ? 2 : 0]!;
      await harness.submit([submission(id, { interaction: { timeout_seconds, ...(round % 2 ? { default_action: 'reject' } : {}) } })]);
      const answers = await race(id, round, timeout_seconds === FAR_OFF);
      const status = await stores[round % 2]!.get(`/hitl/status/${id}`, producer);
      const { data: _, merged: __, ...outcome } = status.body.outcome;
      outcomes.set(id, outcome);
      sources.set(outcome.source, (sources.get(outcome.source) ?? 0) + 1);
      const people = answers.filter((answer) => answer.who === 'person');
      const winners = people.filter((answer) => answer.status === 200);
      expect({ id, winners: winners.length }).toEqual({ id, winners: outcome.source === 'human' ? 1 : 0 });
      // Winner or loser: whoever is told an outcome is told this one, and all but timers are told.
      for (const { who, outcome: heard } of answers) if (who !== 'timer') expect({ id, who, heard }).toEqual({ id, who, heard: outcome });
      for (const { status: code } of people.filter((answer) => !winners.includes(answer))) expect({ id, code }).toEqual({ id, code: 409 });
      for (const { who, status: code } of answers.filter((answer) => answer.who === 'producer' || answer.who === 'stream')) {
        const cancelled = outcome.source === 'cancel';
        expect({ id, who, code }).toEqual({ id, who, code: who === 'producer' ? (cancelled ? 200 : 409) : cancelled ? 'cancelled' : 'late' });
      }
    }
    // Each of the three has won somewhere, or this was no race.
    expect([...sources.keys()].toSorted()).toEqual(['cancel', 'human', 'timeout']);
    await expectOneEach(outcomes);
  }, 120_000);
});

describe('answers that two stores decide upon the same state', () => {
  /** Both have read the row when they wait for the one who holds it. */
  async function together(request_id: string, acts: (() => Promise<Answer>)[]): Promise<Answer[]> {
    const { sql } = harness.database;
    const answers = await sql.begin(async (tx) => {
      await tx`select 1 from store.escalations where request_id = ${request_id} for update`;
      const asked = acts.map((act) => act());
      await eventually('both to wait for the row', async () => {
        const [row] = await sql<{ waiting: number }[]>`select count(*)::int as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
        return row!.waiting === acts.length;
      });
      return { asked };
    });
    return Promise.all(answers.asked);
  }
  const answer = (request_id: string, index: number, decision = 'approve') => () => stores[index]!.post('/hitl/respond', { interaction_id: request_id, user_input: { decision } }, reviewers[index]!);

  it('all count', async () => {
    await harness.submit([submission('both-count', { interaction: { assignees: { users: ['person-0', 'person-1'] }, quorum: 'all' } })]);
    const answers = await together('both-count', [answer('both-count', 0), answer('both-count', 1)]);
    expect(answers.map(({ status, body }) => [status, body.state]).toSorted()).toEqual([[200, 'completed'], [200, 'pending']]);
    const { body } = await stores[0]!.get('/hitl/status/both-count', producer);
    expect(body.outcome).toMatchObject({ verdict: 'approve', source: 'human' });
    expect(body.outcome.decided_by.toSorted()).toEqual(['person-0', 'person-1']);
  });

  it('are told who was quicker', async () => {
    await harness.submit([submission('one-wins')]);
    const answers = await together('one-wins', [answer('one-wins', 0, 'approve'), answer('one-wins', 1, 'reject')]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    const [won, lost] = answers.toSorted((a, b) => a.status - b.status);
    expect(lost!.body).toMatchObject({ code: 'already_settled', outcome: won!.body.outcome });
  });
});

/** What is on record and on the streams: no gap, one settling event, one outcome. */
async function expectOneEach(outcomes: Map<string, Outcome>): Promise<void> {
  const logs = await harness.database.sql<{ request_id: string; seqs: number[]; settling: number; seq: number; head: boolean }[]>`
    select e.request_id, array_agg(v.seq order by v.seq) as seqs, count(*) filter (where v.type in ('resolved', 'expired', 'cancelled'))::int as settling, e.seq,
      bool_or(v.hash = e.head and v.seq = e.seq) as head
    from store.escalations e join store.events v using (namespace, request_id) where e.request_id like 'race-%' group by e.namespace, e.request_id, e.seq`;
  expect(logs).toHaveLength(ROUNDS);
  for (const { request_id, seqs, settling, seq, head } of logs) {
    expect({ request_id, seqs, settling, head }).toEqual({ request_id, seqs: Array.from({ length: seq }, (_, index) => index + 1), settling: 1, head: true });
  }
  await eventually('an empty outbox', async () => (await harness.database.sql`select 1 from store.outbox`).length === 0);
  const sent = (await published<Outcome>('HITL_OUTCOMES')).filter((outcome) => outcome.request_id.startsWith('race-'));
  expect(sent.map((outcome) => outcome.request_id).toSorted()).toEqual([...outcomes.keys()].toSorted());
  for (const outcome of sent) expect(outcome).toEqual(outcomes.get(outcome.request_id));
  const events = (await published<EscalationEvent>('HITL_EVENTS')).filter((event) => event.request_id.startsWith('race-'));
  expect(new Set(events.map((event) => `${event.request_id}/${event.seq}`)).size).toBe(events.length);
  expect(events).toHaveLength(logs.reduce((sum, { seq }) => sum + seq, 0));
}
