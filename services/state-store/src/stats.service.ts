import { REASONS, type Reason } from '@umpire/contract';
import { Batcher, databaseNow, withDeadline, type Sql } from '@umpire/runtime';
import { KeptFigures } from './kept-figures.ts';
import { lastErased } from './oversight.queries.ts';
import { BOUNDS, endedSince, openByPerson, openingsSince, peopleSince, PENDING_COUNTED, pendingByReason, raisedLevels, type EndedSums, type OpeningRow } from './stats.queries.ts';

const READ_MS = 5_000;
/** Raised ones, and those of one person, are counted no further than this: more is a number that nobody acts on differently. */
const MOST_RAISED = 2_000;
const MOST_OPEN = 100;
const MOST_PEOPLE = 100;

/** Of one reason, within the window. Times to the end in seconds; the quantiles are upper bounds of the class that they fall into. */
export type ReasonStats = {
  reason: Reason;
  pending: number;
  oldest_pending_at: string | null;
  opened: number;
  ended: number;
  by_source: { human: number; timeout: number; cancel: number };
  mean_seconds: number | null;
  p50_seconds: number | null;
  p90_seconds: number | null;
  raised: number;
  agents_agreed: number;
  agents_disagreed: number;
};
export type Stats = {
  /** Of when the figures are; the loops' may be some seconds behind that. */
  as_of: string;
  hours: number;
  /** Up to here `pending` of a reason is exact; above it is some seconds behind. */
  pending_bound: number;
  /** Counting stops here: all levels of `pending_levels` together, and `open` of one person. */
  raised_bound: number;
  open_bound: number;
  reasons: ReasonStats[];
  pending_levels: { level: number; pending: number }[];
  series: { hour: string; opened: number; ended: number }[];
  people: { user_id: string; votes: number; mean_seconds: number | null; open: number }[];
};

type Asked = { namespace: string; hours: number };

/** Consoles ask on a beat, and the same. Nothing that is shown is older than two seconds, and what it took. */
export const STATS_KEEPING = { quickMs: 0, times: 20, mostMs: 1_000, staleTimes: 2 };

/** What operators ask: volumes, times, outcomes, load. Reads the hourly sums and bounded index ranges, once for all who ask the same, and keeps what it found for a moment. */
export class StatsReads {
  private readonly sql: Sql;
  private readonly kept: KeptFigures<Stats>;
  /** However many windows are asked for, two are looked at: decisions wait for the same connections. */
  private readonly looks = new Batcher<Asked, Stats>((asked) => Promise.all(asked.map((one) => this.look(one))), { items: 1, size: Number.MAX_SAFE_INTEGER, lanes: 2 });

  constructor(sql: Sql, kept = new KeptFigures<Stats>(STATS_KEEPING, () => performance.now())) {
    this.sql = sql;
    this.kept = kept;
  }

  /** What was kept before a person was erased names them: it is not shown any more. */
  async read(namespace: string, hours: number): Promise<Stats> {
    const erased = await withDeadline(lastErased(this.sql, namespace), READ_MS, 'stats');
    return this.kept.get(JSON.stringify([namespace, hours, erased]), () => this.looks.add({ namespace, hours }, 1));
  }

  private async look({ namespace, hours }: Asked): Promise<Stats> {
    const { sql } = this;
    // Before the rest, so that no figure is older than it says.
    const now = await withDeadline(databaseNow(sql), READ_MS, 'stats');
    const [rows, openings, people, open, levels, pending] = await withDeadline(Promise.all([
      endedSince(sql, namespace, hours), openingsSince(sql, namespace, hours), peopleSince(sql, namespace, hours, MOST_PEOPLE), openByPerson(sql, namespace, MOST_PEOPLE, MOST_OPEN),
      raisedLevels(sql, namespace, MOST_RAISED), pendingByReason(sql, namespace),
    ]), READ_MS, 'stats');
    return {
      as_of: new Date(now).toISOString(),
      hours,
      pending_bound: PENDING_COUNTED,
      raised_bound: MOST_RAISED,
      open_bound: MOST_OPEN,
      reasons: REASONS.map((reason) => reasonStats(reason, rows.filter((row) => row.reason === reason), openings.filter((row) => row.reason === reason), pending.find((row) => row.reason === reason)!)),
      pending_levels: levels,
      series: seriesOf(rows.filter((row) => row.hour !== null), openings),
      people: peopleOf(people, open),
    };
  }
}

function reasonStats(reason: Reason, rows: EndedSums[], openings: OpeningRow[], { pending, oldest_at }: { pending: number; oldest_at: Date | null }): ReasonStats {
  const sum = (of: (row: EndedSums) => number, source?: string) => rows.filter((row) => source === undefined || row.source === source).reduce((total, row) => total + of(row), 0);
  const histogram = Array.from({ length: BOUNDS.length + 1 }, (_, place) => sum((row) => row.histogram[place] ?? 0, 'human'));
  const decided = sum((row) => row.ended, 'human');
  return {
    reason,
    pending,
    oldest_pending_at: oldest_at?.toISOString() ?? null,
    opened: openings.reduce((total, row) => total + row.opened, 0),
    ended: sum((row) => row.ended),
    by_source: { human: decided, timeout: sum((row) => row.ended, 'timeout'), cancel: sum((row) => row.ended, 'cancel') },
    mean_seconds: decided === 0 ? null : sum((row) => row.seconds, 'human') / decided,
    p50_seconds: quantile(histogram, 0.5),
    p90_seconds: quantile(histogram, 0.9),
    raised: sum((row) => row.raised),
    agents_agreed: sum((row) => row.agreed),
    agents_disagreed: sum((row) => row.disagreed),
  };
}

/** @returns the bound that so great a part lies below; null if nothing was counted, or it lies beyond the last bound */
export function quantile(histogram: readonly number[], part: number): number | null {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let below = 0;
  for (const [place, count] of histogram.entries()) {
    below += count;
    if (below >= part * total) return BOUNDS[place] ?? null;
  }
  return null;
}

function seriesOf(rows: EndedSums[], openings: OpeningRow[]): Stats['series'] {
  const sums = new Map<number, { opened: number; ended: number }>();
  const at = (hour: Date) => {
    const sum = sums.get(hour.getTime()) ?? { opened: 0, ended: 0 };
    sums.set(hour.getTime(), sum);
    return sum;
  };
  for (const row of rows) at(row.hour!).ended += row.ended;
  for (const row of openings) at(row.hour).opened += row.opened;
  return [...sums].sort(([a], [b]) => a - b).map(([hour, sum]) => ({ hour: new Date(hour).toISOString(), ...sum }));
}

function peopleOf(people: { user_id: string; votes: number; seconds: number }[], open: { user_id: string; open: number }[]): Stats['people'] {
  const load = new Map(open.map((one) => [one.user_id, one.open]));
  const active = people.map(({ user_id, votes, seconds }) => ({ user_id, votes, mean_seconds: votes === 0 ? null : seconds / votes, open: load.get(user_id) ?? 0 }));
  const known = new Set(people.map((one) => one.user_id));
  return [...active, ...open.filter((one) => !known.has(one.user_id)).map(({ user_id, open: count }) => ({ user_id, votes: 0, mean_seconds: null, open: count }))];
}
