import { Logger, makeWorkerUtils, run as runWorker } from 'graphile-worker';
import { PgBoss } from 'pg-boss';
import { latencies } from '../harness/numbers.ts';
import { until, type Product } from '../harness/product.ts';
import type { Contender } from '../harness/rounds.ts';

type Scheduled = { at: string };
const LEAD_MS = 6_000;

const moments = (count: number, seconds: number) => {
  const start = Date.now() + LEAD_MS;
  return Array.from({ length: count }, (_, index) => new Date(start + (index * seconds * 1000) / count));
};

const result = (late: number[], first: Date) => ({ fired: (late.length * 1000) / (Date.now() - first.getTime()), early: late.filter((one) => one < 0).length, ...latencies('late', late) });

/** Jobs scheduled for the same seconds beside as many pending; its poll interval at 50 ms (2 s by default). */
export function graphileScheduled(product: Product, pending: number, rate: number, seconds: number): Contender {
  return {
    name: `graphile-worker at ${rate.toLocaleString('en-US')}/s`,
    run: async () => {
      const connectionString = await product.database('bench_graphile');
      const logger = new Logger(() => () => undefined);
      const utils = await makeWorkerUtils({ connectionString, logger });
      await utils.migrate();
      await utils.addJob('hitl', { at: '' }, { runAt: new Date(Date.now() + 365 * 24 * 3600_000) });
      const sql = product.connectPostgres(1, connectionString);
      await sql`
        insert into graphile_worker._private_jobs (task_id, payload, run_at)
        select t.id, '{"at":""}', now() + interval '1 year' + make_interval(secs => n::float8) from graphile_worker._private_tasks t cross join generate_series(1, ${pending}::int) as n`;
      await sql`vacuum (analyze) graphile_worker._private_jobs`.simple();
      const due = moments(rate * seconds, seconds);
      await utils.addJobs(due.map((at) => ({ identifier: 'hitl', payload: { at: at.toISOString() }, runAt: at })));
      const late: number[] = [];
      const runner = await runWorker({
        connectionString, logger, noHandleSignals: true, concurrency: 20, maxPoolSize: 24, pollInterval: 50,
        taskList: { hitl: (payload) => void late.push(Date.now() - Date.parse((payload as Scheduled).at)) },
      });
      await until('the last job', async () => late.length >= due.length, 300, 20);
      const found = result(late, due[0]!);
      await runner.stop();
      await utils.release();
      await sql.end();
      return found;
    },
  };
}

/** The same with pg-boss; its poll interval at 500 ms, the shortest that it takes (2 s by default), batches of 500. */
export function bossScheduled(product: Product, pending: number, rate: number, seconds: number): Contender {
  return {
    name: `pg-boss at ${rate.toLocaleString('en-US')}/s`,
    run: async () => {
      const connectionString = await product.database('bench_boss');
      const boss = new PgBoss({ connectionString, max: 12, supervise: false, schedule: false });
      boss.on('error', (error) => { throw error; });
      await boss.start();
      await boss.createQueue('hitl');
      const sql = product.connectPostgres(1, connectionString);
      await sql`insert into pgboss.job (name, data, start_after) select 'hitl', '{"at":""}', now() + interval '1 year' + make_interval(secs => n::float8) from generate_series(1, ${pending}::int) as n`;
      await sql`vacuum (analyze)`.simple();
      const due = moments(rate * seconds, seconds);
      for (let at = 0; at < due.length; at += 500) await boss.insert('hitl', due.slice(at, at + 500).map((moment) => ({ data: { at: moment.toISOString() }, startAfter: moment })));
      const late: number[] = [];
      await boss.work<Scheduled>('hitl', { batchSize: 500, pollingIntervalSeconds: 0.5 }, async (jobs) => {
        const now = Date.now();
        for (const job of jobs) late.push(now - Date.parse(job.data.at));
      });
      await until('the last job', async () => late.length >= due.length, 300, 20);
      const found = result(late, due[0]!);
      await boss.stop({ graceful: false });
      await sql.end();
      return found;
    },
  };
}
