import type { Reason } from '@umpire/contract';
import type { Query } from '@umpire/runtime';

export type Cursor = { xid: string; namespace: string; request_id: string };
export type ChangedRow = { namespace: string; request_id: string; reason: Reason; kind: string; xid: string; level: number; opened_at: Date; settled_at: Date | null; state: Uint8Array | null };

/** Takes the cursor for this transaction; null while another replica has it. A cursor from another cluster's future begins anew. */
export async function takeCursor(sql: Query): Promise<Cursor | null> {
  const [row] = await sql<Cursor[]>`
    select case when changed_xid > pg_snapshot_xmax(pg_current_snapshot()) then '0' else changed_xid::text end as xid, namespace, request_id
    from store.stats_position for update skip locked`;
  return row ?? null;
}

export const moveCursor = (sql: Query, { xid, namespace, request_id }: Cursor) =>
  sql`update store.stats_position set changed_xid = ${xid}::text::xid8, namespace = ${namespace}, request_id = ${request_id}`;

/** What has changed behind the cursor, below the oldest running transaction; the state only of what has ended. */
export const changedRows = (sql: Query, { xid, namespace, request_id }: Cursor, limit: number) =>
  sql<ChangedRow[]>`
    select namespace, request_id, reason, kind, changed_xid::text as xid, level, opened_at, settled_at, case when status <> 'pending' then state end as state
    from store.escalations
    where changed_xid < pg_snapshot_xmin(pg_current_snapshot())
      and changed_xid >= ${xid}::text::xid8
      and (changed_xid > ${xid}::text::xid8 or (namespace, request_id) > (${namespace}, ${request_id}))
    order by changed_xid, namespace, request_id limit ${limit}`;

type Named = { namespace: string; request_id: string };

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

export const payloadsOf = (sql: Query, rows: { namespace: string; request_id: string }[]) =>
  sql<{ namespace: string; request_id: string; body: Uint8Array | null }[]>`
    select p.namespace, p.request_id, p.body
    from unnest(${rows.map((row) => row.namespace)}::text[], ${rows.map((row) => row.request_id)}::text[]) as t (n, r)
    join store.payloads p on p.namespace = t.n and p.request_id = t.r`;

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
    where namespace = ${namespace} and hour > clock_timestamp() - make_interval(hours => ${hours}::integer) order by hour`;

export async function addHour(sql: Query, row: HourRow): Promise<void> {
  await sql`
    insert into store.stats_hours as h (namespace, hour, reason, source, ended, seconds, histogram, raised, agreed, disagreed)
    values (${row.namespace}, ${row.hour}, ${row.reason}, ${row.source}, ${row.ended}, ${row.seconds}, ${row.histogram}::integer[], ${row.raised}, ${row.agreed}, ${row.disagreed})
    on conflict (namespace, hour, reason, source) do update set
      ended = h.ended + excluded.ended, seconds = h.seconds + excluded.seconds, raised = h.raised + excluded.raised,
      agreed = h.agreed + excluded.agreed, disagreed = h.disagreed + excluded.disagreed,
      histogram = array(select coalesce(a, 0) + coalesce(b, 0) from unnest(h.histogram, excluded.histogram) with ordinality as t (a, b, place) order by place)`;
}

export async function addPerson(sql: Query, row: PersonRow): Promise<void> {
  await sql`
    insert into store.stats_people as p (namespace, hour, user_id, votes, seconds)
    values (${row.namespace}, ${row.hour}, ${row.user_id}, ${row.votes}, ${row.seconds})
    on conflict (namespace, hour, user_id) do update set votes = p.votes + excluded.votes, seconds = p.seconds + excluded.seconds`;
}

export const hoursSince = (sql: Query, namespace: string, hours: number) =>
  sql<HourRow[]>`
    select namespace, hour, reason, source, ended, seconds, histogram, raised, agreed, disagreed from store.stats_hours
    where namespace = ${namespace} and hour > clock_timestamp() - make_interval(hours => ${hours}::integer) order by hour`;

export const peopleSince = (sql: Query, namespace: string, hours: number, most: number) =>
  sql<{ user_id: string; votes: number; seconds: number }[]>`
    select user_id, sum(votes)::integer as votes, sum(seconds) as seconds from store.stats_people
    where namespace = ${namespace} and hour > clock_timestamp() - make_interval(hours => ${hours}::integer)
    group by user_id order by 2 desc, 1 limit ${most}`;

/** Pending of one reason, counted up to a bound, and the oldest of it: both from the index alone. */
export const pendingOf = (sql: Query, namespace: string, reason: Reason, bound: number) =>
  sql<{ pending: number; oldest_at: Date | null }[]>`
    select (select count(*)::integer from (select from store.escalations where namespace = ${namespace} and status = 'pending' and reason = ${reason} limit ${bound}) as counted) as pending,
      (select opened_at from store.escalations where namespace = ${namespace} and status = 'pending' and reason = ${reason} order by opened_at limit 1) as oldest_at`;

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
