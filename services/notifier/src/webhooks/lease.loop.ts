import { Loop, type Logger, type Sql } from '@umpire/runtime';
import type { DeliveryEngine } from './delivery.engine.ts';
import { renewLeases } from './delivery.queries.ts';

/**
 * Keeps the leases of deliveries that take long: three times within a lease, for those held longer than a third of it. Quick
 * ones, which is nearly all, are never touched. A process that stands still loses its leases, and its late results then
 * carry an old fence.
 */
export class LeaseLoop {
  private readonly sql: Sql;
  private readonly engine: DeliveryEngine;
  private readonly loop: Loop;

  constructor(parts: { sql: Sql; engine: DeliveryEngine; logger: Logger }) {
    this.sql = parts.sql;
    this.engine = parts.engine;
    this.loop = new Loop({ name: 'webhook-leases', intervalMs: parts.engine.leaseMs / 3, runOnce: () => this.runOnce().then(() => 0), logger: parts.logger });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** @returns how many leases were renewed */
  async runOnce(): Promise<number> {
    const ageing = this.engine.ageing();
    if (ageing.length === 0) return 0;
    const from = performance.now();
    const ours = await renewLeases(this.sql, ageing, this.engine.replica, this.engine.leaseMs);
    for (const delivery of ageing) {
      if (ours.has(delivery.id)) delivery.leaseUntil = from + this.engine.leaseMs;
      else delivery.lost = true;
    }
    return ours.size;
  }
}
