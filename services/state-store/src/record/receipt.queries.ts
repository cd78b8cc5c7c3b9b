import type { Query } from '@umpire/runtime';
import type { Key } from '../escalation.queries.ts';

export type RecordedEvent = {
  seq: number;
  type: string;
  occurred_at: string;
  actor: string | null;
  actor_salt: Uint8Array | null;
  actor_digest: Uint8Array;
  data: string | null;
  data_salt: Uint8Array | null;
  data_digest: Uint8Array;
  hash: Uint8Array;
};

/** Who did what, in order, up to and with an event. */
export const eventsUpTo = (sql: Query, { namespace, request_id }: Key, seq: number) =>
  sql<RecordedEvent[]>`
    select seq, type, to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as occurred_at,
      convert_from(actor, 'UTF8') as actor, actor_salt, actor_digest, convert_from(data, 'UTF8') as data, data_salt, data_digest, hash
    from store.events where namespace = ${namespace} and request_id = ${request_id} and seq <= ${seq} order by seq`;

export type KeptPayload = { body: Uint8Array; salt: Uint8Array | null };

/** The producer's payload as it was sent; null where it was erased. */
export async function payloadOf(sql: Query, { namespace, request_id }: Key): Promise<KeptPayload | null> {
  const [row] = await sql<KeptPayload[]>`select body, salt from store.payloads where namespace = ${namespace} and request_id = ${request_id} and body is not null`;
  return row ?? null;
}
