import type { EscalationStatus } from '@umpire/contract';
import type { EscalationState } from '@umpire/domain';
import type { Query } from '@umpire/runtime';
import { parseState } from './escalation.queries.ts';

const STATUSES: EscalationStatus[] = ['pending', 'completed', 'expired', 'cancelled'];

export type HistoryPlace = { opened_at: string; request_id: string };
export type RecordedRow = { request_id: string; opened_at: Date; state: EscalationState; body: Uint8Array | null };

/** Escalations opened in [since, until), oldest first, behind a place. One range of the age index for each status, merged. */
export async function findHistory(sql: Query, ask: { namespace: string; since: string; until: string | null; after: HistoryPlace | null; limit: number }): Promise<RecordedRow[]> {
  const { namespace, since, until, after, limit } = ask;
  const ranges = STATUSES.map((status, index) => sql`${index === 0 ? sql`` : sql`union all`} (
    select namespace, request_id, opened_at, state from store.escalations
    where namespace = ${namespace} and status = ${status} and opened_at >= ${since}::text::timestamptz and opened_at < coalesce(${until}::text::timestamptz, 'infinity')
      and (opened_at, request_id) > (${after?.opened_at ?? '-infinity'}::text::timestamptz, ${after?.request_id ?? ''})
    order by opened_at, request_id limit ${limit})`);
  const rows = await sql<(Omit<RecordedRow, 'state'> & { state: Uint8Array })[]>`
    select h.request_id, h.opened_at, h.state, p.body from (
      select * from (${ranges}) as found order by opened_at, request_id limit ${limit}) as h
    left join store.payloads p on p.namespace = h.namespace and p.request_id = h.request_id
    order by h.opened_at, h.request_id`;
  return rows.map((row) => ({ ...row, state: parseState(row.state) }));
}
