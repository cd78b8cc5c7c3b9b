import { delay, eventually } from '@umpire/testing';
import type { JetStreamClient } from '@nats-io/jetstream';
import type { Outcome } from '@umpire/contract';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hitlRequest, queueMessage } from './messages.ts';
import { readStream } from './operator.ts';
import { Receiver } from './receiver.ts';
import { Stack } from './stack.ts';

const COUNT = 2_000;
const KILLS_EACH = 10;
const SERVICES = ['intake', 'state-store', 'notifier', 'timeout-scheduler'];
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

let stack: Stack;
let receiver: Receiver;

beforeAll(async () => {
  stack = await Stack.start('split');
  receiver = await Receiver.register(stack);
});
afterAll(async () => {
  await receiver.close();
  await stack.stop();
});

/** mulberry32: small, seedable, good enough to choose victims and moments. */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Tries again, for as long as a service is being restarted, what is safe to try again. */
async function untilAnswered(what: string, ask: () => Promise<{ status: number; body: any }>, accepted: number[]): Promise<any> {
  return eventually(what, async () => {
    const answer = await ask();
    if (accepted.includes(answer.status)) return answer;
    if (![429, 500, 502, 503, 504, 409].includes(answer.status)) throw new Error(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return null;
  }, 120_000);
}

async function publish(js: JetStreamClient, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) {
    const id = `kill/${seed}/${i}`;
    const body = queueMessage(hitlRequest(id));
    if (i % 4 === 0) await untilAnswered(`POST ${id}`, () => stack.post('/api/escalations', stack.connection.keys.producer, body), [202]);
    else await js.publish('hitl.default.review.hard_disagreement', body);
  }
}

/** Decides everything as its webhook comes in, as a reviewer's client would. */
async function decideAll(): Promise<void> {
  const asked = new Set<string>();
  const deciding: Promise<unknown>[] = [];
  await eventually('everything asked for', async () => {
    for (const { requestId, event } of receiver.received) {
      if (event !== 'hitl_escalation_required' || asked.has(requestId)) continue;
      asked.add(requestId);
      deciding.push(untilAnswered(`respond ${requestId}`, () => stack.respond(requestId, { decision: 'approve' }), [200]));
    }
    return asked.size === COUNT;
  }, 400_000);
  await Promise.all(deciding);
}

/** Kills while it publishes, a slice of the load to each kill, so that there is work under way at every one. */
async function publishAndKill(random: () => number): Promise<number> {
  const { js } = await stack.producer();
  const victims = SERVICES.flatMap((name) => Array<string>(KILLS_EACH).fill(name)).map((name) => ({ name, order: random() })).sort((a, b) => a.order - b.order);
  const slice = COUNT / victims.length;
  for (const [index, { name }] of victims.entries()) {
    const publishing = publish(js, Math.round(index * slice), Math.round((index + 1) * slice));
    // A random moment within the slice: the load's own pace, nothing is waited for.
    await delay(random() * 400);
    const pid = await eventually(`${name} to be running`, () => stack.pidOf(name));
    process.kill(pid, 'SIGKILL');
    await eventually(`${name} to be started again`, async () => ((now) => now !== null && now !== pid)(await stack.pidOf(name)));
    await publishing;
  }
  return victims.length;
}

it(`stores, opens, delivers and resolves each once while every service is killed ${KILLS_EACH} times (seed ${seed})`, async () => {
  const [kills] = await Promise.all([publishAndKill(randomFrom(seed)), decideAll()]);
  await eventually('every resolved webhook', () => new Set(receiver.received.filter((w) => w.event === 'hitl_escalation_resolved').map((w) => w.requestId)).size === COUNT, 300_000);

  const sql = postgres(stack.connection.postgres_url, { max: 1 });
  const [rows] = await sql<{ stored: number; settled: number }[]>`select count(*)::int as stored, count(*) filter (where status = 'completed')::int as settled from store.escalations where request_id like 'kill/%'`;
  const [events] = await sql<{ opened: number; resolved: number; gaps: number; chains: number }[]>`
    select count(*) filter (where type = 'opened')::int as opened, count(*) filter (where type = 'resolved')::int as resolved,
      count(*) filter (where seq <> position)::int as gaps, count(distinct request_id)::int as chains
    from (select request_id, type, seq, row_number() over (partition by namespace, request_id order by seq) as position from store.events where request_id like 'kill/%') as log`;
  const outbox = await eventually('an empty outbox', async () => (await sql`select 1 from store.outbox`).length === 0);
  await sql.end();
  const outcomes = (await readStream<Outcome>(stack, 'HITL_OUTCOMES')).filter((outcome) => outcome.request_id.startsWith('kill/'));
  const webhookIds = new Map<string, Set<string>>();
  for (const { requestId, event, id } of receiver.received) {
    const key = `${requestId} ${event}`;
    webhookIds.set(key, (webhookIds.get(key) ?? new Set()).add(id));
  }
  const counts = {
    kills, ...rows, ...events,
    outcomeIds: new Set(outcomes.map((outcome) => outcome.id)).size,
    webhooks: receiver.received.length,
    webhookEvents: webhookIds.size,
    underOneId: [...webhookIds.values()].filter((ids) => ids.size === 1).length,
    signatureFaults: receiver.faults.length,
  };
  console.log(`seed ${seed}`, JSON.stringify(counts));
  expect(outbox).toBe(true);
  expect(counts).toMatchObject({
    kills: SERVICES.length * KILLS_EACH, stored: COUNT, settled: COUNT, opened: COUNT, resolved: COUNT, gaps: 0, chains: COUNT, outcomeIds: COUNT,
    webhookEvents: 2 * COUNT, underOneId: 2 * COUNT, signatureFaults: 0,
  });
}, 900_000);
