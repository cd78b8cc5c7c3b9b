import { durableConsumers, type Namespaces } from '@umpire/contract';
import { ConsumerLag, gauge, Loop, withDeadline, type Bus, type Clock, type Logger, type Sql } from '@umpire/runtime';
import { pendingByReason } from './stats.queries.ts';

const EVERY_MS = 5_000;
const STATEMENT_MS = 5_000;

/** Keeps gauges of what waits for people, and of how far pipelines are behind their outcomes. Each replica tells the same. */
export class StoreGauges {
  private readonly sql: Sql;
  private readonly namespaces: Namespaces;
  private readonly clock: Clock;
  private readonly loop: Loop;
  private readonly lag: ConsumerLag;
  private readonly pending = gauge('umpire_store_pending', 'Escalations that wait for a decision; where there are thousands, some seconds behind', ['namespace', 'reason']);
  private readonly oldest = gauge('umpire_store_oldest_pending_seconds', 'How long the oldest of them has waited; 0 without any', ['namespace', 'reason']);

  constructor(parts: { sql: Sql; bus: Bus; namespaces: Namespaces; clock: Clock; logger: Logger }) {
    this.sql = parts.sql;
    this.namespaces = parts.namespaces;
    this.clock = parts.clock;
    this.loop = new Loop({ name: 'gauges', intervalMs: EVERY_MS, runOnce: () => this.measureOnce(), logger: parts.logger });
    this.lag = new ConsumerLag(parts.bus, durableConsumers(parts.namespaces).filter((spec) => spec.reader === 'producer'), parts.logger);
  }

  start(): void {
    this.loop.start();
    this.lag.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.loop.stop(), this.lag.stop()]);
  }

  private async measureOnce(): Promise<number> {
    for (const namespace of Object.keys(this.namespaces)) {
      for (const { reason, pending, oldest_at: oldest } of await withDeadline(pendingByReason(this.sql, namespace), STATEMENT_MS, 'pending')) {
        this.pending.set({ namespace, reason }, pending);
        this.oldest.set({ namespace, reason }, oldest === null ? 0 : Math.max(0, this.clock.now() - oldest.getTime()) / 1_000);
      }
    }
    return 0;
  }
}
