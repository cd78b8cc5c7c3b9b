import { Loop, withDeadline, type Logger, type Sql } from '@umpire/runtime';
import { countOverdue } from './overview.queries.ts';
import { schedulerMetrics as metrics } from './scheduler.metrics.ts';
import { STATEMENT_MS } from './timer.queries.ts';

const EVERY_MS = 5_000;

/** Keeps the gauges of what is due and not settled. */
export function overdueLoop(sql: Sql, logger: Logger): Loop {
  return new Loop({
    name: 'overdue',
    intervalMs: EVERY_MS,
    runOnce: async () => {
      const { overdue, oldest, now } = await withDeadline(countOverdue(sql), STATEMENT_MS, 'count');
      metrics.overdue.set(overdue);
      metrics.oldestOverdue.set(oldest === null ? 0 : Math.max(0, now - oldest) / 1000);
      return 0;
    },
    logger,
  });
}
