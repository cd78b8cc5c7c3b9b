export type Backoff = { baseMs: number; maxMs: number };

/**
 * Exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015), at least a tenth of the ceiling
 * so that a retry is never immediate.
 * @param attempt 1 for the first retry
 * @param random a number in [0, 1)
 * @returns milliseconds to wait
 */
export function backoffDelay(attempt: number, { baseMs, maxMs }: Backoff, random: number = Math.random()): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(ceiling * (0.1 + 0.9 * random));
}
