import type { Query } from '@umpire/runtime';

/** What identity holds of a person: never a key or its digest. */
export async function identityOf(sql: Query, namespace: string, person: string): Promise<Record<string, unknown>[]> {
  const keys = await sql`
    select 'key' as kind, id, name, roles, created_at, expires_at, revoked_at from identity.keys where namespace = ${namespace} and user_id = ${person} order by created_at, id`;
  const groups = await sql`select 'group' as kind, group_name as name from identity.group_members where namespace = ${namespace} and user_id = ${person} order by group_name`;
  const delegations = await sql`
    select 'delegation' as kind, id, from_user, to_user, starts_at, ends_at, note, created_at, created_by, revoked_at from identity.delegations
    where namespace = ${namespace} and (from_user = ${person} or to_user = ${person} or created_by = ${person}) order by created_at, id`;
  const sessions = await sql`
    select 'session' as kind, s.created_at, s.expires_at from identity.sessions s left join identity.keys k on k.id = s.key_id
    where s.namespace = ${namespace} and (s.user_id = ${person} or k.user_id = ${person}) order by s.created_at`;
  const votes = await sql`
    select 'figures' as kind, count(*)::int as hours, coalesce(sum(votes), 0)::int as votes from store.stats_people where namespace = ${namespace} and user_id = ${person}`;
  return [...keys, ...groups, ...delegations, ...sessions, ...votes].map((row) => ({ ...row }));
}

export type PersonEvent = { request_id: string; seq: number; type: string; occurred_at: string; actor: string | null; data: string | null; acted: boolean };

/** Events of a window of escalations in which the person stands as a whole JSON string. */
export const personEvents = (sql: Query, namespace: string, window: { after: string; until: string }, needle: string) =>
  sql<PersonEvent[]>`
    select request_id, seq, type, to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as occurred_at,
      case when acted then convert_from(actor, 'UTF8') end as actor, case when acted then convert_from(data, 'UTF8') end as data, acted
    from (select *, coalesce(position(convert_to(${needle}, 'UTF8') in actor) > 0, false) as acted from store.events) as e
    where namespace = ${namespace} and request_id > ${window.after} and request_id <= ${window.until}
      and (acted or position(convert_to(${needle}, 'UTF8') in data) > 0)
    order by request_id, seq`;
