import { Queue, Worker } from 'bullmq';
import { makeWorkerUtils, run as runWorker, Logger } from 'graphile-worker';
import { Redis } from 'ioredis';
import { PgBoss } from 'pg-boss';
import type { Messages } from '../harness/messages.ts';
import { until, type Product } from '../harness/product.ts';
import type { Contender } from '../harness/rounds.ts';
import { neededFor, warmingOf, WINDOW } from './ours.ts';

const CALLERS = 10;
const BULK = 500;
/** How many jobs may wait to be run, so that adding and running go on side by side, as they do in the product. */
const AHEAD = WINDOW;

type Work = { add: (payloads: object[]) => Promise<void>; done: () => number; stop: () => Promise<void> };

/**
 * A job system carrying the same messages: added by ten callers (one each, or in bulk), taken and completed beside it. Warmed and measured
 * as the others are: with as many on their way at the end as at the beginning.
 */
function peer(name: string, bulk: boolean, messages: Messages, count: number, start: () => Promise<Work>): Contender {
  return {
    name: `${name}, ${bulk ? 'bulk' : 'single'}`,
    run: async (round) => {
      const [warming, all] = [warmingOf(count), neededFor(count)];
      const payloads = messages.many(all, `bench/${name}/${round}`).map((message) => JSON.parse(message.text) as object);
      const work = await start();
      const size = bulk ? BULK : 1;
      let next = 0;
      const caller = async () => {
        while (next < all) {
          const at = next;
          next += size;
          if (at - work.done() > AHEAD) await until('room', async () => at - work.done() <= AHEAD, 300, 2);
          await work.add(payloads.slice(at, at + size));
        }
      };
      const reached = (done: number) => until(`${done} jobs`, async () => work.done() >= done, 300, 2).then(() => ({ at: performance.now(), added: next, done: work.done() }));
      const [before, after] = await Promise.all([reached(warming), reached(all - AHEAD), ...Array.from({ length: bulk ? 2 : CALLERS }, caller)]);
      await reached(all);
      await work.stop();
      const seconds = (after.at - before.at) / 1000;
      return { rate: (after.done - before.done) / seconds, add_rate: (after.added - before.added) / seconds };
    },
  };
}

export const pgBoss = (product: Product, messages: Messages, count: number, bulk: boolean): Contender => peer('pg-boss', bulk, messages, count, async () => {
  const boss = new PgBoss({ connectionString: await product.database('bench_boss'), max: CALLERS + 4, supervise: false, schedule: false });
  boss.on('error', (error) => { throw error; });
  await boss.start();
  await boss.createQueue('hitl');
  let done = 0;
  let running = true;
  const worker = async () => {
    while (running) {
      const jobs = await boss.fetch('hitl', { batchSize: bulk ? BULK : 100 });
      if (jobs.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      else await boss.complete('hitl', jobs.map((job) => job.id));
      done += jobs.length;
    }
  };
  const workers = [worker(), worker()];
  return {
    add: async (payloads) => void (bulk ? await boss.insert('hitl', payloads.map((data) => ({ data }))) : await boss.send('hitl', payloads[0]!)),
    done: () => done,
    stop: async () => {
      running = false;
      await Promise.all(workers);
      await boss.stop({ graceful: false });
    },
  };
});

const silent = new Logger(() => () => undefined);

export const graphileWorker = (product: Product, messages: Messages, count: number, bulk: boolean): Contender => peer('graphile-worker', bulk, messages, count, async () => {
  const connectionString = await product.database('bench_graphile');
  const utils = await makeWorkerUtils({ connectionString, logger: silent });
  await utils.migrate();
  let done = 0;
  // Its own fast mode: jobs taken in blocks, completions gathered.
  const runner = await runWorker({
    connectionString, logger: silent, noHandleSignals: true, concurrency: CALLERS, maxPoolSize: CALLERS + 4, taskList: { hitl: () => void (done += 1) },
    preset: { worker: { concurrentJobs: CALLERS, maxPoolSize: CALLERS + 4, pollInterval: 50, localQueue: { size: BULK }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
  });
  return {
    add: async (payloads) => void (bulk ? await utils.addJobs(payloads.map((payload) => ({ identifier: 'hitl', payload }))) : await utils.addJob('hitl', payloads[0]!)),
    done: () => done,
    stop: async () => {
      await runner.stop();
      await utils.release();
    },
  };
});

/** With its log on, flushed every second, as its documentation recommends: a crash may lose the last second. */
export const bullMq = (product: Product, messages: Messages, count: number, bulk: boolean): Contender => peer('BullMQ', bulk, messages, count, async () => {
  const url = product.connection.redis_url;
  const redis = new Redis(url);
  await redis.config('SET', 'appendonly', 'yes');
  await redis.config('SET', 'appendfsync', 'everysec');
  const policy = (await redis.config('GET', 'maxmemory-policy') as string[])[1]!;
  await redis.config('SET', 'maxmemory-policy', 'noeviction');
  const { hostname, port, password } = new URL(url);
  const connection = { host: hostname, port: Number(port), password, maxRetriesPerRequest: null };
  const queue = new Queue('hitl', { connection });
  await queue.obliterate({ force: true });
  let done = 0;
  const worker = new Worker('hitl', async () => void (done += 1), { connection, concurrency: 100, removeOnComplete: { count: 0 } });
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  return {
    add: async (payloads) => void (bulk ? await queue.addBulk(payloads.map((data) => ({ name: 'hitl', data }))) : await queue.add('hitl', payloads[0]!)),
    done: () => done,
    stop: async () => {
      await worker.close();
      await queue.obliterate({ force: true });
      await queue.close();
      await redis.config('SET', 'appendonly', 'no');
      await redis.config('SET', 'maxmemory-policy', policy);
      redis.disconnect();
    },
  };
});
