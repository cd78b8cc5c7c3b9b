import { databaseNow, withDeadline, type Sql } from '@umpire/runtime';
import { findReads, type ReadCursor, type ReadFilter, type ReadView } from './read-log.queries.ts';

const LOOK_MS = 5_000;
const DEFAULT_SPAN_MS = 30 * 24 * 3_600_000;

/** The read log, looked at. */
export class ReadHistory {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  /** @param filter times RFC 3339; without `since` the last thirty days @throws DeadlineError for a question that takes too long */
  async page(namespace: string, filter: { [Name in keyof ReadFilter]?: string | undefined }, after: ReadCursor | null, limit: number): Promise<{ items: ReadView[]; next: ReadCursor | null }> {
    const since = filter.since ?? new Date((await withDeadline(databaseNow(this.sql), LOOK_MS, 'database clock')) - DEFAULT_SPAN_MS).toISOString();
    const { request_id = null, user_id = null, what = null, until = null } = filter;
    const asked = findReads(this.sql, namespace, { request_id, user_id, what, since, until }, after, limit + 1);
    const rows = await withDeadline(asked, LOOK_MS, 'read log').catch((error: unknown) => {
      asked.cancel();
      throw error;
    });
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    return { items, next: rows.length > limit && last ? { at: last.at, id: last.id } : null };
  }
}
