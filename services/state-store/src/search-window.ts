import type { ListCursor, ListOrder } from './list.queries.ts';

/** So many times the rows of a page are looked for among matches at once: some do not fit the other conditions. */
const SLACK = 4;
/** A window with more than this part of all rows saves too little to be tried. */
const WIDEST = 0.5;

/**
 * How far from where a page begins matches are looked for first, so that there are probably enough of them. A guess from statistics: where
 * it was wrong the page is short, and is looked for again without a window.
 * @param bounds ms, ascending: of equally many rows between each two of them (a histogram as Postgres keeps it)
 * @param matches about how many there are in all
 * @returns the last moment of the window in the list's order, ms, or null where none is worth it
 */
export function searchWindow(bounds: readonly number[], matches: number, { order, after, limit }: { order: ListOrder; after: ListCursor | null; limit: number }): number | null {
  if (bounds.length < 2) return null;
  const width = (SLACK * limit) / matches;
  const begin = after === null ? (order.descending ? 1 : 0) : shareBefore(bounds, Date.parse(after.opened_at));
  const end = order.descending ? begin - width : begin + width;
  if (width > WIDEST || end <= 0 || end >= 1) return null;
  const place = end * (bounds.length - 1);
  const [from, to] = [bounds[Math.floor(place)]!, bounds[Math.floor(place) + 1]!];
  return Math.round(from + (to - from) * (place % 1));
}

/** The share of rows before a moment. */
function shareBefore(bounds: readonly number[], at: number): number {
  const next = bounds.findIndex((bound) => bound > at);
  if (next <= 0) return next < 0 ? 1 : 0;
  const [from, to] = [bounds[next - 1]!, bounds[next]!];
  return (next - 1 + (at - from) / (to - from)) / (bounds.length - 1);
}
