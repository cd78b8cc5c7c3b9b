/** Waits after failed attempts, each off by up to a fifth either way so that what failed together comes back spread out. */
const JITTER = 0.2;
/** The longest that a receiver may put us off, ms. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * How long to wait after a failed attempt.
 * @param schedule seconds after the first, second, … failure
 * @param failed how many attempts of this round have failed, this one included
 * @param retryAfterMs what the receiver asked for, if it did: never sooner than that, within an hour
 * @param random in [0, 1)
 * @returns milliseconds, or null when the schedule is used up
 */
export function retryDelay(schedule: readonly number[], failed: number, retryAfterMs: number | null, random: number): number | null {
  const wait = schedule[failed - 1];
  if (wait === undefined) return null;
  const jittered = wait * 1000 * (1 - JITTER + 2 * JITTER * random);
  return Math.round(retryAfterMs === null ? jittered : Math.max(jittered, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) * (1 + JITTER * random)));
}

/**
 * Reads `Retry-After` (RFC 9110, 10.2.3): seconds, or an HTTP date.
 * @param now ms since the epoch
 * @returns milliseconds from now, or null if the header is absent or makes no sense
 */
export function parseRetryAfter(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const at = /[a-z]{3}, /i.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
