import type { Query, Tx } from '@umpire/runtime';
import { utc } from './keys.queries.ts';

/** Most people that a group may have: its escalations' electorates are expanded from it. */
export const GROUP_MEMBERS = 1_000;

/** Times RFC 3339. */
export type GroupView = { name: string; description: string | null; members: number; created_at: string };

const view = (sql: Query) => sql`
  name, description, ${utc(sql, 'created_at')},
  (select count(*)::int from identity.group_members m where m.namespace = g.namespace and m.group_name = g.name) as members`;

/** A page of groups by name. */
export async function findGroups(sql: Query, namespace: string, after: string | null, limit: number): Promise<GroupView[]> {
  return sql<GroupView[]>`
    select ${view(sql)} from identity.groups g where namespace = ${namespace} and (${after}::text is null or name > ${after}) order by name limit ${limit}`;
}

export async function findGroup(sql: Query, namespace: string, name: string): Promise<GroupView | null> {
  const [row] = await sql<GroupView[]>`select ${view(sql)} from identity.groups g where namespace = ${namespace} and name = ${name}`;
  return row ?? null;
}

/** @returns user ids in order */
export async function findMembers(sql: Query, namespace: string, name: string): Promise<string[]> {
  const rows = await sql<{ user_id: string }[]>`select user_id from identity.group_members where namespace = ${namespace} and group_name = ${name} order by user_id`;
  return rows.map((row) => row.user_id);
}

/** @returns whether it was made; false if there is one of that name */
export async function insertGroup(sql: Query, namespace: string, name: string, description: string | null): Promise<boolean> {
  const rows = await sql`
    insert into identity.groups (namespace, name, description) values (${namespace}, ${name}, ${description}) on conflict (namespace, name) do nothing returning 1`;
  return rows.length === 1;
}

/** Holds the group until the transaction's end, so that its size is counted right. @returns whether there is one */
export async function lockGroup(tx: Tx, namespace: string, name: string): Promise<boolean> {
  const rows = await tx`select 1 from identity.groups where namespace = ${namespace} and name = ${name} for update`;
  return rows.length === 1;
}

export async function updateDescription(sql: Query, namespace: string, name: string, description: string | null): Promise<void> {
  await sql`update identity.groups set description = ${description} where namespace = ${namespace} and name = ${name}`;
}

/** Members that are there already stay as they are. */
export async function insertMembers(sql: Query, namespace: string, name: string, users: string[]): Promise<void> {
  await sql`
    insert into identity.group_members (namespace, group_name, user_id)
    select ${namespace}, ${name}, user_id from unnest(${users}::text[]) as user_id on conflict do nothing`;
}

export async function deleteMembersExcept(sql: Query, namespace: string, name: string, users: string[]): Promise<void> {
  await sql`delete from identity.group_members where namespace = ${namespace} and group_name = ${name} and user_id <> all (${users}::text[])`;
}

export async function deleteMember(sql: Query, namespace: string, name: string, userId: string): Promise<void> {
  await sql`delete from identity.group_members where namespace = ${namespace} and group_name = ${name} and user_id = ${userId}`;
}

/** Members go with it. Escalations that it has opened keep their electorate. @returns whether there was one */
export async function deleteGroup(sql: Query, namespace: string, name: string): Promise<boolean> {
  const rows = await sql`delete from identity.groups where namespace = ${namespace} and name = ${name} returning 1`;
  return rows.length === 1;
}
