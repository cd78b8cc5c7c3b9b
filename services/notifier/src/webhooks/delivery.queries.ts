import type { Query, Sql, Tx } from '@umpire/runtime';
import { packBytes } from './packed-bytes.ts';

export type ClaimedRow = {
  id: string;
  endpoint_id: string;
  event_id: string;
  url: string | null;
  attempts: number;
  round_start: number;
  fence: number;
  event: string;
  reason: string | null;
  body: Buffer;
  occurred_at: Date;
  traceparent: string | null;
};

/**
 * Takes due deliveries, for each endpoint the oldest and no more than it has room for, so that one endpoint's backlog never
 * stands before another's. Taking moves `due_at` to the end of the lease: a holder that dies is forgotten by itself. Rows
 * that another replica is taking at this moment are skipped. The joins are written as lookups: the planner cannot know how few
 * rows come out of the first step, and would scan the tables. What goes to several endpoints is read once, and as the text that it was made of.
 */
export async function claimDue(sql: Query, wanted: { endpointId: string; room: number }[], holder: string, leaseMs: number): Promise<ClaimedRow[]> {
  const rows = await sql<(Omit<ClaimedRow, 'body'> & { body: string | null })[]>`
    with taken as materialized (
      select d.id
      from unnest(${wanted.map((w) => w.endpointId)}::uuid[], ${wanted.map((w) => w.room)}::integer[]) as w (endpoint_id, room)
      join notifier.endpoints e on e.id = w.endpoint_id and e.state = 'enabled'
      cross join lateral (
        select id from notifier.deliveries
        where endpoint_id = w.endpoint_id and state = 'pending' and due_at <= now()
        order by due_at limit w.room
        for update skip locked
      ) d
    ), claimed as (
      update notifier.deliveries
      set fence = fence + 1, holder = ${holder}, due_at = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
      where id = any(array(select id from taken))
      returning id, endpoint_id, event_id, url, attempts, round_start, fence
    )
    select c.id, c.endpoint_id, c.event_id, c.url, c.attempts, c.round_start, c.fence, m.event, m.reason, case when c.first then convert_from(m.body, 'UTF8') end as body, m.occurred_at, m.traceparent
    from (select *, row_number() over (partition by event_id) = 1 as first from claimed) c
    cross join lateral (select event, reason, body, occurred_at, traceparent from notifier.messages where event_id = c.event_id limit 1) m`;
  const bodies = new Map(rows.flatMap(({ event_id, body }) => (body === null ? [] : [[event_id, Buffer.from(body)]])));
  return rows.map((row) => ({ ...row, body: bodies.get(row.event_id)! }));
}

/**
 * `claimDue` for an endpoint with a rate (tokens that drip at it, a tenth of a second's worth at most in store). Its pace row is
 * locked meanwhile, so the rate holds over all replicas; one that is locked already is another replica's to claim for.
 * @returns what was taken, and in how many ms the next may be (null: another replica is at it)
 */
export async function claimPaced(sql: Sql, endpointId: string, rate: number, room: number, holder: string, leaseMs: number): Promise<{ rows: ClaimedRow[]; nextInMs: number | null }> {
  return (await sql.begin(async (begun) => {
    const tx = begun as unknown as Tx;
    await tx`insert into notifier.paces (endpoint_id) values (${endpointId}) on conflict do nothing`;
    const burst = Math.max(1, Math.floor(rate / 10));
    const [pace] = await tx<{ behind: number }[]>`
      select extract(epoch from clock_timestamp() - greatest(next_at, clock_timestamp() - ${(burst - 1) / rate} * interval '1 second'))::float8 as behind
      from notifier.paces where endpoint_id = ${endpointId} for update skip locked`;
    if (!pace) return { rows: [], nextInMs: null };
    if (pace.behind < 0) return { rows: [], nextInMs: -pace.behind * 1000 };
    const tokens = Math.min(room, Math.floor(pace.behind * rate) + 1);
    const rows = await claimDue(tx, [{ endpointId, room: tokens }], holder, leaseMs);
    if (rows.length === 0) return { rows, nextInMs: 0 };
    const [next] = await tx<{ seconds: number }[]>`
      update notifier.paces
      set next_at = greatest(next_at, clock_timestamp() - ${(burst - 1) / rate} * interval '1 second') + ${rows.length / rate} * interval '1 second'
      where endpoint_id = ${endpointId} returning extract(epoch from next_at - clock_timestamp())::float8 as seconds`;
    return { rows, nextInMs: Math.max(0, next!.seconds * 1000) };
  })) as { rows: ClaimedRow[]; nextInMs: number | null };
}

/** For each enabled endpoint that has pending deliveries (of these, or of all): in how many ms the next is due; negative if it is. */
export const nextDue = (sql: Query, endpointIds: string[] | null) =>
  sql<{ endpoint_id: string; in_ms: number }[]>`
    select e.id as endpoint_id, (extract(epoch from d.due_at - clock_timestamp()) * 1000)::float8 as in_ms
    from notifier.endpoints e
    cross join lateral (select due_at from notifier.deliveries where endpoint_id = e.id and state = 'pending' order by due_at limit 1) d
    where e.state = 'enabled' and (${endpointIds}::uuid[] is null or e.id = any(${endpointIds}::uuid[]))`;

/** Extends the leases of what is still held. @returns ids of those that are still ours */
export async function renewLeases(sql: Query, items: { id: string; fence: number }[], holder: string, leaseMs: number): Promise<Set<string>> {
  const rows = await sql<{ id: string }[]>`
    update notifier.deliveries d set due_at = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
    from unnest(${items.map((item) => item.id)}::uuid[], ${items.map((item) => item.fence)}::integer[]) as h (id, fence)
    where d.id = h.id and d.fence = h.fence and d.holder = ${holder} and d.state = 'pending' returning d.id`;
  return new Set(rows.map((row) => row.id));
}

/** Gives back what was taken and not sent. */
export async function releaseLeases(sql: Query, items: { id: string; fence: number }[], holder: string): Promise<void> {
  await sql`
    update notifier.deliveries d set holder = null, due_at = clock_timestamp()
    from unnest(${items.map((item) => item.id)}::uuid[], ${items.map((item) => item.fence)}::integer[]) as h (id, fence)
    where d.id = h.id and d.fence = h.fence and d.holder = ${holder} and d.state = 'pending'`;
}

/** What became of one attempt. `delayMs` is set while the delivery stays pending. */
export type AttemptRow = {
  deliveryId: string;
  fence: number;
  number: number;
  state: 'pending' | 'delivered' | 'failed';
  failure: 'exhausted' | 'gone' | null;
  delayMs: number | null;
  startedAt: string;
  latencyMs: number;
  status: number | null;
  error: string | null;
  detail: string | null;
  response: Uint8Array;
};

/**
 * Writes results and their attempts. A result counts only under the newest fence and as the next attempt, so one that comes late
 * (its lease had run out and somebody else took over) or twice (the first commit's answer was lost) changes nothing.
 * @returns how many counted
 */
export async function recordAttempts(sql: Query, attempts: AttemptRow[]): Promise<number> {
  const responses = packBytes(attempts.map((attempt) => attempt.response));
  const result = await sql`
    with result as (
      select * from unnest(${attempts.map((a) => a.deliveryId)}::uuid[], ${attempts.map((a) => a.fence)}::integer[], ${attempts.map((a) => a.number)}::integer[],
        ${attempts.map((a) => a.state)}::text[], ${attempts.map((a) => a.failure)}::text[], ${attempts.map((a) => a.delayMs)}::float8[],
        ${attempts.map((a) => a.startedAt)}::text[], ${attempts.map((a) => a.latencyMs)}::integer[], ${attempts.map((a) => a.status)}::integer[],
        ${attempts.map((a) => a.error)}::text[], ${attempts.map((a) => a.detail)}::text[], ${responses.at}::integer[], ${responses.length}::integer[])
        as r (id, fence, number, state, failure, delay_ms, started_at, latency_ms, status, error, detail, at, length)
    ), counted as (
      update notifier.deliveries d
      set state = r.state, failure = r.failure, attempts = r.number, holder = null,
        due_at = case when r.state = 'pending' then clock_timestamp() + r.delay_ms * interval '1 millisecond' else d.due_at end,
        done_at = case when r.state <> 'pending' then clock_timestamp() end
      from result r
      where d.id = r.id and d.fence = r.fence and d.state = 'pending' and d.attempts = r.number - 1
      returning d.id
    )
    insert into notifier.attempts (delivery_id, number, started_at, latency_ms, status, error, detail, response)
    select r.id, r.number, r.started_at::timestamptz, r.latency_ms, r.status, r.error, r.detail,
      case when r.length > 0 then substring(${responses.blob}::bytea from r.at for r.length) end
    from result r join counted using (id)`;
  return result.count;
}
