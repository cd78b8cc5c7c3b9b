import type { EscalationStatus } from '@umpire/contract';
import type { EscalationState } from '@umpire/domain';
import type { Query } from '@umpire/runtime';
import { parseState } from './escalation.queries.ts';

const STATUSES: EscalationStatus[] = ['pending', 'completed', 'expired', 'cancelled'];

export type HistoryPlace = { opened_at: string; request_id: string };
export type RecordedRow = { request_id: string; opened_at: Date; state: EscalationState; body: Uint8Array | null };

/**
 * Escalations opened in [since, until), oldest first, behind a place: at most `limit`, and the first so many `bytes` of them, one at least.
 * One range of the age index for each status, merged; content beyond that is never read.
 */
export async function findHistory(sql: Query, ask: { namespace: string; since: string; until: string | null; after: HistoryPlace | null; limit: number; bytes: number }): Promise<{ rows: RecordedRow[]; more: boolean }> {
  const { namespace, since, until, after, limit, bytes } = ask;
  const ranges = STATUSES.map((status, index) => sql`${index === 0 ? sql`` : sql`union all`} (
    select namespace, request_id, opened_at, state from store.escalations
    where namespace = ${namespace} and status = ${status} and opened_at >= ${since}::text::timestamptz and opened_at < coalesce(${until}::text::timestamptz, 'infinity')
      and (opened_at, request_id) > (${after?.opened_at ?? '-infinity'}::text::timestamptz, ${after?.request_id ?? ''})
    order by opened_at, request_id limit ${limit})`);
  const found = await sql<(Omit<RecordedRow, 'state'> & { state: string | null })[]>`
    select request_id, opened_at, case when fits then convert_from(state, 'UTF8') end as state, case when fits then body end as body from (
      select h.request_id, h.opened_at, h.state, p.body,
        row_number() over places = 1 or sum(octet_length(h.state) + coalesce(octet_length(p.body), 0)) over places <= ${bytes} as fits
      from (select * from (${ranges}) as found order by opened_at, request_id limit ${limit}) as h
      left join store.payloads p on p.namespace = h.namespace and p.request_id = h.request_id
      window places as (order by h.opened_at, h.request_id)) as sized
    order by opened_at, request_id`;
  const rows = found.flatMap(({ state, ...row }) => (state === null ? [] : [{ ...row, state: parseState(state) }]));
  return { rows, more: rows.length < found.length || found.length === limit };
}
