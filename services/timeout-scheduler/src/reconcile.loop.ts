import { subjects, type ChangesQuery, type ChangesReply } from '@umpire/contract';
import { delay, Loop, withDeadline, type Bus, type Logger, type Sql } from '@umpire/runtime';
import type { Arming } from './arming.service.ts';
import type { ClockSet } from './clock-set.queries.ts';
import { readClockSet } from './escalation-event.ts';
import { schedulerMetrics as metrics } from './scheduler.metrics.ts';
import { keepCursor, takeSweep } from './sweep.queries.ts';
import { STATEMENT_MS } from './timer.queries.ts';

export type ReconcileOptions = { sql: Sql; bus: Pick<Bus, 'requestJson'>; arming: Arming; logger: Logger; everyMs: number };

const PAGE = 200;
const ASK_MS = 6_000;
/** One page, with all its time-outs. */
const PAGE_LEASE_MS = 60_000;

/**
 * Asks the store what has changed since the kept cursor and takes in the clocks as if they had come by events. So a stream that lost
 * events, or all of them, leaves no escalation without its clocks. One replica sweeps at a time; the lease that says so ends by itself.
 */
export class ReconcileLoop {
  private readonly options: ReconcileOptions;
  private readonly loop: Loop;

  constructor(options: ReconcileOptions) {
    this.options = options;
    this.loop = new Loop({ name: 'reconcile', intervalMs: Math.max(50, options.everyMs / 2), runOnce: (signal) => this.runOnce(signal), logger: options.logger });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** Sweeps to the end of the changes, if it is this replica's turn. Always ends with 0: the pause after it is meant. */
  async runOnce(signal: AbortSignal): Promise<number> {
    const { sql, everyMs, logger } = this.options;
    let cursor = await withDeadline(takeSweep(sql, PAGE_LEASE_MS), STATEMENT_MS, 'sweep');
    if (cursor === undefined) return 0;
    try {
      for (let more = true; more && !signal.aborted; ) {
        const began = performance.now();
        const page: ChangesReply = await this.options.bus.requestJson<ChangesReply>(subjects.query('changes'), { after: cursor, limit: PAGE } satisfies ChangesQuery, ASK_MS);
        const taken = await this.options.arming.take(page.items.flatMap((item) => this.readable(item)));
        metrics.reconciled.inc(taken);
        if (taken > 0) logger.info({ changes: page.items.length, taken }, 'reconciled');
        // A page that is not full is the end for now; to chase what is being written would only do the stream's work twice.
        more = page.items.length === PAGE;
        const kept = await withDeadline(keepCursor(sql, cursor, page.next, more ? PAGE_LEASE_MS : everyMs), STATEMENT_MS, 'cursor');
        if (!kept) return 0;
        cursor = page.next;
        // Nearly all of it is known from the events. Pages one upon another held up the timers of the moment, so half of the time is left to them.
        if (more) await delay(performance.now() - began, signal);
      }
    } catch (error) {
      // Another replica need not wait for the lease's end; the store may be reachable from there.
      await withDeadline(keepCursor(sql, cursor, cursor, 0), STATEMENT_MS, 'cursor').catch(() => undefined);
      throw error;
    }
    return 0;
  }

  private readable(item: ChangesReply['items'][number]): ClockSet[] {
    const read = readClockSet(item);
    if (!('fault' in read)) return [read];
    this.options.logger.error({ namespace: item.namespace, request_id: item.request_id, fault: read.fault }, 'change_not_readable');
    return [];
  }
}
