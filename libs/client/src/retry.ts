import { UmpireError } from '@umpire/contract';
import { delay, steadyClock } from './clock.ts';

/** Whoever calls may give up at any time, and may say how long the whole call may take. */
export type CallOptions = {
  signal?: AbortSignal | undefined;
  /** For the whole call, repeats included. Milliseconds. */
  timeoutMs?: number | undefined;
};

export type Backoff = { baseMs: number; maxMs: number };

/**
 * Exponential backoff with jitter (Brooker, "Exponential Backoff And Jitter"): between a tenth of the ceiling and the ceiling.
 * @param attempt 1 for the first repeat
 * @param random a number in [0, 1)
 * @returns milliseconds to wait
 */
export function backoffDelay(attempt: number, { baseMs, maxMs }: Backoff, random: number = Math.random()): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(ceiling * (0.1 + 0.9 * random));
}

/** Codes after which the same request may do better later. */
const PASSING: ReadonlySet<string> = new Set(['unavailable', 'timeout', 'rate_limited']);

export const isPassing = (error: unknown): boolean => error instanceof UmpireError && PASSING.has(error.code);

/** Timers hold 31 bits; what is further off is checked against the clock alone. */
const LONGEST_TIMER_MS = 0x7fff_ffff;

/** A call's end: the caller's signal and its own time limit, told apart. */
export class Deadline {
  readonly signal: AbortSignal;
  private readonly caller: AbortSignal | undefined;
  private readonly end: number;
  private readonly timeoutMs: number;

  /** @throws the signal's reason, if the caller has given up already */
  constructor({ signal, timeoutMs = Number.POSITIVE_INFINITY }: CallOptions) {
    signal?.throwIfAborted();
    this.caller = signal;
    this.timeoutMs = timeoutMs;
    this.end = steadyClock() + timeoutMs;
    const parts = [...(signal ? [signal] : []), ...(timeoutMs <= LONGEST_TIMER_MS ? [AbortSignal.timeout(Math.max(0, Math.ceil(timeoutMs)))] : [])];
    this.signal = AbortSignal.any(parts);
  }

  get leftMs(): number {
    return Math.max(0, this.end - steadyClock());
  }

  get over(): boolean {
    return this.signal.aborted || this.leftMs === 0;
  }

  /**
   * @param last what went wrong before the time was over
   * @throws the caller's reason, or UmpireError `timeout`, once it is over
   */
  check(last?: unknown): void {
    this.caller?.throwIfAborted();
    if (this.over) throw new UmpireError('timeout', `no answer within ${Math.round(this.timeoutMs)} ms${last instanceof Error ? `; last: ${last.message}` : ''}`, { cause: last });
  }

  /**
   * For work that cannot be aborted itself: its result, unless the time is over before it is there.
   * @throws as `check`
   */
  async within<T>(work: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const over = () => {
      try {
        this.check();
      } catch (error) {
        reject(error);
      }
    };
    this.signal.addEventListener('abort', over, { once: true });
    try {
      if (this.signal.aborted) over();
      return await Promise.race([work, promise]);
    } finally {
      this.signal.removeEventListener('abort', over);
    }
  }

  /** @returns after `ms`, or sooner when the time is over. */
  wait(ms: number): Promise<void> {
    return delay(Math.min(ms, this.leftMs), this.signal);
  }
}

export type RetryPolicy = {
  /** Tries in all, the first included. */
  attempts: number;
  backoff: Backoff;
  random: () => number;
};

export const DEFAULT_RETRY: RetryPolicy = { attempts: 5, backoff: { baseMs: 100, maxMs: 5_000 }, random: Math.random };

/**
 * Repeats what failed in passing, as often and as long as it may. A server's `retry_after` (seconds) is waited for, but never longer
 * than the backoff's bound.
 * @param mayRepeat whether this error leaves it open that repeating is harmless
 */
export async function retrying<T>(deadline: Deadline, policy: RetryPolicy, mayRepeat: (error: UmpireError) => boolean, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      deadline.check(error);
      if (!(error instanceof UmpireError) || tries >= policy.attempts || !isPassing(error) || !mayRepeat(error)) throw error;
      const asked = Number(error.extra['retry_after'] ?? 0) * 1_000;
      const pause = Math.max(backoffDelay(tries, policy.backoff, policy.random()), Math.min(asked || 0, policy.backoff.maxMs));
      if (pause >= deadline.leftMs) throw error;
      await deadline.wait(pause);
      deadline.check(error);
    }
  }
}
