import { databaseNow, type Bus } from '@umpire/runtime';
import { testDatabase, testNats, type TestDatabase, type TestNats } from '@umpire/testing';
import type { ChildProcess } from 'node:child_process';
import { endProcess, schedulerEnvironment, spawnScheduler, startScheduler, type Running } from './schedulers.ts';
import { StoreStandIn } from './store-stand-in.ts';

export type Harness = {
  database: TestDatabase;
  nats: TestNats;
  store: StoreStandIn;
  storeBus: Bus;
  /** The database's clock, ms. */
  now(): Promise<number>;
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

/** Real Postgres and NATS, and something that answers for the state store. */
export async function startHarness(): Promise<Harness> {
  const [database, nats] = await Promise.all([testDatabase(), testNats()]);
  const now = () => databaseNow(database.sql);
  const storeBus = await nats.bus('state-store');
  const store = new StoreStandIn(storeBus, now);
  await store.start();
  await database.sql`update scheduler.sweeps set leased_until = 'infinity'`;
  const base = schedulerEnvironment(nats, database.url);
  const running: Running[] = [];
  const children: ChildProcess[] = [];
  return {
    database, nats, store, storeBus,
    now,
    async sweeps(on) {
      await database.sql`update scheduler.sweeps set leased_until = ${on ? '-infinity' : 'infinity'}::text::timestamptz`;
    },
    timers: async () => (await database.sql<{ count: number }[]>`select count(*)::float8 as count from scheduler.timers`)[0]!.count,
    async start(env = {}) {
      const scheduler = await startScheduler({ ...base, ...env });
      running.push(scheduler);
      return scheduler;
    },
    async spawn(env = {}, nodeArguments = []) {
      const child = await spawnScheduler({ ...base, ...env }, nodeArguments);
      children.push(child);
      return child;
    },
    async stop() {
      await Promise.all(running.map((scheduler) => scheduler.stop()));
      await Promise.all(children.map(endProcess));
      await store.stop();
      await nats.stop();
      await database.drop();
    },
  };
}
