import type { Query } from '@umpire/runtime';
import type { Key } from '../escalation.queries.ts';

export type ActedEvent = { seq: number; type: string; occurred_at: string; actor: string | null; hash: Uint8Array };

/** Who did what, in order, up to and with an event. */
export const eventsUpTo = (sql: Query, { namespace, request_id }: Key, seq: number) =>
  sql<ActedEvent[]>`
    select seq, type, to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as occurred_at, convert_from(actor, 'UTF8') as actor, hash
    from store.events where namespace = ${namespace} and request_id = ${request_id} and seq <= ${seq} order by seq`;

/** The producer's payload as it was sent; null where it was erased. */
export async function payloadOf(sql: Query, { namespace, request_id }: Key): Promise<Uint8Array | null> {
  const [row] = await sql<{ body: Uint8Array | null }[]>`select body from store.payloads where namespace = ${namespace} and request_id = ${request_id}`;
  return row?.body ?? null;
}
