import type { Reason } from '@umpire/contract';
import type { EscalationState } from '@umpire/domain';
import type { Query } from '@umpire/runtime';
import { parseState, type Key } from './escalation.queries.ts';

export type HotRow = Key & { status: EscalationState['status']; seq: number; reason: Reason };

/** The version of an escalation: one index probe, always Postgres. */
export async function findVersion(sql: Query, key: Key): Promise<HotRow | null> {
  const [row] = await sql<HotRow[]>`
    select namespace, request_id, status, seq, reason from store.escalations where namespace = ${key.namespace} and request_id = ${key.request_id}`;
  return row ?? null;
}

/** @returns the domain state, or null where the id is unknown. */
export async function findState(sql: Query, key: Key): Promise<EscalationState | null> {
  const [row] = await sql<{ state: string }[]>`
    select convert_from(state, 'UTF8') as state from store.escalations where namespace = ${key.namespace} and request_id = ${key.request_id}`;
  return row ? parseState(row.state) : null;
}

/** @returns the state, and once that is settled the payload too, or null where the id is unknown. */
export async function findStatus(sql: Query, key: Key): Promise<{ state: EscalationState; body: string | null } | null> {
  const [row] = await sql<{ state: string; body: string | null }[]>`
    select convert_from(e.state, 'UTF8') as state, case when e.status <> 'pending' then (select convert_from(p.body, 'UTF8') from store.payloads p where p.namespace = e.namespace and p.request_id = e.request_id) end as body
    from store.escalations e where e.namespace = ${key.namespace} and e.request_id = ${key.request_id}`;
  return row ? { state: parseState(row.state), body: row.body } : null;
}

export type Document = Key & { state: EscalationState; seq: number; body: string | null; task_id: string | null; summary: string | null };

/** State and payload of several escalations, in no order. A payload is JSON text, which came in as UTF-8: nothing of it is refused as text. */
export async function findDocuments(sql: Query, keys: Key[]): Promise<Document[]> {
  const rows = await sql<(Omit<Document, 'state'> & { state: string })[]>`
    select e.namespace, e.request_id, convert_from(e.state, 'UTF8') as state, e.seq, e.task_id, e.summary, convert_from(p.body, 'UTF8') as body
    from unnest(${keys.map((k) => k.namespace)}::text[], ${keys.map((k) => k.request_id)}::text[]) as k (namespace, request_id)
    join store.escalations e using (namespace, request_id)
    left join store.payloads p using (namespace, request_id)`;
  return rows.map((row) => ({ ...row, state: parseState(row.state) }));
}

/** Where a page of the inbox ended. */
export type InboxCursor = { opened_at: string; request_id: string };

/** A place that someone sees items from: `u:<user id>` or `r:<role>`, and whose it is: their own, or a delegator's. */
export type InboxPlace = { principal: string; person: string };

/**
 * A page of what waits for a person, oldest first: named, through a role, or for someone who has delegated to them; four-eyes
 * excepted, for either. One index range for each place, merged; each is cut at the page's size before the merge.
 */
export async function findInbox(sql: Query, namespace: string, userId: string, places: InboxPlace[], after: InboxCursor | null, limit: number) {
  return sql<(HotRow & { opened_at: string })[]>`
    select distinct on (page.opened_at, page.request_id) page.namespace, page.request_id, page.status, page.seq, page.reason, to_char(page.opened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as opened_at
    from unnest(${places.map((place) => place.principal)}::text[], ${places.map((place) => place.person)}::text[]) as p (principal, person)
    cross join lateral (
      select x.namespace, a.request_id, x.status, x.seq, x.reason, a.opened_at from store.assignments a
      join store.escalations x on x.namespace = a.namespace and x.request_id = a.request_id
      where a.namespace = ${namespace} and a.principal = p.principal and a.open and x.status = 'pending' and not (x.excluded && array[${userId}, p.person])
        and (a.opened_at, a.request_id) > (coalesce(${after?.opened_at ?? null}::timestamptz, '-infinity'), ${after?.request_id ?? ''})
      order by a.opened_at, a.request_id limit ${limit}
    ) as page
    order by page.opened_at, page.request_id limit ${limit}`;
}

/**
 * How many wait for a person, counted up to a bound. One index range for each place; four-eyes is looked up row by row, since a
 * join would be planned for the busiest person there is, and read every escalation.
 */
export async function countInbox(sql: Query, namespace: string, userId: string, places: InboxPlace[], bound: number): Promise<number> {
  const [row] = await sql<{ total: number }[]>`
    select count(*)::int as total from (
      select distinct waiting.request_id
      from unnest(${places.map((place) => place.principal)}::text[], ${places.map((place) => place.person)}::text[]) as p (principal, person)
      cross join lateral (
        select a.request_id from store.assignments a
        where a.namespace = ${namespace} and a.principal = p.principal and a.open
          and not (select x.excluded && array[${userId}, p.person] from store.escalations x where x.namespace = a.namespace and x.request_id = a.request_id)
        order by a.opened_at, a.request_id limit ${bound}
      ) as waiting
      limit ${bound}) as ids`;
  return row!.total;
}

export type TimelineRow = { id: string; seq: number; type: string; occurred_at: string; actor: string | null; data: string | null; hash: string };

/** A page of the log, in order. Erased content reads as null. */
export async function findTimeline(sql: Query, key: Key, afterSeq: number, limit: number): Promise<TimelineRow[]> {
  return sql<TimelineRow[]>`
    select id, seq, type, to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as occurred_at,
      convert_from(actor, 'UTF8') as actor, convert_from(data, 'UTF8') as data, encode(hash, 'hex') as hash
    from store.events where namespace = ${key.namespace} and request_id = ${key.request_id} and seq > ${afterSeq}
    order by seq limit ${limit}`;
}

/**
 * Escalations changed since a transaction id, with their clocks. Only transactions that are all over are read (below the oldest
 * one running), so nothing that commits late is skipped. What has ended has no clocks: its state is not even read. Of others Postgres
 * picks the clocks out of the state, which is ten times as long.
 * @param after `<xid>:<namespace>:<request_id>` of the last row read, or null for the beginning
 */
export async function findChanges(sql: Query, after: { xid: string; namespace: string; request_id: string } | null, limit: number) {
  const rows = await sql<(Key & { seq: number; xid: string; text: string })[]>`
    select namespace, request_id, seq, changed_xid::text as xid, case
      when state is null then '[]'
      when position(${BACKSLASH_U}::bytea in state) > 0 then convert_from(state, 'UTF8')
      else (convert_from(state, 'UTF8')::json -> 'clocks')::text end as text
    from (
      select namespace, request_id, seq, changed_xid, case when status = 'pending' then state end as state from store.escalations
      where changed_xid < pg_snapshot_xmin(pg_current_snapshot())
        and changed_xid >= ${after?.xid ?? '0'}::xid8
        and (changed_xid > ${after?.xid ?? '0'}::xid8 or (namespace, request_id) > (${after?.namespace ?? ''}, ${after?.request_id ?? ''}))
      order by changed_xid, namespace, request_id limit ${limit}
    ) as changed order by changed_xid, namespace, request_id`;
  return rows.map(({ text, ...row }) => ({ ...row, clocks: clocksOf(text) }));
}

/** What stands before an escape that Postgres' JSON may refuse to read: U+0000, half a surrogate pair. A state with any such escape is sent whole. */
const BACKSLASH_U = Buffer.from('\\u');

/** @param text a state, or its clocks alone */
function clocksOf(text: string): EscalationState['clocks'] {
  const read = JSON.parse(text) as EscalationState | EscalationState['clocks'];
  return Array.isArray(read) ? read : read.clocks;
}

/** @returns whether the cursor lies in this database's future: it was restored from a backup, and the reader must begin again. */
export async function isFutureXid(sql: Query, xid: string): Promise<boolean> {
  const [row] = await sql<{ future: boolean }[]>`select ${xid}::xid8 > pg_snapshot_xmax(pg_current_snapshot()) as future`;
  return row!.future;
}
