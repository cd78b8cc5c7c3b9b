import type { ClockKind } from '@umpire/contract';
import type { Query } from '@umpire/runtime';

/** No more than this many overdue timers of a namespace are counted: the gauge is an alarm, not an audit. */
export const COUNTED_AT_MOST = 100_000;

/** How many timers are due and not settled, over all namespaces, and when the oldest was due (ms since the epoch). */
export async function countOverdue(sql: Query): Promise<{ overdue: number; oldest: number | null; now: number }> {
  const [row] = await sql<{ overdue: number; oldest: number | null; now: number }[]>`
    with recursive clock as materialized (select clock_timestamp() as now),
    present (namespace) as (
      (select t.namespace from scheduler.timers t order by t.namespace limit 1)
      union all
      select (select t.namespace from scheduler.timers t where t.namespace > p.namespace order by t.namespace limit 1) from present p where p.namespace is not null)
    select coalesce(sum(o.overdue), 0)::float8 as overdue, extract(epoch from min(o.oldest))::float8 * 1000 as oldest,
      extract(epoch from (select now from clock))::float8 * 1000 as now
    from present p cross join lateral (
      select count(*) as overdue, min(d.wake_at) as oldest from (
        select t.wake_at from scheduler.timers t where t.namespace = p.namespace and t.wake_at <= (select now from clock)
        order by t.wake_at limit ${COUNTED_AT_MOST}) d) o
    where p.namespace is not null`;
  return row!;
}

export type Overview = { kind: ClockKind; pending: number; next_due_at: Date | null; overdue: number; oldest_overdue_at: Date | null };

/** Counts and times of one namespace, by kind. Reads all its timers: for people, not for loops. */
export function overview(sql: Query, namespace: string): Promise<Overview[]> {
  return sql<Overview[]>`
    with clock as materialized (select clock_timestamp() as now)
    select t.kind, count(*)::float8 as pending, min(t.due_at) filter (where t.due_at > clock.now) as next_due_at,
      (count(*) filter (where t.due_at <= clock.now))::float8 as overdue, min(t.due_at) filter (where t.due_at <= clock.now) as oldest_overdue_at
    from scheduler.timers t cross join clock where t.namespace = ${namespace} group by t.kind`;
}

export type TimerRow = { request_id: string; kind: ClockKind; ordinal: number; generation: number; due_at: Date; wake_at: Date; leased: boolean; attempts: number };
/** Where a page ended. `wake_at` is RFC 3339 with microseconds, so that it names the row exactly. */
export type TimerCursor = { wake_at: string; request_id: string; kind: string; ordinal: number };

/** A page of a namespace's timers in the order in which they will be asked about. */
export function listTimers(sql: Query, ask: { namespace: string; kind: ClockKind | null; after: TimerCursor | null; limit: number }): Promise<(TimerRow & { place: string })[]> {
  const { after } = ask;
  return sql<(TimerRow & { place: string })[]>`
    select t.request_id, t.kind, t.ordinal, t.generation, t.due_at, t.wake_at, t.leased_until > (select clock_timestamp()) as leased, t.attempts,
      to_char(t.wake_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as place
    from scheduler.timers t
    where t.namespace = ${ask.namespace} ${ask.kind === null ? sql`` : sql`and t.kind = ${ask.kind}`}
      ${after === null ? sql`` : sql`and t.wake_at >= ${after.wake_at}::text::timestamptz
      and (t.wake_at, t.request_id, t.kind, t.ordinal) > (${after.wake_at}::text::timestamptz, ${after.request_id}, ${after.kind}, ${after.ordinal}::integer)`}
    order by t.wake_at, t.request_id, t.kind, t.ordinal limit ${ask.limit}::integer`;
}
