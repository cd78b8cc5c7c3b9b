import { Loop, type Logger, type Sql } from '@umpire/runtime';
import { STREAMS } from '@umpire/contract';
import { pruneMarks } from './clock-set.queries.ts';

/** A day longer than events are kept: nothing older can be redelivered. */
const KEEP_DAYS = STREAMS.events.maxAgeSeconds / 86_400 + 1;
const AT_ONCE = 5_000;
const EVERY_MS = 10 * 60_000;

/** Removes the tombstones of escalations that settled longer ago than the events stream remembers. */
export function pruneLoop(sql: Sql, logger: Logger): Loop {
  return new Loop({
    name: 'prune',
    intervalMs: EVERY_MS,
    runOnce: async () => ((await pruneMarks(sql, KEEP_DAYS, AT_ONCE)) === AT_ONCE ? AT_ONCE : 0),
    logger,
  });
}
