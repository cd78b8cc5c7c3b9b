import { postgresStep, transaction, type Sql } from '@umpire/runtime';
import { arm, disarm, escalationKey, raiseMarks, type Armed, type ClockSet } from './clock-set.queries.ts';
import { schedulerMetrics as metrics } from './scheduler.metrics.ts';

const TRANSACTION_MS = 12_000;

/**
 * Brings the timers to what escalations want. The highest `seq` of an escalation is the truth: an older or repeated set changes
 * nothing, whatever order they come in.
 */
export class Arming {
  private readonly sql: Sql;
  private readonly armed: (namespace: string, wakeAt: number) => void;

  /** @param armed told of every timer armed or moved, after the commit */
  constructor(sql: Sql, armed: (namespace: string, wakeAt: number) => void) {
    this.sql = sql;
    this.armed = armed;
  }

  /**
   * Takes in clock sets in one transaction.
   * @returns how many escalations were newer than what was known
   * @throws what Postgres throws; nothing has changed then
   */
  async take(sets: ClockSet[]): Promise<number> {
    const newest = newestInOrder(sets);
    if (newest.length === 0) return 0;
    const { raised, disarmed, armed } = await postgresStep('arm timers', () => transaction(this.sql, TRANSACTION_MS, async (tx) => {
      const raised = await raiseMarks(tx, newest);
      if (raised.length === 0) return { raised, disarmed: [], armed: [] as Armed[] };
      // Sent together, run in order on one connection.
      const [disarmed, armed] = await Promise.all([disarm(tx, raised), arm(tx, raised)]);
      return { raised, disarmed, armed };
    }));
    for (const kind of disarmed) metrics.disarmed.inc({ kind });
    for (const { namespace, kind, wake_at } of armed) {
      metrics.armed.inc({ kind });
      this.armed(namespace, wake_at);
    }
    return raised.length;
  }
}

/** One set for each escalation, in an order that all replicas share, so that their transactions cannot wait for each other in a ring. */
function newestInOrder(sets: ClockSet[]): ClockSet[] {
  const newest = new Map<string, ClockSet>();
  for (const set of sets) {
    const key = escalationKey(set);
    const known = newest.get(key);
    if (!known || known.seq < set.seq) newest.set(key, set);
  }
  return [...newest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, set]) => set);
}
