import { REASONS, type Reason } from '@umpire/contract';
import type { Query } from '@umpire/runtime';
import type { Named } from './changes.queries.ts';

/** Upper bounds of the times that are counted together, seconds; beyond the last is one more. */
export const BOUNDS = [10, 30, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400] as const;
const CLASSES = [...BOUNDS, Number.POSITIVE_INFINITY];
/** Of one reason no more than this are counted one by one. */
export const PENDING_COUNTED = 2_000;

/**
 * A row whose opening is not counted is the version before 0039's, which makes one when it has counted the end.
 * @returns those whose opening had not been counted before
 */
export const countOpened = (sql: Query, rows: Named[]) =>
  sql<Named[]>`
    insert into store.stats_counted as c (namespace, request_id, opened)
    select n, r, true from unnest(${rows.map((row) => row.namespace)}::text[], ${rows.map((row) => row.request_id)}::text[]) as t (n, r)
    on conflict (namespace, request_id) do update set opened = true, ended = true where not c.opened returning namespace, request_id`;

/** Of those whose opening has been counted. @returns those whose end had not been */
export const countEnded = (sql: Query, rows: Named[]) =>
  sql<Named[]>`
    update store.stats_counted c set ended = true
    from unnest(${rows.map((row) => row.namespace)}::text[], ${rows.map((row) => row.request_id)}::text[]) as t (n, r)
    where c.namespace = t.n and c.request_id = t.r and not c.ended returning c.namespace, c.request_id`;

export type HourRow = { namespace: string; hour: Date; reason: Reason; source: string; ended: number; seconds: number; histogram: number[]; raised: number; agreed: number; disagreed: number };
export type PersonRow = { namespace: string; hour: Date; user_id: string; votes: number; seconds: number };

export type OpeningRow = { namespace: string; hour: Date; reason: Reason; opened: number };

export async function addOpenings(sql: Query, rows: OpeningRow[]): Promise<void> {
  await sql`
    insert into store.stats_openings as o (namespace, hour, reason, opened)
    select n, h, r, c from unnest(${rows.map((row) => row.namespace)}::text[], ${rows.map((row) => row.hour.toISOString())}::timestamptz[], ${rows.map((row) => row.reason)}::text[], ${rows.map((row) => row.opened)}::integer[]) as t (n, h, r, c)
    on conflict (namespace, hour, reason) do update set opened = o.opened + excluded.opened`;
}

export const openingsSince = (sql: Query, namespace: string, hours: number) =>
  sql<OpeningRow[]>`
    select namespace, hour, reason, opened from store.stats_openings
    where namespace = ${namespace} and hour > (select clock_timestamp()) - make_interval(hours => ${hours}::integer) order by hour`;

/** @param rows each namespace, hour, reason and source once */
export const addHours = (sql: Query, rows: HourRow[]) =>
  sql`
    insert into store.stats_hours as h (namespace, hour, reason, source, ended, seconds, histogram, raised, agreed, disagreed)
    select n, at, r, s, e, t, g::integer[], u, a, d from unnest(${rows.map((row) => row.namespace)}::text[], ${rows.map((row) => row.hour.toISOString())}::timestamptz[], ${rows.map((row) => row.reason)}::text[],
      ${rows.map((row) => row.source)}::text[], ${rows.map((row) => row.ended)}::integer[], ${rows.map((row) => row.seconds)}::float8[], ${rows.map((row) => `{${row.histogram.join(',')}}`)}::text[],
      ${rows.map((row) => row.raised)}::integer[], ${rows.map((row) => row.agreed)}::integer[], ${rows.map((row) => row.disagreed)}::integer[]) as x (n, at, r, s, e, t, g, u, a, d)
    on conflict (namespace, hour, reason, source) do update set
      ended = h.ended + excluded.ended, seconds = h.seconds + excluded.seconds, raised = h.raised + excluded.raised,
      agreed = h.agreed + excluded.agreed, disagreed = h.disagreed + excluded.disagreed,
      histogram = array(select coalesce(a, 0) + coalesce(b, 0) from unnest(h.histogram, excluded.histogram) with ordinality as t (a, b, place) order by place)`;

/** @param rows each namespace, hour and person once */
export const addPeople = (sql: Query, rows: PersonRow[]) =>
  sql`
    insert into store.stats_people as p (namespace, hour, user_id, votes, seconds)
    select * from unnest(${rows.map((row) => row.namespace)}::text[], ${rows.map((row) => row.hour.toISOString())}::timestamptz[], ${rows.map((row) => row.user_id)}::text[], ${rows.map((row) => row.votes)}::integer[],
      ${rows.map((row) => row.seconds)}::float8[])
    on conflict (namespace, hour, user_id) do update set votes = p.votes + excluded.votes, seconds = p.seconds + excluded.seconds`;

/** Sums of a window: of one reason and source, or (`hour` set) of one hour. */
export type EndedSums = Omit<HourRow, 'namespace' | 'hour' | 'reason' | 'source'> & { hour: Date | null; reason: Reason | null; source: string | null };

/** One pass over the hours of the window, and few rows out of it, however long it is. */
export const endedSince = (sql: Query, namespace: string, hours: number) =>
  sql<EndedSums[]>`
    select hour, reason, source, sum(ended)::integer as ended, sum(seconds) as seconds, sum(raised)::integer as raised, sum(agreed)::integer as agreed, sum(disagreed)::integer as disagreed,
      array[${CLASSES.map((_, place) => sql`${place === 0 ? sql`` : sql`,`}coalesce(sum(histogram[${place + 1}::integer]), 0)::integer`)}] as histogram
    from store.stats_hours where namespace = ${namespace} and hour > (select clock_timestamp()) - make_interval(hours => ${hours}::integer)
    group by grouping sets ((reason, source), (hour)) order by hour`;

export const peopleSince = (sql: Query, namespace: string, hours: number, most: number) =>
  sql<{ user_id: string; votes: number; seconds: number }[]>`
    select user_id, sum(votes)::integer as votes, sum(seconds) as seconds from store.stats_people
    where namespace = ${namespace} and hour > (select clock_timestamp()) - make_interval(hours => ${hours}::integer)
    group by user_id order by 2 desc, 1 limit ${most}`;

/**
 * What is pending and the oldest of it, by reason. Up to PENDING_COUNTED it is counted by the index, exactly as of now; where there is more it is what has been
 * opened less what has ended, as far as the loop has come: some seconds behind.
 */
export const pendingByReason = (sql: Query, namespace: string) =>
  sql<{ reason: Reason; pending: number; oldest_at: Date | null }[]>`
    select r.reason, case when counted.pending < ${PENDING_COUNTED} then counted.pending else greatest(counted.pending, kept.pending) end as pending,
      (select opened_at from store.escalations e where e.namespace = ${namespace} and e.status = 'pending' and e.reason = r.reason order by e.opened_at limit 1) as oldest_at
    from unnest(${REASONS as unknown as string[]}::text[]) as r (reason)
    cross join lateral (select count(*)::integer as pending from (select from store.escalations e where e.namespace = ${namespace} and e.status = 'pending' and e.reason = r.reason limit ${PENDING_COUNTED}) as first) as counted
    left join lateral (select (t.opened - t.ended)::integer as pending from store.stats_totals t where t.namespace = ${namespace} and t.reason = r.reason) as kept on true`;

export const raisedLevels = (sql: Query, namespace: string, bound: number) =>
  sql<{ level: number; pending: number }[]>`
    select level::integer as level, count(*)::integer as pending
    from (select level from store.escalations where namespace = ${namespace} and status = 'pending' and level > 0 limit ${bound}) as counted group by level order by level`;

/** Open items by person named, each counted up to a bound: the index is entered once for each person, never read whole. */
export const openByPerson = (sql: Query, namespace: string, most: number, bound: number) =>
  sql<{ user_id: string; open: number }[]>`
    with recursive person as (
      (select principal, 1 as place from store.assignments where namespace = ${namespace} and open and principal >= 'u:' and principal < 'u;' order by principal limit 1)
      union all
      select next.principal, place + 1 from person cross join lateral (
        select principal from store.assignments where namespace = ${namespace} and open and principal > person.principal and principal < 'u;' order by principal limit 1
      ) as next where place < ${most}
    )
    select substr(principal, 3) as user_id, (select count(*)::integer from (select from store.assignments a where a.namespace = ${namespace} and a.open and a.principal = person.principal limit ${bound}) as counted) as open
    from person`;
