import type { EscalationState } from '@umpire/domain';
import { inSlices, Loop, transaction, type Logger, type Query, type Sql, type Tx } from '@umpire/runtime';
import { changedRows, moveCursor, payloadsOf, takeCursor, type ChangedRow, type CursorTable, type Named } from './changes.queries.ts';
import { parseState } from './escalation.queries.ts';

const EVERY_MS = 3_000;
const ROUND_MS = 30_000;
const HOUR_MS = 3_600_000;
/** How many times longer the rest is where the process is busy all the time. */
const MORE_REST = 6;

export type Ended = ChangedRow & { settled_at: Date; domain: EscalationState };

/**
 * Follows what changes in the store, in the order of `changed_xid`, and notes what a derived table keeps of it: deciding does not wait for
 * that. Any number of replicas run it; whoever holds the cursor's row works. What changes again is met again.
 */
export abstract class ChangesLoop {
  private readonly sql: Sql;
  private readonly cursor: CursorTable;
  private readonly rows: number;
  private readonly loop: Loop;
  private restedFrom = performance.eventLoopUtilization();

  /** @param parts.rows how many are read in one transaction */
  protected constructor(parts: { name: string; cursor: CursorTable; rows: number; sql: Sql; logger: Logger }) {
    this.sql = parts.sql;
    this.cursor = parts.cursor;
    this.rows = parts.rows;
    this.loop = new Loop({ name: parts.name, intervalMs: EVERY_MS, runOnce: () => this.round(), logger: parts.logger });
  }

  /** Keeps what follows from these rows, in the transaction that moves the cursor behind them. */
  protected abstract take(tx: Tx, rows: ChangedRow[]): Promise<void>;

  /** What is done when there is nothing new. */
  protected rest(_tx: Tx): Promise<unknown> {
    return Promise.resolve();
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /**
   * Whoever has a million rows to catch up with rests for as long as each batch took, and the longer the busier the process was during the
   * rest before: the decisions of the moment come first.
   */
  private async round(): Promise<{ handled: number; nextInMs: number }> {
    const { utilization } = performance.eventLoopUtilization(this.restedFrom);
    const began = performance.now();
    const rows = await this.runOnce();
    this.restedFrom = performance.eventLoopUtilization();
    return { handled: 0, nextInMs: rows === 0 ? EVERY_MS : (performance.now() - began) * (1 + MORE_REST * utilization) };
  }

  /** @returns how many rows were read, or 0 once the end is reached */
  runOnce(): Promise<number> {
    return transaction(this.sql, ROUND_MS, async (tx) => {
      const cursor = await takeCursor(tx, this.cursor);
      if (cursor === null) return 0;
      const rows = await changedRows(tx, cursor, this.rows);
      const last = rows.at(-1);
      if (last === undefined) {
        await this.rest(tx);
        return 0;
      }
      await this.take(tx, rows);
      await moveCursor(tx, this.cursor, last);
      return rows.length < this.rows ? 0 : rows.length;
    });
  }
}

export const nameOf = ({ namespace, request_id }: Named): string => `${namespace}/${request_id}`;
export const hourOf = (at: Date): Date => new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS);

/** Those that are over, with what is known of them. */
export const endedOf = (rows: ChangedRow[]): Promise<Ended[]> =>
  inSlices(rows.filter((row) => row.state !== null && row.settled_at !== null), (row) => ({ ...row, settled_at: row.settled_at!, domain: parseState(row.state!) }));

/** The producers' bytes by `nameOf`, null where they have been erased. */
export async function bodiesOf(sql: Query, rows: Named[]): Promise<Map<string, Uint8Array | null>> {
  return rows.length === 0 ? new Map() : new Map((await payloadsOf(sql, rows)).map((row) => [nameOf(row), row.body]));
}
