import { databaseNow } from '@umpire/runtime';
import { TEST_NAMESPACES, TEST_NATS_PASSWORD, VirtualClock } from '@umpire/testing';
import type { ChildProcess } from 'node:child_process';
import { programOf } from '../../../deploy/local/programs.mjs';
import { startHarness, submission, type Harness as StoreHarness, type Submitted } from '../../state-store/src/test/store-harness.ts';
import { endProcess, schedulerEnvironment, spawnScheduler, spawnService, startScheduler, type Running } from './schedulers.ts';

const STORE_MAIN = programOf('state-store');
/** As many as intake sends in one request. */
const BATCH = 150;

/** Real Postgres, NATS and Redis, with real stores and real schedulers on them: nothing stands in for anything. */
export class RealStore {
  readonly harness: StoreHarness;
  readonly clock: VirtualClock | null;
  private readonly schedulers: Running[] = [];
  private readonly children: ChildProcess[] = [];

  private constructor(harness: StoreHarness, clock: VirtualClock | null) {
    this.harness = harness;
    this.clock = clock;
  }

  /** @param virtualClock whether stores and schedulers read the test's clock instead of the database server's */
  static async start({ virtualClock = false } = {}): Promise<RealStore> {
    const harness = await startHarness();
    return new RealStore(harness, virtualClock ? await VirtualClock.make(harness.database) : null);
  }

  private get postgresUrl(): string {
    return this.clock?.url ?? this.harness.database.url;
  }

  /** The clock that decides, ms. */
  now(): Promise<number> {
    return this.clock ? this.clock.now() : databaseNow(this.harness.database.sql);
  }

  /** One more store in this process. @returns its origin */
  async startStore(): Promise<string> {
    return (await this.harness.startStore({ UMPIRE_POSTGRES_URL: this.postgresUrl, UMPIRE_RATE_READS: '0', UMPIRE_RATE_WRITES: '0' })).origin;
  }

  /** A store in a process of its own, as it is deployed. */
  async spawnStore(port: number, nodeArguments: string[] = []): Promise<ChildProcess> {
    const env = {
      UMPIRE_POSTGRES_URL: this.postgresUrl, UMPIRE_NATS_URL: this.harness.nats.url, UMPIRE_NATS_USER: 'state-store', UMPIRE_NATS_PASSWORD: TEST_NATS_PASSWORD,
      UMPIRE_REDIS_URL: this.harness.redis.url, UMPIRE_NAMESPACES: JSON.stringify(TEST_NAMESPACES), UMPIRE_PORT: String(port),
    };
    const child = await spawnService(STORE_MAIN, env, nodeArguments);
    this.children.push(child);
    return child;
  }

  async startScheduler(env: Record<string, string> = {}): Promise<Running> {
    const scheduler = await startScheduler({ ...schedulerEnvironment(this.harness.nats, this.postgresUrl), ...env });
    this.schedulers.push(scheduler);
    return scheduler;
  }

  async spawnScheduler(nodeArguments: string[] = []): Promise<ChildProcess> {
    const child = await spawnScheduler(schedulerEnvironment(this.harness.nats, this.postgresUrl), nodeArguments);
    this.children.push(child);
    return child;
  }

  /** Has escalations stored, as intake does. @throws unless every one is */
  async open(items: Submitted[]): Promise<void> {
    for (let first = 0; first < items.length; first += BATCH) {
      const verdicts = await this.harness.submit(items.slice(first, first + BATCH));
      const other = verdicts.find((verdict) => verdict.status !== 'stored');
      if (other) throw new Error(JSON.stringify(other));
    }
  }

  /** Rows in `scheduler.timers`. */
  async timers(): Promise<number> {
    const [row] = await this.harness.database.sql<{ count: number }[]>`select count(*)::float8 as count from scheduler.timers`;
    return row!.count;
  }

  async stop(): Promise<void> {
    await Promise.all(this.schedulers.map((scheduler) => scheduler.stop()));
    await Promise.all(this.children.map(endProcess));
    await this.harness.stop();
  }
}

export { submission };
