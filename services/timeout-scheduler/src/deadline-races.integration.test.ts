import { jetstream } from '@nats-io/jetstream';
import { eventually } from '@umpire/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Outcome } from '@umpire/contract';
import { RealStore, submission } from '../test/real-store.ts';

// Decisions against deadlines with nothing standing in: two stores and two schedulers on Postgres, NATS and Redis.

const COUNT = Number(process.env['RACES'] ?? 10_000);
const ROUND = 500;
/** Every tenth is left to the scheduler alone. */
const isDecided = (nth: number) => nth % 10 !== 0;
const CLIENTS = 24;

let real: RealStore;
let origins: string[];
let metricsOrigin: string;
let keys: Record<string, string>;

beforeAll(async () => {
  real = await RealStore.start();
  origins = [await real.startStore(), await real.startStore()];
  keys = { default: await real.harness.key(['reviewer'], 'alice'), 'team-a': await real.harness.key(['reviewer'], 'alice', 'team-a') };
  [{ origin: metricsOrigin }] = await Promise.all([real.startScheduler(), real.startScheduler()]);
});
afterAll(() => real.stop());

const namespaceOf = (nth: number) => (nth % 3 === 0 ? 'team-a' : 'default');
const idOf = (nth: number) => `race-${nth}`;

async function decide(nth: number): Promise<{ status: number; outcome: Outcome | null }> {
  const response = await fetch(`${origins[nth % 2]}/hitl/respond`, {
    method: 'POST', headers: { authorization: `Bearer ${keys[namespaceOf(nth)]}`, 'content-type': 'application/json' },
    body: JSON.stringify({ interaction_id: idOf(nth), user_input: { decision: 'approve' } }),
  });
  const { outcome } = (await response.json()) as { outcome?: Outcome };
  return { status: response.status, outcome: outcome ?? null };
}

/** What a round showed of this machine: how long opening takes, and how fast decisions are answered, ms. */
type Pace = { opening: number; each: number };

/**
 * Opens a round's escalations so that each one's deadline lies where its decision is expected to arrive at the pace of the round
 * before, up to 60 ms sooner or later, and then decides them in that order.
 */
async function raceRound(first: number, pace: Pace, answers: Map<number, Awaited<ReturnType<typeof decide>>>): Promise<Pace> {
  const startedAt = performance.now();
  await real.open(Array.from({ length: ROUND }, (_, index) => {
    const jitter = ((index * 7_919) % 121) - 60;
    // What is opened later has less of the opening before it.
    const lead = pace.opening * (1 - index / ROUND);
    const timeout_seconds = Math.max(1, Math.round(lead + index * pace.each + jitter)) / 1000;
    return submission(idOf(first + index), { namespace: namespaceOf(first + index), interaction: { timeout_seconds, on_timeout: index % 2 === 0 ? 'expire' : 'default', ...(index % 2 === 0 ? {} : { default_action: 'reject' }) } });
  }));
  const openedAt = performance.now();
  let next = 0;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    for (let index = next++; index < ROUND; index = next++) if (isDecided(index)) answers.set(first + index, await decide(first + index));
  }));
  return { opening: openedAt - startedAt, each: (performance.now() - openedAt) / ROUND };
}

it(`${COUNT} decisions that race their deadlines end in exactly one result each, none of them after its deadline`, async () => {
  const answers = new Map<number, Awaited<ReturnType<typeof decide>>>();
  let pace: Pace = { opening: 300, each: 2 };
  for (let first = 0; first < COUNT; first += ROUND) pace = await raceRound(first, pace, answers);
  const { sql } = real.harness.database;
  await eventually('everything is settled and told', async () => {
    const [row] = await sql<{ open: number; outbox: number }[]>`
      select (select count(*)::int from store.escalations where status = 'pending') as open, (select count(*)::int from store.outbox) as outbox`;
    return row!.open === 0 && row!.outbox === 0 && (await real.timers()) === 0;
  }, 60_000);

  const [record] = await sql<Record<string, number>[]>`
    select count(*)::int as escalations, count(*) filter (where settling <> 1)::int as not_settled_once, count(*) filter (where gaps > 0)::int as with_gaps,
      count(*) filter (where human > 0 and settled_at >= deadline)::int as decided_late, count(*) filter (where human = 0 and settled_at < deadline)::int as timed_out_early,
      count(*) filter (where human > 0)::int as decided, count(*) filter (where human = 0)::int as timed_out
    from (
      select e.request_id, e.deadline, max(v.occurred_at) filter (where v.type in ('resolved', 'expired', 'cancelled')) as settled_at,
        count(*) filter (where v.type in ('resolved', 'expired', 'cancelled')) as settling, count(*) filter (where v.type = 'responded') as human, max(v.seq) - count(*) as gaps
      from store.escalations e join store.events v using (namespace, request_id) group by e.namespace, e.request_id, e.deadline) as ended`;
  expect(record).toMatchObject({ escalations: COUNT, not_settled_once: 0, with_gaps: 0, decided_late: 0, timed_out_early: 0 });
  // Both have won often, or this was no race.
  expect(record!['decided']).toBeGreaterThan(COUNT / 20);
  expect(record!['timed_out']).toBeGreaterThan(COUNT / 10 + COUNT / 20);

  const published = await outcomes();
  expect(published.size).toBe(COUNT);
  for (const sent of published.values()) expect(sent).toHaveLength(1);
  // Whoever asked was told the one outcome there is.
  const accepted = [...answers.values()].filter((answer) => answer.status === 200).length;
  expect(accepted).toBe(record!['decided']);
  for (const [nth, { status, outcome }] of answers) {
    const [only] = published.get(idOf(nth))!;
    expect({ nth, status, outcome }).toEqual({ nth, status: only!.source === 'human' ? 200 : 409, outcome: only });
  }
  const [database] = await sql<{ deadlocks: number }[]>`select deadlocks::integer from pg_stat_database where datname = current_database()`;
  expect(database!.deadlocks).toBe(0);
  // No timer asked before its time (the store would have said when to come again), and those that nobody decided were the timers' to end.
  const fired = await firedByResult();
  expect(fired.get('retry_at') ?? 0).toBe(0);
  expect(fired.get('applied')).toBeGreaterThanOrEqual(COUNT / 10);
}, 240_000);

async function firedByResult(): Promise<Map<string, number>> {
  const text = await (await fetch(`${metricsOrigin}/metrics`)).text();
  return new Map([...text.matchAll(/^umpire_timeout_scheduler_fired_total\{kind="deadline",result="(\w+)"\} (\d+)$/gm)].map(([, result, count]) => [result!, Number(count)]));
}

async function outcomes(): Promise<Map<string, Outcome[]>> {
  const connection = await real.harness.nats.operator();
  const consumer = await jetstream(connection).consumers.get('HITL_OUTCOMES');
  const { num_pending } = await consumer.info();
  const found: Outcome[] = [];
  for await (const message of await consumer.consume({ max_messages: 1_000 })) {
    found.push(message.json<Outcome>());
    if (found.length >= num_pending) break;
  }
  await connection.close();
  return Map.groupBy(found, (outcome) => outcome.request_id);
}
