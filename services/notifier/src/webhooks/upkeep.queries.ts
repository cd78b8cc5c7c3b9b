import type { Query } from '@umpire/runtime';

/** How much longer than the events stream an event id is remembered: a consumer made anew reads the stream's seven days again. */
const INBOX_DAYS = 8;

/** Ends what still waits for endpoints that are disabled or deleted, visibly: `recover` brings it back. What is on its way has its end first. @returns how many */
export async function failOrphans(sql: Query, limit: number): Promise<number> {
  const rows = await sql`
    with stopped as (select id, state from notifier.endpoints where state <> 'enabled'), orphan as materialized (
      select d.id, case when s.state = 'deleted' then 'endpoint_deleted' else 'endpoint_disabled' end as failure
      from stopped s cross join lateral (
        select id from notifier.deliveries where endpoint_id = s.id and state = 'pending' and (holder is null or due_at < now()) limit ${limit} for update skip locked
      ) d limit ${limit}
    )
    update notifier.deliveries d set state = 'failed', failure = o.failure, holder = null, done_at = clock_timestamp()
    from orphan o where d.id = o.id and d.id = any(array(select id from orphan)) returning d.id`;
  return rows.length;
}

/**
 * Deletes messages whose deliveries have all been done for longer than the retention, with those deliveries and attempts.
 * @returns how many messages went
 */
export async function pruneMessages(sql: Query, retentionDays: number, limit: number): Promise<number> {
  const [row] = await sql<{ pruned: number }[]>`
    with old as materialized (
      select event_id from notifier.messages m
      where created_at < (select clock_timestamp()) - ${Math.max(INBOX_DAYS, retentionDays)} * interval '1 day'
        and not exists (select from notifier.deliveries d where d.event_id = m.event_id
          and (d.state = 'pending' or d.done_at > (select clock_timestamp()) - ${retentionDays} * interval '1 day'))
      order by created_at limit ${limit} for update skip locked
    ), gone as (
      delete from notifier.deliveries where event_id = any(array(select event_id from old)) returning id
    ), tried as (
      delete from notifier.attempts where delivery_id = any(array(select id from gone))
    ), said as (
      delete from notifier.messages where event_id = any(array(select event_id from old)) returning event_id
    )
    select count(*)::integer as pruned from said`;
  return row!.pruned;
}

/** Deletes endpoints that are deleted, or callback origins unused for the retention, once nothing refers to them. */
export async function pruneEndpoints(sql: Query, retentionDays: number, limit: number): Promise<number> {
  const rows = await sql`
    with unused as materialized (
      select id from notifier.endpoints e
      where (state = 'deleted' or kind = 'callback') and updated_at < (select clock_timestamp()) - ${retentionDays} * interval '1 day'
        and not exists (select from notifier.deliveries d where d.endpoint_id = e.id)
      limit ${limit} for update skip locked
    ), paces as (delete from notifier.paces where endpoint_id = any(array(select id from unused)))
    delete from notifier.endpoints where id = any(array(select id from unused)) returning id`;
  return rows.length;
}
