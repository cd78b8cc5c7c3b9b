import type { Query } from '@umpire/runtime';
import type { Key } from './escalation.queries.ts';

/** Leaves word that an id is cancelled before it came. Idempotent: again only renews its day; the first detail stays. */
export async function insertTombstone(sql: Query, key: Key, detail: string | null): Promise<void> {
  await sql`
    insert into store.tombstones (namespace, request_id, detail) values (${key.namespace}, ${key.request_id}, ${detail?.replaceAll('\u0000', '\uFFFD').toWellFormed() ?? null})
    on conflict (namespace, request_id) do update set created_at = clock_timestamp()`;
}

/** Nearly always there is none, and to find that out costs a tenth of looking for keys. @returns whether there is any */
export async function hasTombstones(sql: Query): Promise<boolean> {
  const [row] = await sql<{ any: boolean }[]>`select exists (select from store.tombstones) as any`;
  return row!.any;
}

/** @returns which of the keys were cancelled before they came, within the last day. */
export async function findTombstones(sql: Query, keys: Key[]) {
  return sql<(Key & { detail: string | null })[]>`
    select t.namespace, t.request_id, t.detail
    from unnest(${keys.map((k) => k.namespace)}::text[], ${keys.map((k) => k.request_id)}::text[]) as k (namespace, request_id)
    join store.tombstones t using (namespace, request_id)
    where t.created_at > (select clock_timestamp()) - interval '24 hours'`;
}

/** @returns tombstones of ids that are there, at most `limit`: whoever stored them came to an end before it looked. */
export async function findMissedTombstones(sql: Query, limit: number) {
  return sql<(Key & { detail: string | null })[]>`
    select t.namespace, t.request_id, t.detail from store.tombstones t join store.escalations e using (namespace, request_id)
    where t.created_at > (select clock_timestamp()) - interval '24 hours' order by t.created_at limit ${limit}`;
}

export async function deleteTombstone(sql: Query, key: Key): Promise<void> {
  await sql`delete from store.tombstones where namespace = ${key.namespace} and request_id = ${key.request_id}`;
}

/** @returns how many outlived tombstones went, at most `limit`. */
export async function pruneTombstones(sql: Query, limit: number): Promise<number> {
  const rows = await sql`
    delete from store.tombstones where (namespace, request_id) in (
      select namespace, request_id from store.tombstones where created_at < (select clock_timestamp()) - interval '24 hours' limit ${limit})
    returning 1`;
  return rows.length;
}

/** @returns members of groups, group by group. Unknown groups are empty. */
export async function findGroupMembers(sql: Query, groups: { namespace: string; name: string }[]) {
  return sql<{ namespace: string; group_name: string; user_id: string }[]>`
    select m.namespace, m.group_name, m.user_id
    from unnest(${groups.map((g) => g.namespace)}::text[], ${groups.map((g) => g.name)}::text[]) as g (namespace, group_name)
    join identity.group_members m using (namespace, group_name)
    order by m.namespace, m.group_name, m.user_id`;
}
