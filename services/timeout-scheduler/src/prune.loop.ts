import { Loop, withDeadline, type Logger, type Sql } from '@umpire/runtime';
import { STREAMS } from '@umpire/contract';
import { pruneMarks } from './clock-set.queries.ts';
import { STATEMENT_MS } from './timer.queries.ts';

/** A day longer than events are kept: nothing older can be redelivered. */
const KEEP_DAYS = STREAMS.events.maxAgeSeconds / 86_400 + 1;
const AT_ONCE = 5_000;
const EVERY_MS = 10 * 60_000;

/** Removes the tombstones of escalations that settled longer ago than the events stream remembers. */
export function pruneLoop(sql: Sql, logger: Logger): Loop {
  return new Loop({
    name: 'prune',
    intervalMs: EVERY_MS,
    runOnce: async () => ((await withDeadline(pruneMarks(sql, KEEP_DAYS, AT_ONCE), STATEMENT_MS, 'prune')) === AT_ONCE ? AT_ONCE : 0),
    logger,
  });
}
