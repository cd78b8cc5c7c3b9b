import { readFileSync } from 'node:fs';
import type { JetStreamClient } from '@nats-io/jetstream';
import { delay, eventually } from '@umpire/testing';
import { hitlRequest, queueMessage } from '../../../e2e/src/messages.ts';
import type { FaultCase, FaultRun } from '../fault-case.ts';
import { SERVICES } from '../fault-stack.ts';

const OVERDRIVE = 3;
const MEASURED = 2_000;
const REASON = 'low_confidence';
const FLOOD_MS = 25_000;
/** What a service may hold at most, MiB: far above what it needs, far below what an unbounded queue would take. */
const MOST_MEMORY = 600;
const MOST_POSTS = 3_000;

/** More than it can take. */
export const overdriveCases: FaultCase[] = [
  {
    name: 'overdrive',
    breaks: 'three times what it can sustain comes into one namespace, by POST and by JetStream, while another goes on as ever',
    load: { perSecond: 15, onlyNamespace: 'bystander' },
    run: async (run) => {
      const { js } = await run.faults.stack.producer();
      const sustained = await measure(run, js);
      run.say(`sustained: ${sustained} stored a second`);
      const bystander = bystanderCount(run);
      const memory = new Memory(run);
      const [posts, published] = await Promise.all([floodByPost(run, Math.ceil(sustained * OVERDRIVE / 2)), floodByStream(run, js, Math.ceil(sustained * OVERDRIVE / 2))]);
      const { ids: postedIds, ...counts } = posts;
      const others = bystanderCount(run) - bystander;
      run.say(`the flood is over: ${JSON.stringify({ ...counts, published: published.acked, bystander: others })}`);
      const accepted = [...postedIds, ...published.ids];
      const refused = posts.refused + published.refused;
      await drained(run, accepted);
      const most = await memory.end();
      if (posts.withoutRetryAfter > 0) throw new Error(`${posts.withoutRetryAfter} refusals without Retry-After`);
      if (refused === 0) throw new Error('nothing was pushed back');
      if (others < 100) throw new Error(`the other namespace was stored only ${others} times meanwhile`);
      for (const [name, megabytes] of Object.entries(most)) if (megabytes > MOST_MEMORY) throw new Error(`${name} held ${megabytes} MiB`);
      return { sustainedPerSecond: sustained, accepted: accepted.length, refused, tooMany: posts.tooMany, away: posts.away, queued: posts.queued, bystanderMeanwhile: others, ...Object.fromEntries(Object.entries(most).map(([name, megabytes]) => [`${name}MiB`, megabytes])) };
    },
  },
];

const bystanderCount = (run: FaultRun) => run.load.book.acked.length;

/** @returns how many a second are stored while a backlog of them lies in the stream */
async function measure(run: FaultRun, js: JetStreamClient): Promise<number> {
  const began = performance.now();
  const publish = (index: number) => js.publish(`hitl.default.review.${REASON}`, queueMessage(hitlRequest(`o/measured/${index}`, REASON), REASON), { timeout: 30_000 });
  await Promise.all(Array.from({ length: MEASURED }, (_, index) => publish(index)));
  await run.database((sql) => eventually('the measured ones to be stored', async () =>
    (await sql<{ n: number }[]>`select count(*)::int as n from store.escalations where request_id like 'o/measured/%'`)[0]!.n === MEASURED, 120_000));
  return Math.round(MEASURED / ((performance.now() - began) / 1_000));
}

type Posted = { ids: string[]; stored: number; queued: number; refused: number; tooMany: number; away: number; broken: number; withoutRetryAfter: number };

/** Posts at a pace that no answer slows. */
async function floodByPost(run: FaultRun, perSecond: number): Promise<Posted> {
  const { stack } = run.faults;
  const result: Posted = { ids: [], stored: 0, queued: 0, refused: 0, tooMany: 0, away: 0, broken: 0, withoutRetryAfter: 0 };
  await atPace(perSecond, async (index) => {
    const id = `o/posted/${index}`;
    const answer = await stack.post('/api/escalations', stack.connection.keys.producer, queueMessage(hitlRequest(id, REASON), REASON)).catch(() => null);
    if (answer?.status === 202) {
      result.ids.push(id);
      result[answer.body.status === 'stored' ? 'stored' : 'queued'] += 1;
    } else if (answer?.status === 429 || answer?.status === 503) {
      result.refused += 1;
      result[answer.status === 429 ? 'tooMany' : 'away'] += 1;
      result.withoutRetryAfter += Number(answer.headers.get('retry-after') === null);
    } else result.broken += 1;
  });
  return result;
}

async function floodByStream(run: FaultRun, js: JetStreamClient, perSecond: number): Promise<{ ids: string[]; acked: number; refused: number }> {
  const result = { ids: [] as string[], acked: 0, refused: 0 };
  await atPace(perSecond, async (index) => {
    const id = `o/published/${index}`;
    try {
      await js.publish(`hitl.default.review.${REASON}`, queueMessage(hitlRequest(id, REASON), REASON), { timeout: 10_000, retries: 0 });
      result.ids.push(id);
      result.acked += 1;
    } catch {
      result.refused += 1;
    }
  });
  return result;
}

async function atPace(perSecond: number, send: (index: number) => Promise<void>): Promise<void> {
  const waiting = new Set<Promise<void>>();
  const beginning = performance.now();
  for (let index = 0; performance.now() - beginning < FLOOD_MS;) {
    const due = ((performance.now() - beginning) / 1_000) * perSecond;
    while (index < due && waiting.size < MOST_POSTS) {
      const one = send(index++).finally(() => waiting.delete(one));
      waiting.add(one);
    }
    await delay(5);
  }
  await Promise.all(waiting);
}

/** Waits until everything accepted is stored, opened, published, and delivered to the namespace's receiver. */
async function drained(run: FaultRun, accepted: string[]): Promise<void> {
  const receiver = run.receivers.get('default')!;
  await run.database(async (sql) => {
    await eventually('all accepted to be stored', async () =>
      (await sql<{ n: number }[]>`select count(*)::int as n from store.escalations where request_id = any(${accepted})`)[0]!.n === accepted.length, 300_000);
    await eventually('all to be published', async () => (await sql`select 1 from store.outbox limit 1`).length === 0, 300_000);
    const rows = await sql<{ n: number }[]>`select count(*)::int as n from store.events where request_id like 'o/%' and type = 'opened'`;
    await eventually('all to be delivered', () => new Set(receiver.received.filter((webhook) => webhook.requestId.startsWith('o/')).map((webhook) => webhook.id)).size >= rows[0]!.n, 300_000);
  });
}

/** Resident memory of the services and servers, looked at twice a second. */
class Memory {
  private readonly most: Record<string, number> = {};
  private readonly watching: Promise<void>;
  private ended = false;

  constructor(run: FaultRun) {
    this.watching = this.watch(run);
  }

  async end(): Promise<Record<string, number>> {
    this.ended = true;
    await this.watching;
    return this.most;
  }

  private async watch(run: FaultRun): Promise<void> {
    while (!this.ended) {
      for (const name of [...SERVICES, 'nats']) {
        const pid = await run.faults.stack.pidOf(name);
        const megabytes = pid === null ? 0 : residentOf(pid);
        this.most[name] = Math.max(this.most[name] ?? 0, megabytes);
      }
      await delay(500);
    }
  }
}

/** @returns MiB; 0 for a process that has just gone */
function residentOf(pid: number): number {
  try {
    return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024);
  } catch {
    return 0;
  }
}
