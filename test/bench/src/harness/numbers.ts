/** What several rounds gave: the median, and how far apart they were. */
export type Summary = { median: number; min: number; max: number; rounds: number };

/** @returns the value below which a share `q` (0 to 1) of the values lies; NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  const place = (sorted.length - 1) * q;
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (sorted[above]! - sorted[below]!) * (place - below);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export function summarise(values: readonly number[]): Summary {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), rounds: values.length };
}

/** Latencies of one round, in ms, as metrics `<name>_p50`, `_p95`, `_p99` and `_max`. */
export function latencies(name: string, values: readonly number[]): Record<string, number> {
  return { [`${name}_p50`]: quantile(values, 0.5), [`${name}_p95`]: quantile(values, 0.95), [`${name}_p99`]: quantile(values, 0.99), [`${name}_max`]: quantile(values, 1) };
}
