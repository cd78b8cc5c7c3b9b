import type { Query } from '@umpire/runtime';

export const ENDED = ['completed', 'expired', 'cancelled'] as const;
export type Ended = (typeof ENDED)[number];
/** Days that content is kept after the end, by how it ended; null: for good. */
export type RetentionRules = { completed_days: number | null; expired_days: number | null; cancelled_days: number | null };
export type RetentionRow = RetentionRules & { changed_by: string; changed_at: string };

export async function findRetention(sql: Query, namespace: string): Promise<RetentionRow | null> {
  const [row] = await sql<RetentionRow[]>`
    select completed_days, expired_days, cancelled_days, changed_by, to_char(changed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as changed_at
    from store.retention where namespace = ${namespace}`;
  return row ?? null;
}

/** Saves the rules, with a cursor for each way to end; those that are there go on where they are. */
export async function saveRetention(sql: Query, namespace: string, rules: RetentionRules, by: string): Promise<void> {
  await sql`
    insert into store.retention as r (namespace, completed_days, expired_days, cancelled_days, changed_by)
    values (${namespace}, ${rules.completed_days}, ${rules.expired_days}, ${rules.cancelled_days}, ${by})
    on conflict (namespace) do update set completed_days = excluded.completed_days, expired_days = excluded.expired_days, cancelled_days = excluded.cancelled_days,
      changed_by = excluded.changed_by, changed_at = clock_timestamp()`;
  await sql`insert into store.retention_cursors (namespace, status) select ${namespace}, status from unnest(${[...ENDED]}::text[]) as s (status) on conflict do nothing`;
}

export type RetentionCursor = { namespace: string; status: Ended; days: number; number: number; request_id: string };

/**
 * Takes a cursor that has something old enough before it, for this transaction: the one that is furthest behind. Null where there is none,
 * or other replicas have them.
 */
export async function takeRetentionCursor(sql: Query): Promise<RetentionCursor | null> {
  const [row] = await sql<RetentionCursor[]>`
    select c.namespace, c.status, d.days, c.number, c.request_id
    from store.retention_cursors c
    join store.retention r using (namespace)
    cross join lateral (select case c.status when 'completed' then r.completed_days when 'expired' then r.expired_days else r.cancelled_days end as days) as d
    join store.checkpoints p on p.namespace = c.namespace and p.number = c.number
    where p.at < (select clock_timestamp()) - make_interval(days => d.days)
    order by p.at limit 1 for update of c skip locked`;
  return row ?? null;
}

/** Heads behind the cursor in its checkpoint, in order, and which of them are to go: ended like this, long enough ago, content still there. */
export const headsBehind = (sql: Query, { namespace, status, days, number, request_id }: RetentionCursor, limit: number) =>
  sql<{ request_id: string; due: boolean }[]>`
    select h.request_id, e.status = ${status} and e.settled_at < (select clock_timestamp()) - make_interval(days => ${days}::integer) and p.body is not null as due
    from (
      select request_id from store.sealed_heads
      where namespace = ${namespace} and number = ${number} and request_id collate "C" > ${request_id} order by request_id collate "C" limit ${limit}
    ) as h
    join store.escalations e on e.namespace = ${namespace} and e.request_id = h.request_id
    join store.payloads p on p.namespace = ${namespace} and p.request_id = h.request_id
    order by h.request_id collate "C"`;

export async function moveRetentionCursor(sql: Query, { namespace, status }: RetentionCursor, to: { number: number; request_id: string }): Promise<void> {
  await sql`update store.retention_cursors set number = ${to.number}, request_id = ${to.request_id} where namespace = ${namespace} and status = ${status}`;
}
