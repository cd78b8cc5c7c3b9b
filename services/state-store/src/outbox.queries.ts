import { encodeUtf8, type Reason } from '@umpire/contract';
import type { EscalationState } from '@umpire/domain';
import type { Query, TraceContext } from '@umpire/runtime';
import { parseState } from './escalation.queries.ts';
import type { EventRecord } from './event-record.ts';

/**
 * What the relay publishes: a committed event, for `opened` the payload as JSON in UTF-8, and for one that settles the subject where
 * the producer also wants the outcome.
 */
export type OutboxItem = Pick<EventRecord, 'namespace' | 'request_id' | 'seq' | 'id' | 'type' | 'occurred_at' | 'data'> & {
  reason: Reason;
  payload: Uint8Array | null;
  reply_subject: string | null;
  trace: TraceContext;
};

/**
 * Leases what a crash or an unreachable broker left behind: rows older than two seconds that nobody holds, oldest first. The
 * lease ends by itself, so a sweeper that dies in the middle delays its rows by ten seconds at most.
 */
export async function leaseOutbox(sql: Query, limit: number): Promise<OutboxItem[]> {
  const rows = await sql<(Omit<OutboxItem, 'payload' | 'reply_subject' | 'trace'> & { payload: string | null; state: string | null; traceparent: string | null })[]>`
    with due as (
      select namespace, request_id, seq from store.outbox
      where created_at < (select clock_timestamp()) - interval '2 seconds' and (leased_until is null or leased_until < (select clock_timestamp()))
      order by created_at limit ${limit} for update skip locked
    ), leased as (
      update store.outbox o set leased_until = clock_timestamp() + interval '10 seconds'
      from due where o.namespace = due.namespace and o.request_id = due.request_id and o.seq = due.seq
      returning o.namespace, o.request_id, o.seq
    )
    select e.namespace, e.request_id, e.seq, e.id, e.type, to_char(e.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as occurred_at,
      coalesce(convert_from(e.data, 'UTF8'), '{"clocks":[],"erased":true}') as data, s.reason,
      case when e.seq = 1 then coalesce(convert_from(p.body, 'UTF8'), 'null') end as payload,
      case when e.type in ('resolved', 'expired', 'cancelled') then convert_from(s.state, 'UTF8') end as state, s.traceparent
    from leased l join store.events e using (namespace, request_id, seq) join store.escalations s using (namespace, request_id)
    left join store.payloads p using (namespace, request_id)
    order by e.namespace, e.request_id, e.seq`;
  return rows.map(({ payload, state, traceparent, ...row }) => ({ ...row, payload: payload === null ? null : encodeUtf8(payload), trace: traceparent ?? undefined, reply_subject: state ? replySubject(parseState(state)) : null }));
}

export const replySubject = (state: EscalationState): string | null => state.rules.resume?.reply_subject ?? null;

/** Forgets what JetStream has acknowledged. Rows are locked in one order: after a stream's loss two replicas may carry the same ones. */
export async function deleteOutbox(sql: Query, items: Pick<OutboxItem, 'namespace' | 'request_id' | 'seq'>[]): Promise<void> {
  await sql`
    with published as (
      select o.namespace, o.request_id, o.seq from store.outbox o
      join unnest(${items.map((i) => i.namespace)}::text[], ${items.map((i) => i.request_id)}::text[], ${items.map((i) => i.seq)}::int[]) as k (namespace, request_id, seq)
        on o.namespace = k.namespace and o.request_id = k.request_id and o.seq = k.seq
      order by o.namespace, o.request_id, o.seq for update of o
    )
    delete from store.outbox o using published p where o.namespace = p.namespace and o.request_id = p.request_id and o.seq = p.seq`;
}

/** @returns how many rows wait, and the age of the oldest in seconds. */
export async function outboxDepth(sql: Query): Promise<{ waiting: number; oldest_seconds: number }> {
  const [row] = await sql<{ waiting: number; oldest_seconds: number }[]>`
    select count(*)::int as waiting, coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as oldest_seconds
    from (select created_at from store.outbox order by created_at limit 10000) as oldest`;
  return row!;
}
