import { CLOCK_KINDS, UmpireError, type ClockKind } from '@umpire/contract';
import type { Sql } from '@umpire/runtime';
import { z } from 'zod';
import { listTimers, overview, type TimerCursor } from './overview.queries.ts';

export type TimersQuery = { kind?: ClockKind | undefined; limit: number; after?: string | undefined };

const cursorSchema = z.tuple([z.iso.datetime(), z.string().max(512), z.string().max(40), z.int()]);

/** What operators may see of a namespace's timers. Times are RFC 3339 with Z. */
export class Timers {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  /** @throws UmpireError `bad_request` for a cursor that is not of this list */
  async page(namespace: string, { kind, limit, after }: TimersQuery) {
    const ask = { namespace, kind: kind ?? null, after: after === undefined ? null : decodeCursor(after), limit: limit + 1 };
    const [kinds, rows] = await Promise.all([overview(this.sql, namespace), listTimers(this.sql, ask)]);
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    return {
      pending: sum(kinds.map((row) => row.pending)),
      counts: Object.fromEntries(CLOCK_KINDS.map((name) => [name, kinds.find((row) => row.kind === name)?.pending ?? 0])),
      next_due_at: earliest(kinds.map((row) => row.next_due_at)),
      overdue: sum(kinds.map((row) => row.overdue)),
      oldest_overdue_at: earliest(kinds.map((row) => row.oldest_overdue_at)),
      items: items.map(({ request_id, kind, ordinal, generation, due_at, wake_at, leased, attempts }) => ({
        request_id, kind, ordinal, generation, due_at: due_at.toISOString(), asks_at: wake_at.toISOString(), asking: leased, attempts,
      })),
      next: rows.length > limit && last ? encodeCursor({ ...last, wake_at: last.place }) : null,
    };
  }
}

const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);

function earliest(times: (Date | null)[]): string | null {
  const known = times.filter((time) => time !== null).map((time) => time.getTime());
  return known.length === 0 ? null : new Date(Math.min(...known)).toISOString();
}

function encodeCursor({ wake_at, request_id, kind, ordinal }: TimerCursor): string {
  return Buffer.from(JSON.stringify([wake_at, request_id, kind, ordinal])).toString('base64url');
}

function decodeCursor(text: string): TimerCursor {
  try {
    const [wake_at, request_id, kind, ordinal] = cursorSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return { wake_at, request_id, kind, ordinal };
  } catch (error) {
    throw new UmpireError('bad_request', 'after is not a cursor of this list', { cause: error });
  }
}
