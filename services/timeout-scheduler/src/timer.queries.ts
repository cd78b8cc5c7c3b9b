import type { ClockKind } from '@umpire/contract';
import type { Query } from '@umpire/runtime';

/**
 * All SQL of firing. Times cross as milliseconds since the epoch. `clock_timestamp()` stands unqualified and in a sub-select: it is
 * read once a statement and can bound an index scan, which a volatile call in the condition could not.
 *
 * Nobody here waits for a row lock: claims and settlements skip what is locked. Only arming (clock-set.queries.ts) waits, and it
 * holds its marks first, in order. So no two of them can deadlock.
 */

/**
 * A statement whose connection was lost may never settle by itself, and these take milliseconds. One that went through after all
 * does no harm: its leases end, or the store calls stale what is asked again.
 */
export const STATEMENT_MS = 5_000;

export type TimerKey = { namespace: string; request_id: string; kind: ClockKind; ordinal: number };
/** A timer that this replica may ask about until its lease ends. `attempts` counts this one. */
export type LeasedTimer = TimerKey & { generation: number; due_at: number; wake_at: number; attempts: number; traceparent: string | null };
export type Lease = { id: string; ms: number };

type ClaimRow = { now: number } & (LeasedTimer | { [field in keyof LeasedTimer]: null });
type Claimed = { now: number; timers: LeasedTimer[] };

/**
 * Leases what is due since `from`, at most `quota` of each namespace, in due order.
 * @returns with the database's clock; and each namespace's next moment after it, or null
 */
export async function claimDue(sql: Query, ask: { namespaces: string[]; from: number; quota: number; lease: Lease }): Promise<Claimed & { next: Map<string, number | null> }> {
  const rows = await sql<(ClaimRow & { of: string | null; next: number | null })[]>`
    with clock as materialized (select clock_timestamp() as now),
    due as materialized (
      select d.place from unnest(${ask.namespaces}::text[]) as n (namespace)
      cross join lateral (
        select t.ctid as place from scheduler.timers t
        where t.namespace = n.namespace and t.wake_at >= to_timestamp(${ask.from}::float8 / 1000) and t.wake_at <= (select now from clock)
          and t.leased_until <= (select now from clock)
        order by t.wake_at limit ${ask.quota}::integer for update of t skip locked) d),
    claimed as (
      update scheduler.timers t
      set lease = ${ask.lease.id}::uuid, leased_until = (select now from clock) + ${ask.lease.ms}::float8 * interval '1 millisecond', attempts = t.attempts + 1
      where t.ctid = any (array(select place from due))
      returning t.namespace, t.request_id, t.kind, t.ordinal, t.generation, t.due_at, t.wake_at, t.attempts, t.traceparent)
    select extract(epoch from (select now from clock))::float8 * 1000 as now, null as of, null::float8 as next, c.namespace, c.request_id, c.kind, c.ordinal, c.generation,
      extract(epoch from c.due_at)::float8 * 1000 as due_at, extract(epoch from c.wake_at)::float8 * 1000 as wake_at, c.attempts, c.traceparent
    from claimed c
    union all
    select extract(epoch from (select now from clock))::float8 * 1000, n.namespace, extract(epoch from (
      select t.wake_at from scheduler.timers t where t.namespace = n.namespace and t.wake_at > (select now from clock) order by t.wake_at limit 1))::float8 * 1000,
      null, null, null, null, null, null, null, null, null
    from unnest(${ask.namespaces}::text[]) as n (namespace)`;
  const next = new Map(rows.flatMap((row) => (row.of === null ? [] : [[row.of, row.next] as const])));
  return { now: rows[0]!.now, timers: inDueOrder(rows), next };
}

/** A namespace that is behind. `floor` is known to lie below everything that is due there: dead rows before it are not read again. */
export type OverdueLane = { namespace: string; floor: number };
/** The oldest overdue timer of a lane as the claim found it: when it is due, and until when it was leased. */
export type Head = { wake_at: number; leased_until: number };

/**
 * Leases what has been due since before `before`, oldest first. A namespace whose oldest timer is being asked about, here or by
 * another replica, is passed over: so what is overdue is asked about in due order, one batch after the other.
 */
export async function claimOverdue(sql: Query, ask: { lanes: OverdueLane[]; before: number; quota: number; lease: Lease }): Promise<Claimed & { heads: Map<string, Head> }> {
  const rows = await sql<(ClaimRow & { of: string | null; head_wake_at: number; head_leased_until: number })[]>`
    with clock as materialized (select clock_timestamp() as now),
    head as materialized (
      select n.namespace, h.place, h.wake_at, h.leased_until
      from unnest(${ask.lanes.map((lane) => lane.namespace)}::text[], ${ask.lanes.map((lane) => lane.floor)}::float8[]) as n (namespace, floor)
      cross join lateral (
        select t.ctid as place, t.wake_at, t.leased_until from scheduler.timers t
        where t.namespace = n.namespace and t.wake_at >= to_timestamp(n.floor / 1000) and t.wake_at < to_timestamp(${ask.before}::float8 / 1000)
          and t.wake_at <= (select now from clock)
        order by t.wake_at limit 1) h),
    mine as materialized (
      select t.namespace, t.wake_at from scheduler.timers t
      where t.ctid = any (array(select place from head)) and t.leased_until <= (select now from clock) for update of t skip locked),
    due as materialized (
      select d.place from mine m
      cross join lateral (
        select t.ctid as place from scheduler.timers t
        where t.namespace = m.namespace and t.wake_at >= m.wake_at and t.wake_at < to_timestamp(${ask.before}::float8 / 1000)
          and t.wake_at <= (select now from clock) and t.leased_until <= (select now from clock)
        order by t.wake_at limit ${ask.quota}::integer for update of t skip locked) d),
    claimed as (
      update scheduler.timers t
      set lease = ${ask.lease.id}::uuid, leased_until = (select now from clock) + ${ask.lease.ms}::float8 * interval '1 millisecond', attempts = t.attempts + 1
      where t.ctid = any (array(select place from due))
      returning t.namespace, t.request_id, t.kind, t.ordinal, t.generation, t.due_at, t.wake_at, t.attempts, t.traceparent)
    select extract(epoch from clock.now)::float8 * 1000 as now, null as of, null::float8 as head_wake_at, null::float8 as head_leased_until,
      c.namespace, c.request_id, c.kind, c.ordinal, c.generation, extract(epoch from c.due_at)::float8 * 1000 as due_at,
      extract(epoch from c.wake_at)::float8 * 1000 as wake_at, c.attempts, c.traceparent
    from clock left join claimed c on true
    union all
    select extract(epoch from (select now from clock))::float8 * 1000, h.namespace, extract(epoch from h.wake_at)::float8 * 1000, extract(epoch from h.leased_until)::float8 * 1000,
      null, null, null, null, null, null, null, null, null
    from head h`;
  const heads = new Map(rows.flatMap((row) => (row.of === null ? [] : [[row.of, { wake_at: row.head_wake_at, leased_until: row.head_leased_until }] as const])));
  return { now: rows[0]!.now, timers: inDueOrder(rows), heads };
}

function inDueOrder(rows: ClaimRow[]): LeasedTimer[] {
  return rows.filter((row): row is { now: number } & LeasedTimer => row.request_id !== null).sort((a, b) => a.wake_at - b.wake_at);
}

/**
 * A namespace that has timers: its first moment after now; whether some that were due since `since` are still free; and its oldest
 * timer, if that was due before `since`.
 */
export type Outlook = { namespace: string; next: number | null; missed: boolean; head: Head | null };

/** Looks at the near future and the past of every namespace, by skipping through the index: a few reads a namespace. */
export async function lookAhead(sql: Query, since: number): Promise<{ now: number; namespaces: Outlook[] }> {
  const rows = await sql<{ now: number; namespace: string | null; next: number | null; missed: boolean; wake_at: number | null; leased_until: number | null }[]>`
    with recursive clock as materialized (select clock_timestamp() as now),
    present (namespace) as (
      (select t.namespace from scheduler.timers t order by t.namespace limit 1)
      union all
      select (select t.namespace from scheduler.timers t where t.namespace > p.namespace order by t.namespace limit 1) from present p where p.namespace is not null)
    select extract(epoch from clock.now)::float8 * 1000 as now, p.namespace,
      extract(epoch from (select t.wake_at from scheduler.timers t where t.namespace = p.namespace and t.wake_at > clock.now order by t.wake_at limit 1))::float8 * 1000 as next,
      exists (select from scheduler.timers t where t.namespace = p.namespace and t.wake_at >= to_timestamp(${since}::float8 / 1000) and t.wake_at <= clock.now
        and t.leased_until <= clock.now) as missed,
      extract(epoch from h.wake_at)::float8 * 1000 as wake_at, extract(epoch from h.leased_until)::float8 * 1000 as leased_until
    from clock left join present p on p.namespace is not null
    left join lateral (
      select t.wake_at, t.leased_until from scheduler.timers t
      where t.namespace = p.namespace and t.wake_at < to_timestamp(${since}::float8 / 1000) order by t.wake_at limit 1) h on true`;
  const namespaces = rows.flatMap(({ namespace, next, missed, wake_at, leased_until }) =>
    namespace === null ? [] : [{ namespace, next, missed, head: wake_at === null ? null : { wake_at, leased_until: leased_until! } }]);
  return { now: rows[0]!.now, namespaces };
}

/** Removes what the store has answered for. One that was armed again meanwhile has another generation and stays. */
export async function removeTimers(sql: Query, timers: (TimerKey & { generation: number })[]): Promise<number> {
  const result = await sql`
    with answered as materialized (
      select t.ctid as place from ${unnested(sql, timers)} as a (namespace, request_id, kind, ordinal, generation)
      join scheduler.timers t on t.namespace = a.namespace and t.request_id = a.request_id and t.kind = a.kind and t.ordinal = a.ordinal
      where t.generation = a.generation for update of t skip locked)
    delete from scheduler.timers t where t.ctid = any (array(select place from answered))`;
  return result.count;
}

/** Puts off what the store wants to be asked about later, at `retry_at`. */
export async function rearmTimers(sql: Query, lease: string, timers: (TimerKey & { generation: number; retry_at: number })[]): Promise<number> {
  const result = await sql`
    update scheduler.timers t set due_at = a.retry_at, wake_at = a.retry_at, leased_until = '-infinity', lease = null, attempts = 0
    from (
      select t.ctid as place, to_timestamp(w.retry_at / 1000) as retry_at
      from ${unnested(sql, timers)} with ordinality as a (namespace, request_id, kind, ordinal, generation, nth)
      join unnest(${timers.map((timer) => timer.retry_at)}::float8[]) with ordinality as w (retry_at, nth) using (nth)
      join scheduler.timers t on t.namespace = a.namespace and t.request_id = a.request_id and t.kind = a.kind and t.ordinal = a.ordinal
      where t.generation = a.generation and t.lease = ${lease}::uuid for update of t skip locked) a
    where t.ctid = a.place`;
  return result.count;
}

/**
 * Gives a lease back, so that another replica need not wait for its end. A lease that was lost meanwhile is left alone.
 * @param putOffMs how much later to ask again; 0 leaves the timer in its place
 */
export async function releaseTimers(sql: Query, lease: string, timers: TimerKey[], putOffMs: number): Promise<number> {
  const result = await sql`
    update scheduler.timers t set leased_until = '-infinity', lease = null,
      wake_at = case when ${putOffMs}::float8 = 0 then t.wake_at else date_trunc('milliseconds', clock_timestamp() + ${putOffMs}::float8 * interval '1 millisecond') end
    from (
      select t.ctid as place from ${unnested(sql, timers.map((timer) => ({ ...timer, generation: 0 })))} as a (namespace, request_id, kind, ordinal, generation)
      join scheduler.timers t on t.namespace = a.namespace and t.request_id = a.request_id and t.kind = a.kind and t.ordinal = a.ordinal
      where t.lease = ${lease}::uuid for update of t skip locked) a
    where t.ctid = a.place`;
  return result.count;
}

/** Keys and generations as a row set, in the order given. */
function unnested(sql: Query, timers: (TimerKey & { generation: number })[]) {
  return sql`unnest(${timers.map((timer) => timer.namespace)}::text[], ${timers.map((timer) => timer.request_id)}::text[], ${timers.map((timer) => timer.kind)}::text[],
    ${timers.map((timer) => timer.ordinal)}::integer[], ${timers.map((timer) => timer.generation)}::integer[])`;
}
