import { delay } from '@umpire/testing';
import type { Counts } from '../audit.ts';
import type { Entry } from '../book.ts';
import type { FaultCase, FaultRun } from '../fault-case.ts';

/** Redis makes reads quick and decides nothing: killed, emptied, slow or wrong, it must change speed and never an answer. */
export const redisCases: FaultCase[] = [
  {
    name: 'redis-kill',
    breaks: 'Redis is ended by kill -9, again and again, and stays away for 5 s, while settled escalations are read',
    shows: ['reads', 'itemReads'],
    run: (run) => whileReading(run, async () => {
      for (let kill = 0; kill < 4; kill++) {
        await run.servers.redis.restart({ signal: 'SIGKILL' });
        await run.load.moreAcked(40);
      }
      await run.servers.redis.stop();
      await delay(5_000);
      await run.servers.redis.start();
      await run.load.moreAcked(40);
      return {};
    }),
  },
  {
    name: 'redis-slow',
    breaks: 'every answer of Redis takes 700 ms, then none comes at all for 10 s, while settled escalations are read',
    shows: ['reads', 'itemReads'],
    stack: { lines: ['redis'] },
    run: (run) => whileReading(run, async () => {
      run.faults.lines.redis.slow(700);
      await run.load.moreAcked(200);
      run.faults.lines.redis.slow(0);
      run.faults.lines.redis.freeze();
      await delay(10_000);
      run.faults.lines.redis.thaw();
      await run.load.moreAcked(60);
      return {};
    }),
  },
  {
    name: 'redis-flush',
    breaks: 'Redis is emptied ten times a second, while settled escalations are read',
    shows: ['reads', 'itemReads'],
    run: (run) => whileReading(run, async () => {
      const redis = await import('ioredis');
      const client = new redis.Redis(run.faults.stack.connection.redis_url);
      for (let flush = 0; flush < 150; flush++) {
        await client.flushall();
        await delay(100);
      }
      await client.quit();
      return {};
    }),
  },
];

/**
 * Reads again and again while the work lasts: the status and the whole of what alice has settled, of which any other state would be a
 * stale answer, and the whole of what may still be pending, so that versions which are old later have been kept.
 * @returns the work's counts, and those of the reads
 */
export async function whileReading(run: FaultRun, work: () => Promise<Counts>): Promise<Counts> {
  const counts = { reads: 0, itemReads: 0, slowestReadMs: 0 };
  let ended = false;
  const reading = (async () => {
    for (; !ended; await delay(20)) {
      const { acked } = run.load.book;
      const one = (entries: Entry[]) => entries[Math.floor(run.random() * entries.length)];
      const settled = one(acked.filter((entry) => entry.accepted?.state === 'completed'));
      if (settled) {
        await read(run, counts, 'status', settled, true);
        await read(run, counts, 'escalations', settled, true);
      }
      const young = one(acked.slice(-20));
      if (young) await read(run, counts, 'escalations', young, false);
    }
  })();
  // What befalls the readers is told by the wait below.
  reading.catch(() => undefined);
  try {
    return { ...(await work()), ...counts };
  } finally {
    ended = true;
    await reading;
  }
}

async function read(run: FaultRun, counts: { reads: number; itemReads: number; slowestReadMs: number }, what: 'status' | 'escalations', entry: Entry, settled: boolean): Promise<void> {
  const { stack } = run.faults;
  const began = performance.now();
  const answer = await stack.get(`/hitl/${what}/${encodeURIComponent(entry.id)}`, stack.connection.namespaces[entry.namespace]!.keys.producer);
  counts.slowestReadMs = Math.max(counts.slowestReadMs, Math.round(performance.now() - began));
  const id = what === 'status' ? answer.body?.interaction_id : answer.body?.request_id;
  // What the stream alone has taken is not stored yet.
  const right = settled ? answer.status === 200 && id === entry.id && answer.body.status === 'completed' : answer.status === 404 || (answer.status === 200 && id === entry.id);
  if (!right) run.load.book.surprises.push(`${entry.id}${settled ? ' was settled and' : ''} was read (${what}) as ${answer.status} ${answer.text.slice(0, 200)}`);
  else if (settled) counts[what === 'status' ? 'reads' : 'itemReads'] += 1;
}
