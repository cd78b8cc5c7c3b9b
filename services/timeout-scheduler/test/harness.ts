import { createLogger, databaseNow, Readiness, startHttpApp, type Bus, type Sql } from '@umpire/runtime';
import { testDatabase, testNats, TEST_NATS_PASSWORD, type TestDatabase, type TestNats } from '@umpire/testing';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { readTimeoutSchedulerConfig, TimeoutSchedulerModule } from '../src/index.ts';
import { StoreStandIn } from './store-stand-in.ts';

export type Running = { origin: string; stop(): Promise<void> };
export type Harness = {
  database: TestDatabase;
  nats: TestNats;
  store: StoreStandIn;
  storeBus: Bus;
  /** The database's clock, ms. */
  now(): Promise<number>;
  /** Sets the virtual clock. */
  setClock(at: number): Promise<void>;
  /** Rows in `scheduler.timers`. */
  timers(): Promise<number>;
  /** Whether there is reconciliation (at first there is not): without it, what the stream does not bring does not come. */
  sweeps(on: boolean): Promise<void>;
  /** One more scheduler in this process. */
  start(env?: Record<string, string>): Promise<Running>;
  /** One more scheduler in a process of its own, as it is deployed. */
  spawn(env?: Record<string, string>, nodeArguments?: string[]): Promise<ChildProcess>;
  stop(): Promise<void>;
};

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/**
 * A clock for the database that stands still until it is set. A connection whose `search_path` names its schema before
 * `pg_catalog` finds this `clock_timestamp()` instead of the server's, in the very statements that production runs.
 */
async function makeVirtualClock(sql: Sql): Promise<void> {
  await sql.unsafe(`
    create schema virtual;
    create table virtual.clock (at timestamptz not null);
    insert into virtual.clock values (date_trunc('second', pg_catalog.clock_timestamp()));
    create function virtual.clock_timestamp() returns timestamptz language sql volatile as 'select at from virtual.clock'`).simple();
}

async function readVirtualClock(sql: Sql): Promise<number> {
  const [row] = await sql<{ now: number }[]>`select extract(epoch from at)::float8 * 1000 as now from virtual.clock`;
  return row!.now;
}

/** Real Postgres and NATS, and something that answers for the state store. */
export async function startHarness({ virtualClock = false } = {}): Promise<Harness> {
  const [database, nats] = await Promise.all([testDatabase(), testNats()]);
  if (virtualClock) await makeVirtualClock(database.sql);
  const now = () => (virtualClock ? readVirtualClock(database.sql) : databaseNow(database.sql));
  const storeBus = await nats.bus('state-store');
  const store = new StoreStandIn(storeBus, () => now());
  await store.start();
  await database.sql`update scheduler.sweeps set leased_until = 'infinity'`;
  const postgresUrl = virtualClock ? `${database.url}?search_path=virtual,pg_catalog` : database.url;
  const base = { UMPIRE_POSTGRES_URL: postgresUrl, UMPIRE_NATS_URL: nats.url, UMPIRE_NATS_USER: 'timeout-scheduler', UMPIRE_NATS_PASSWORD: TEST_NATS_PASSWORD, UMPIRE_PORT: '0' };
  const running: Running[] = [];
  const children: ChildProcess[] = [];
  return {
    database, nats, store, storeBus,
    now,
    async setClock(at) {
      await database.sql`update virtual.clock set at = to_timestamp(${at}::float8 / 1000)`;
    },
    async sweeps(on) {
      await database.sql`update scheduler.sweeps set leased_until = ${on ? '-infinity' : 'infinity'}::text::timestamptz`;
    },
    timers: async () => (await database.sql<{ count: number }[]>`select count(*)::float8 as count from scheduler.timers`)[0]!.count,
    async start(env = {}) {
      const logger = createLogger('timeout-scheduler', process.env['TEST_LOG'] ?? 'silent');
      const readiness = new Readiness();
      const module = TimeoutSchedulerModule.register(readTimeoutSchedulerConfig({ ...base, ...env }), { logger, readiness });
      const app = await startHttpApp(module, { host: '127.0.0.1', port: 0, logger, readiness, probesOnOrigin: true });
      const { port } = app.getHttpServer().address() as AddressInfo;
      let stopped: Promise<void> | null = null;
      const scheduler = { origin: `http://127.0.0.1:${port}`, stop: () => (stopped ??= app.close()) };
      running.push(scheduler);
      return scheduler;
    },
    async spawn(env = {}, nodeArguments = []) {
      if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: build with tsc -b first`);
      const child = spawn(process.execPath, [...nodeArguments, MAIN], { env: { ...base, UMPIRE_LOG_LEVEL: 'info', ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(child);
      let output = '';
      const started = Promise.withResolvers<void>();
      child.stdout!.setEncoding('utf8').on('data', (text: string) => {
        if (process.env['TEST_LOG']) process.stdout.write(text);
        if (output.length < 10_000 && (output += text).includes('"msg":"started"')) started.resolve();
      });
      child.once('exit', () => started.reject(new Error(`the scheduler ended: ${output}`)));
      await started.promise;
      return child;
    },
    async stop() {
      await Promise.all(running.map((scheduler) => scheduler.stop()));
      await Promise.all(children.filter((child) => child.exitCode === null && child.signalCode === null).map(async (child) => {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }));
      await store.stop();
      await nats.stop();
      await database.drop();
    },
  };
}
