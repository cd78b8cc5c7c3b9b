import { Loop, type Logger, type Sql } from '@umpire/runtime';
import { failOrphans, pruneEndpoints, pruneMessages } from './upkeep.queries.ts';

const BATCH = 500;
const INTERVAL_MS = 10_000;

/** Slow housekeeping in small batches: ends deliveries of stopped endpoints, deletes what is past its retention. */
export class UpkeepLoop {
  private readonly sql: Sql;
  private readonly retentionDays: number;
  private readonly loop: Loop;

  constructor(parts: { sql: Sql; logger: Logger; retentionDays: number }) {
    this.sql = parts.sql;
    this.retentionDays = parts.retentionDays;
    this.loop = new Loop({ name: 'webhook-upkeep', intervalMs: INTERVAL_MS, runOnce: () => this.runOnce(), logger: parts.logger });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** An endpoint was disabled or deleted. */
  wake(): void {
    this.loop.wake();
  }

  /** @returns how many rows were dealt with */
  async runOnce(): Promise<number> {
    const orphans = await failOrphans(this.sql, BATCH);
    const messages = await pruneMessages(this.sql, this.retentionDays, BATCH);
    return orphans + messages + (await pruneEndpoints(this.sql, this.retentionDays, BATCH));
  }
}
