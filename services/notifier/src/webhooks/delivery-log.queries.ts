import type { Query } from '@umpire/runtime';

/** A delivery as the API shows it, with its last attempt. */
export type DeliveryView = {
  id: string;
  endpoint_id: string;
  event_id: string;
  event: string;
  request_id: string | null;
  reason: string | null;
  seq: number | null;
  url: string | null;
  state: 'pending' | 'delivered' | 'failed';
  failure: string | null;
  attempts: number;
  in_flight: boolean;
  due_at: Date;
  created_at: Date;
  done_at: Date | null;
  last_status: number | null;
  last_error: string | null;
};

const view = (sql: Query) => sql`
  d.id, d.endpoint_id, d.event_id, m.event, m.request_id, m.reason, m.seq, d.url, d.state, d.failure, d.attempts,
  (d.holder is not null and d.due_at > clock_timestamp()) as in_flight, d.due_at, d.created_at, d.done_at, a.status as last_status, a.error as last_error
  from notifier.deliveries d
  join notifier.messages m on m.event_id = d.event_id
  left join notifier.attempts a on a.delivery_id = d.id and a.number = d.attempts`;

/** Newest first. @param before id of the last one seen */
export const listDeliveries = (sql: Query, endpointId: string, page: { state: string | null; before: string | null; limit: number }) =>
  sql<DeliveryView[]>`
    select ${view(sql)}
    where d.endpoint_id = ${endpointId} and (${page.before}::uuid is null or d.id < ${page.before}::uuid) and (${page.state}::text is null or d.state = ${page.state})
    order by d.id desc limit ${page.limit}`;

/** Of one escalation, to every endpoint, in no order but that of their ids. @param before id of the last one seen */
export const listRequestDeliveries = (sql: Query, namespace: string, requestId: string, page: { state: string | null; before: string | null; limit: number }) =>
  sql<DeliveryView[]>`
    select ${view(sql)}
    where m.namespace = ${namespace} and m.request_id = ${requestId} and m.body is not null
      and (${page.before}::uuid is null or d.id < ${page.before}::uuid) and (${page.state}::text is null or d.state = ${page.state})
    order by d.id desc limit ${page.limit}`;

export async function selectDelivery(sql: Query, namespace: string, id: string): Promise<DeliveryView | null> {
  const [row] = await sql<DeliveryView[]>`
    select ${view(sql)} where d.id = ${id} and m.namespace = ${namespace}`;
  return row ?? null;
}

export type AttemptView = { number: number; started_at: Date; latency_ms: number; status: number | null; error: string | null; detail: string | null; response: Buffer | null };

export const listAttempts = (sql: Query, deliveryId: string) =>
  sql<AttemptView[]>`
    select number, started_at, latency_ms, status, error, detail, response from notifier.attempts where delivery_id = ${deliveryId} order by number`;

/** Makes a delivery due now, with its schedule begun anew. One that is on its way is left alone. @returns whether its endpoint is enabled, or null if there is no such delivery */
export async function retryDelivery(sql: Query, namespace: string, id: string): Promise<boolean | null> {
  const [row] = await sql<{ enabled: boolean }[]>`
    with target as (
      select d.id, e.state = 'enabled' as enabled from notifier.deliveries d join notifier.endpoints e on e.id = d.endpoint_id
      where d.id = ${id} and e.namespace = ${namespace}
    ), moved as (
      update notifier.deliveries d set state = 'pending', failure = null, done_at = null, round_start = d.attempts, holder = null, due_at = clock_timestamp()
      from target t where d.id = t.id and t.enabled and (d.holder is null or d.due_at < clock_timestamp())
    )
    select enabled from target`;
  return row?.enabled ?? null;
}

export type RecoverStep = { retried: number; added: number; last: string | null };

/**
 * One step of a recovery: of the next messages in the range, in order of their ids, those that this endpoint's filter wants are
 * made due again where they failed, and added where it never had them (it was disabled, or newer than they).
 * @param after the event id that the step before ended with
 */
export async function recoverStep(sql: Query, endpointId: string, range: { since: string; until: string | null; after: string | null; limit: number }): Promise<RecoverStep> {
  const [row] = await sql<[RecoverStep]>`
    with endpoint as (
      select id, namespace, events, reasons from notifier.endpoints where id = ${endpointId} and state = 'enabled'
    ), batch as materialized (
      select m.event_id, (cardinality(e.events) = 0 or m.event = any(e.events)) and (m.reason is null or cardinality(e.reasons) = 0 or m.reason = any(e.reasons)) as wanted
      from notifier.messages m join endpoint e on e.namespace = m.namespace
      where m.created_at >= ${range.since}::timestamptz - interval '1 hour' and m.occurred_at >= ${range.since}::timestamptz
        and (${range.until}::timestamptz is null or m.occurred_at < ${range.until}::timestamptz)
        and (${range.after}::uuid is null or m.event_id > ${range.after}::uuid) and m.body is not null and m.event not in ('test', 'endpoint_disabled')
      order by m.event_id limit ${range.limit}
    ), retried as (
      update notifier.deliveries d set state = 'pending', failure = null, done_at = null, round_start = d.attempts, due_at = clock_timestamp()
      where d.event_id = any(array(select event_id from batch)) and d.endpoint_id = ${endpointId} and d.state = 'failed' returning d.id
    ), added as (
      insert into notifier.deliveries (id, endpoint_id, event_id)
      select gen_random_uuid(), ${endpointId}::uuid, b.event_id from batch b where b.wanted
      on conflict (event_id, endpoint_id) do nothing returning id
    )
    select (select count(*) from retried)::integer as retried, (select count(*) from added)::integer as added,
      (select event_id from batch order by event_id desc limit 1) as last`;
  return row;
}
