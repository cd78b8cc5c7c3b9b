import { delay, eventually } from '@umpire/testing';
import type { FaultCase, FaultRun } from '../fault-case.ts';

/** Postgres: restarted, killed, its connections ended, used up, held up. */
export const postgresCases: FaultCase[] = [
  {
    name: 'postgres-restart',
    breaks: 'Postgres is restarted in good order and by kill -9, in turns, and stays away for a while',
    run: async ({ servers, load, random, short }) => {
      const rounds = short ? 1 : 4;
      for (let round = 0; round < rounds; round++) {
        await delay(random() * 500);
        if (round % 2 === 1) await servers.postgres.restart({ signal: 'SIGKILL' });
        else {
          await servers.postgres.stop();
          await delay(short ? 1_000 : 4_000);
          await servers.postgres.start();
        }
        await load.moreAcked(short ? 20 : 60);
      }
      return { restarts: rounds };
    },
  },
  {
    name: 'postgres-terminate',
    breaks: 'pg_terminate_backend ends every connection of the services, again and again for 20 s',
    shows: ['connectionsEnded'],
    run: async (run) => {
      const ended = await run.database(async (sql) => {
        let count = 0;
        for (const end = performance.now() + 20_000; performance.now() < end; await delay(50 + run.random() * 400)) count += await endConnections(sql);
        return count;
      });
      await run.load.moreAcked(60);
      return { connectionsEnded: ended };
    },
  },
  {
    name: 'postgres-pool',
    breaks: 'each service may have one connection only for 20 s: its pool is exhausted, further ones are refused',
    shows: ['refusedConnections'],
    run: async (run) => {
      const limit = (count: number) => run.database(async (sql) => {
        for (const role of ROLES) await sql`alter role ${sql(role)} connection limit ${sql.unsafe(String(count))}`;
        if (count > 0) await endConnections(sql);
      });
      await limit(1);
      await delay(20_000);
      await limit(-1);
      await run.load.moreAcked(60);
      return { refusedConnections: await run.logged('postgres', /too many connections for role/g) };
    },
  },
  {
    name: 'postgres-idle',
    breaks: 'a transaction stands idle for 25 s and holds the row locks of all that is pending',
    shows: ['locked'],
    run: async (run) => {
      const locked = await run.database((sql) => sql.begin(async (tx) => {
        const rows = await tx`select request_id from store.escalations where status = 'pending' for update`;
        await delay(25_000);
        return rows.length;
      }));
      await run.load.moreAcked(60);
      return { locked };
    },
  },
  {
    name: 'postgres-late-row',
    breaks: 'outbox rows that are older than all others commit only after those have been published',
    shows: ['lateRows'],
    run: async (run) => {
      const rows = await run.database(async (sql) => {
        const late = await sql.begin(async (tx) => {
          const put = await tx<{ request_id: string; seq: number }[]>`
            insert into store.outbox (namespace, request_id, seq, created_at)
            select namespace, request_id, seq, clock_timestamp() - interval '1 hour' from store.events where request_id like 'f/%' order by occurred_at limit 50
            on conflict do nothing returning request_id, seq`;
          await run.load.moreAcked(150);
          return put;
        });
        await eventually('the late rows to be published', async () => (await sql`select 1 from store.outbox where created_at < clock_timestamp() - interval '30 minutes'`).length === 0, 60_000);
        return late;
      });
      return { lateRows: rows.length };
    },
  },
];

const ROLES = ['umpire_intake', 'umpire_state_store', 'umpire_notifier', 'umpire_scheduler'];

async function endConnections(sql: Parameters<Parameters<FaultRun['database']>[0]>[0]): Promise<number> {
  return (await sql`select pg_terminate_backend(pid) from pg_stat_activity where usename like 'umpire%'`).length;
}
