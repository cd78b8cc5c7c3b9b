import { delay } from '@umpire/testing';
import type { FaultCase, FaultRun } from '../fault-case.ts';

/** Redis makes reads quick and decides nothing: killed, emptied, slow or wrong, it must change speed and never an answer. */
export const redisCases: FaultCase[] = [
  {
    name: 'redis-kill',
    breaks: 'Redis is ended by kill -9, again and again, and stays away for 5 s, while settled escalations are read',
    shows: ['reads'],
    run: async (run) => {
      const reading = readSettled(run);
      for (let kill = 0; kill < 4; kill++) {
        await run.servers.redis.restart({ signal: 'SIGKILL' });
        await run.load.moreAcked(40);
      }
      await run.servers.redis.stop();
      await delay(5_000);
      await run.servers.redis.start();
      await run.load.moreAcked(40);
      return reading.end();
    },
  },
  {
    name: 'redis-slow',
    breaks: 'every answer of Redis takes 700 ms, then none comes at all for 10 s, while settled escalations are read',
    shows: ['reads'],
    stack: { lines: ['redis'] },
    run: async (run) => {
      const reading = readSettled(run);
      run.faults.lines.redis.slow(700);
      await run.load.moreAcked(200);
      run.faults.lines.redis.slow(0);
      run.faults.lines.redis.freeze();
      await delay(10_000);
      run.faults.lines.redis.thaw();
      await run.load.moreAcked(60);
      return reading.end();
    },
  },
  {
    name: 'redis-flush',
    breaks: 'Redis is emptied ten times a second, while settled escalations are read',
    shows: ['reads'],
    run: async (run) => {
      const reading = readSettled(run);
      const redis = await import('ioredis');
      const client = new redis.Redis(run.faults.stack.connection.redis_url);
      for (let flush = 0; flush < 150; flush++) {
        await client.flushall();
        await delay(100);
      }
      await client.quit();
      return reading.end();
    },
  },
];

/** Reads what alice has settled, again and again: an answer of any other state would be a stale one. */
function readSettled(run: FaultRun): { end: () => Promise<{ reads: number; slowestReadMs: number }> } {
  const { stack } = run.faults;
  let ended = false;
  let reads = 0;
  let slowestReadMs = 0;
  const reading = (async () => {
    while (!ended) {
      const settled = run.load.book.acked.filter((entry) => entry.accepted?.state === 'completed');
      const entry = settled[Math.floor(run.random() * settled.length)];
      if (entry) {
        const began = performance.now();
        const answer = await stack.get(`/hitl/status/${encodeURIComponent(entry.id)}`, stack.connection.namespaces[entry.namespace]!.keys.producer);
        slowestReadMs = Math.max(slowestReadMs, Math.round(performance.now() - began));
        reads += 1;
        if (answer.status !== 200 || answer.body.status !== 'completed') run.load.book.surprises.push(`${entry.id} was settled and read as ${answer.status} ${answer.text.slice(0, 200)}`);
      }
      await delay(20);
    }
  })();
  return {
    end: async () => {
      ended = true;
      await reading;
      return { reads, slowestReadMs };
    },
  };
}
