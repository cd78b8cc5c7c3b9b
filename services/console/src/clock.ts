/**
 * The server's time, as its answers tell it: a `Date` header names a second, so the true offset lies between what the earliest and the
 * latest moment of that second would make it. Each answer narrows the bounds; a clock that was set starts them anew.
 */
let lower = Number.NEGATIVE_INFINITY;
let upper = Number.POSITIVE_INFINITY;

/** @param asked when the request left, @param heard when its answer came (ms of this machine's clock) */
export function learnServerTime(date: string | null, asked: number, heard: number): void {
  const second = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(second)) return;
  const least = second - heard;
  const most = second + 1_000 - asked;
  if (least > upper || most < lower) [lower, upper] = [least, most];
  else [lower, upper] = [Math.max(lower, least), Math.min(upper, most)];
}

export const localNow = (): number => Date.now();

/** Milliseconds since the epoch by the server's clock. */
export const serverNow = (): number => Date.now() + (Number.isFinite(lower) ? (lower + upper) / 2 : 0);
