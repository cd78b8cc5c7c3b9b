import type { Query } from '@umpire/runtime';
import { packBytes } from './packed-bytes.ts';

/** A webhook event on its way into the database. `body` is null when nobody wants it. */
export type MessageRow = {
  eventId: string;
  namespace: string;
  event: string;
  requestId: string | null;
  reason: string | null;
  seq: number | null;
  occurredAt: string;
  body: Uint8Array | null;
  trace?: string | undefined;
};

/** One (event, endpoint). `held`: the inserting replica sends it at once, so it is born leased under fence 1. */
export type DeliveryRow = { id: string; eventId: string; endpointId: string; url: string | null; held: boolean };

/**
 * Writes messages and their deliveries in one statement, which is one transaction. Messages that are known already bring
 * nothing: the first time counts, so an event handed over twice is delivered once.
 * @returns ids of the deliveries that were made
 */
export async function insertMessages(sql: Query, messages: MessageRow[], deliveries: DeliveryRow[], holder: string, leaseMs: number): Promise<Set<string>> {
  const bodies = packBytes(messages.map((message) => message.body));
  const rows = await sql<{ id: string }[]>`
    with fresh as (
      insert into notifier.messages (event_id, namespace, event, request_id, reason, seq, occurred_at, body, traceparent)
      select m.event_id, m.namespace, m.event, m.request_id, m.reason, m.seq, m.occurred_at,
        case when m.length >= 0 then substring(${bodies.blob}::bytea from m.at for m.length) end, m.traceparent
      from unnest(${messages.map((m) => m.eventId)}::uuid[], ${messages.map((m) => m.namespace)}::text[], ${messages.map((m) => m.event)}::text[],
        ${messages.map((m) => m.requestId)}::text[], ${messages.map((m) => m.reason)}::text[], ${messages.map((m) => m.seq)}::integer[],
        ${messages.map((m) => m.occurredAt)}::text[]::timestamptz[], ${bodies.at}::integer[], ${bodies.length}::integer[], ${messages.map((m) => m.trace ?? null)}::text[])
        as m (event_id, namespace, event, request_id, reason, seq, occurred_at, at, length, traceparent)
      on conflict (event_id) do nothing
      returning event_id
    )
    insert into notifier.deliveries (id, endpoint_id, event_id, url, fence, holder, due_at)
    select d.id, d.endpoint_id, d.event_id, d.url, d.held, case when d.held = 1 then ${holder}::text end,
      clock_timestamp() + d.held * ${leaseMs} * interval '1 millisecond'
    from unnest(${deliveries.map((d) => d.id)}::uuid[], ${deliveries.map((d) => d.endpointId)}::uuid[], ${deliveries.map((d) => d.eventId)}::uuid[],
      ${deliveries.map((d) => d.url)}::text[], ${deliveries.map((d) => Number(d.held))}::integer[]) as d (id, endpoint_id, event_id, url, held)
    join fresh using (event_id)
    join notifier.endpoints e on e.id = d.endpoint_id and e.state = 'enabled'
    returning id`;
  return new Set(rows.map((row) => row.id));
}
