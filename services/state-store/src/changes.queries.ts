import type { Reason } from '@umpire/contract';
import type { Query } from '@umpire/runtime';

/** Tables of one row each: how far a reader has followed the store. */
export type CursorTable = 'stats_position' | 'oversight_cursor';
export type Cursor = { xid: string; namespace: string; request_id: string };
export type ChangedRow = { namespace: string; request_id: string; reason: Reason; kind: string; xid: string; level: number; opened_at: Date; settled_at: Date | null; state: string | null };

/** Takes the cursor for this transaction; null while another replica has it. A cursor from another cluster's future begins anew. */
export async function takeCursor(sql: Query, table: CursorTable): Promise<Cursor | null> {
  const [row] = await sql<Cursor[]>`
    select case when changed_xid > pg_snapshot_xmax(pg_current_snapshot()) then '0' else changed_xid::text end as xid, namespace, request_id
    from store.${sql(table)} for update skip locked`;
  return row ?? null;
}

export const moveCursor = (sql: Query, table: CursorTable, { xid, namespace, request_id }: Cursor) =>
  sql`update store.${sql(table)} set changed_xid = ${xid}::text::xid8, namespace = ${namespace}, request_id = ${request_id}`;

/** What has changed behind the cursor, below the oldest running transaction; the state only of what has ended. */
export const changedRows = (sql: Query, { xid, namespace, request_id }: Cursor, limit: number) =>
  sql<ChangedRow[]>`
    select namespace, request_id, reason, kind, changed_xid::text as xid, level, opened_at, settled_at, case when status <> 'pending' then convert_from(state, 'UTF8') end as state
    from store.escalations
    where changed_xid < pg_snapshot_xmin(pg_current_snapshot())
      and changed_xid >= ${xid}::text::xid8
      and (changed_xid > ${xid}::text::xid8 or (namespace, request_id) > (${namespace}, ${request_id}))
    order by changed_xid, namespace, request_id limit ${limit}`;

export type Named = { namespace: string; request_id: string };

/** The producer's bytes; null where they have been erased. */
export const payloadsOf = (sql: Query, rows: Named[]) =>
  sql<(Named & { body: Uint8Array | null })[]>`
    select p.namespace, p.request_id, p.body
    from unnest(${rows.map((row) => row.namespace)}::text[], ${rows.map((row) => row.request_id)}::text[]) as t (n, r)
    join store.payloads p on p.namespace = t.n and p.request_id = t.r`;
