import { REASONS, subjects, UmpireError, type ApplyItem, type ApplyReply, type ApplyRequest } from '@umpire/contract';
import { backoffDelay, delay, inBatch, withDeadline, type Bus, type Logger, type Sql } from '@umpire/runtime';
import type { DatabaseClock } from './database-clock.ts';
import { schedulerMetrics as metrics } from './scheduler.metrics.ts';
import { rearmTimers, releaseTimers, removeTimers, STATEMENT_MS, type Lease, type LeasedTimer } from './timer.queries.ts';

/** How long the store may take to answer. A lease is longer. */
export const ASK_MS = 5_000;
/** From this attempt on a batch that the store answers with an error is asked about in halves, to find the one at fault. */
const SUSPECT_FROM_ATTEMPT = 3;
const PUT_OFF = { baseMs: 1_000, maxMs: 300_000 };
/** A lost connection is replaced within milliseconds; without a second try its timers would wait for the end of their lease. */
const TRIES = 4;
const AGAIN = { baseMs: 20, maxMs: 500 };

export type FiringOptions = { sql: Sql; bus: Pick<Bus, 'requestJson'>; clock: DatabaseClock; logger: Logger; monotonic: () => number };
/** Leased timers and until when (on the monotonic clock, by the most careful reckoning) the lease is ours. */
export type LeasedBatch = { timers: LeasedTimer[]; lease: Lease; leasedUntil: number };
/** Whether the store answered, and the timers that are still to be asked about, with the time (ms) at which they may be. */
export type Fired = { answered: boolean; again: { namespace: string; at: number }[] };

/**
 * Asks the store about leased timers and does what it says: `applied` and `stale` remove the row, `retry_at` moves it. The row goes
 * only after the answer, so whatever fails here is asked again; the store's generations make that harmless.
 */
export class Firing {
  private readonly options: FiringOptions;

  constructor(options: FiringOptions) {
    this.options = options;
  }

  /** It never throws: what went wrong is logged, and the lease given back or left to end. */
  async fire(batch: LeasedBatch): Promise<Fired> {
    try {
      return await this.askAndSettle(batch, batch.timers);
    } catch (error) {
      this.options.logger.error({ err: error, timers: batch.timers.length }, 'timers_not_settled');
      return { answered: true, again: stillDue(batch.timers) };
    }
  }

  private async askAndSettle(batch: LeasedBatch, timers: LeasedTimer[]): Promise<Fired> {
    // A replica that was paused since it claimed must not ask about what is no longer its own.
    if (this.options.monotonic() + ASK_MS > batch.leasedUntil) {
      await this.release(batch, timers, 0);
      return { answered: true, again: stillDue(timers) };
    }
    let results: ApplyReply['results'];
    try {
      results = await this.ask(timers);
    } catch (error) {
      return this.failed(batch, timers, error);
    }
    return { answered: true, again: await this.settle(batch, timers, results) };
  }

  private async ask(timers: LeasedTimer[]): Promise<ApplyReply['results']> {
    const { results } = await inBatch('scheduler fire', timers.map((timer) => timer.traceparent ?? undefined), { kind: 'internal' }, (traces) => {
      const items = timers.map(({ namespace, request_id, kind, ordinal, generation }, index): ApplyItem => ({ namespace, request_id, kind, ordinal, generation, trace: traces[index] }));
      return this.options.bus.requestJson<ApplyReply>(subjects.apply, { items } satisfies ApplyRequest, ASK_MS);
    });
    if (!Array.isArray(results) || results.length !== timers.length) throw new Error('the store answered another number of timers than it was asked about');
    const odd = results.find((result) => !isResult(result));
    if (odd) throw new Error(`the store answered ${JSON.stringify(odd)}`);
    return results;
  }

  private async settle(batch: LeasedBatch, timers: LeasedTimer[], results: ApplyReply['results']): Promise<Fired['again']> {
    const now = this.options.clock.now();
    const settled: LeasedTimer[] = [];
    const later: (LeasedTimer & { retry_at: number })[] = [];
    timers.forEach((timer, index) => {
      const { status, retry_at, reason = 'unknown' } = results[index]!;
      metrics.fired.inc({ kind: timer.kind, result: status });
      if (status === 'applied') metrics.lateness.observe({ kind: timer.kind, namespace: timer.namespace, reason }, Math.max(0, now - timer.due_at) / 1000);
      if (status === 'retry_at') later.push({ ...timer, retry_at: Date.parse(retry_at!) });
      else settled.push(timer);
    });
    if (settled.length > 0) await this.insist((sql) => removeTimers(sql, settled));
    if (later.length > 0) await this.insist((sql) => rearmTimers(sql, batch.lease.id, later));
    return later.map(({ namespace, retry_at }) => ({ namespace, at: retry_at }));
  }

  /** One timer that the store cannot take must not hold up the others: after some attempts it is found by halving, and put off. */
  private async failed(batch: LeasedBatch, timers: LeasedTimer[], error: unknown): Promise<Fired> {
    metrics.asksFailed.inc();
    const suspicious = wasAnswered(error) && timers.some((timer) => timer.attempts >= SUSPECT_FROM_ATTEMPT);
    this.options.logger.warn({ err: error, timers: timers.length, suspicious }, 'ask_failed');
    if (!suspicious) {
      await this.release(batch, timers, 0);
      return { answered: false, again: stillDue(timers) };
    }
    if (timers.length === 1) {
      const [timer] = timers as [LeasedTimer];
      const putOffMs = backoffDelay(timer.attempts - SUSPECT_FROM_ATTEMPT + 1, PUT_OFF);
      metrics.putOff.inc();
      this.options.logger.error({ namespace: timer.namespace, request_id: timer.request_id, kind: timer.kind, attempts: timer.attempts, again_in_ms: putOffMs }, 'timer_put_off');
      await this.release(batch, timers, putOffMs);
      return { answered: true, again: [] };
    }
    const middle = timers.length >> 1;
    const first = await this.askAndSettle(batch, timers.slice(0, middle));
    const second = await this.askAndSettle(batch, timers.slice(middle));
    return { answered: first.answered || second.answered, again: [...first.again, ...second.again] };
  }

  private async release(batch: LeasedBatch, timers: LeasedTimer[], putOffMs: number): Promise<void> {
    await this.insist((sql) => releaseTimers(sql, batch.lease.id, timers, putOffMs));
  }

  /** Runs a statement that may run twice, again if it fails. @throws its last error */
  private async insist(statement: (sql: Sql) => Promise<number>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await withDeadline(statement(this.options.sql), STATEMENT_MS, 'settling');
        return;
      } catch (error) {
        if (attempt === TRIES) throw error;
        this.options.logger.warn({ err: error, attempt }, 'settling_again');
        await delay(backoffDelay(attempt, AGAIN));
      }
    }
  }
}

const stillDue = (timers: LeasedTimer[]): Fired['again'] => timers.map(({ namespace, wake_at }) => ({ namespace, at: wake_at }));

function isResult(result: unknown): boolean {
  const { status, retry_at, reason } = (result ?? {}) as { status?: unknown; retry_at?: unknown; reason?: unknown };
  // A store of the version before names no reason. What it names becomes a label: the four, and nothing else.
  if (reason !== undefined && !(REASONS as readonly unknown[]).includes(reason)) return false;
  return status === 'applied' || status === 'stale' || (status === 'retry_at' && typeof retry_at === 'string' && Number.isFinite(Date.parse(retry_at)));
}

/** The bus gives a cause only when nobody answered in time; an error that the store itself sent has none, nor has a nonsensical reply. */
function wasAnswered(error: unknown): boolean {
  return !(error instanceof UmpireError) || error.cause === undefined;
}
