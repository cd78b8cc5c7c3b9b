/**
 * Times are integers inside the domain (milliseconds since the epoch, handed in by the caller) and RFC 3339 with Z in event data.
 * `Date` serves as a formatter and parser here; the clock itself is never read.
 */
export function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** @returns milliseconds since the epoch. The text is one that `isoOf` wrote. */
export function msOf(iso: string): number {
  return Date.parse(iso);
}

/** Whole milliseconds of a duration that people write in seconds; never less than one. */
export function durationMs(seconds: number): number {
  return Math.max(1, Math.round(seconds * 1000));
}
