import type { Delegator } from '@umpire/contract';
import type { Query } from '@umpire/runtime';
import { utc } from './keys.queries.ts';

/** Longest that one delegation may last, days: a check of the table too. */
export const DELEGATION_DAYS = 90;

/** A delegation as it is shown. Times RFC 3339. */
export type DelegationView = {
  id: string;
  from: string;
  to: string;
  starts_at: string;
  until: string;
  detail: string | null;
  in_force: boolean;
  created_at: string;
  created_by: string;
  revoked_at: string | null;
  revoked_by: string | null;
};

/** Times in ms. */
export type NewDelegation = {
  id: string;
  namespace: string;
  from: string;
  to: string;
  token_roles: string[];
  starts_at: number;
  until: number;
  detail: string | null;
  created_by: string;
};

const view = (sql: Query) => sql`
  id, from_user as "from", to_user as "to", ${utc(sql, 'starts_at')}, ${utc(sql, 'ends_at', 'until')}, note as detail,
  revoked_at is null and starts_at <= clock_timestamp() and ends_at > clock_timestamp() as in_force,
  ${utc(sql, 'created_at')}, created_by, ${utc(sql, 'revoked_at')}, revoked_by`;

export async function insertDelegation(sql: Query, delegation: NewDelegation): Promise<DelegationView> {
  const iso = (ms: number) => new Date(ms).toISOString();
  const [row] = await sql<DelegationView[]>`
    insert into identity.delegations (id, namespace, from_user, to_user, token_roles, starts_at, ends_at, note, created_by)
    values (${delegation.id}, ${delegation.namespace}, ${delegation.from}, ${delegation.to}, ${delegation.token_roles}, ${iso(delegation.starts_at)},
      ${iso(delegation.until)}, ${delegation.detail}, ${delegation.created_by})
    returning ${view(sql)}`;
  return row!;
}

export async function findDelegation(sql: Query, namespace: string, id: string): Promise<DelegationView | null> {
  const [row] = await sql<DelegationView[]>`select ${view(sql)} from identity.delegations where namespace = ${namespace} and id = ${id}`;
  return row ?? null;
}

/** A page of delegations, oldest first: from or to a person, or (null) everybody's. */
export async function findDelegations(sql: Query, namespace: string, filter: { user_id: string | null; in_force: boolean }, after: { at: string; id: string } | null, limit: number): Promise<DelegationView[]> {
  return sql<DelegationView[]>`
    select ${view(sql)} from identity.delegations
    where namespace = ${namespace} and (${filter.user_id}::text is null or from_user = ${filter.user_id} or to_user = ${filter.user_id})
      and (not ${filter.in_force}::boolean or (revoked_at is null and starts_at <= clock_timestamp() and ends_at > clock_timestamp()))
      and (${after?.at ?? null}::timestamptz is null or (created_at, id) > (${after?.at ?? null}::timestamptz, ${after?.id ?? null}::uuid))
    order by created_at, id limit ${limit}`;
}

/** Ends a delegation; once ended it stays as it was. */
export async function revokeDelegation(sql: Query, namespace: string, id: string, by: string): Promise<void> {
  await sql`
    update identity.delegations set revoked_at = clock_timestamp(), revoked_by = ${by}
    where namespace = ${namespace} and id = ${id} and revoked_at is null`;
}

/** Whom a person acts for now, the oldest delegation first. */
export async function findDelegators(sql: Query, namespace: string, userId: string): Promise<Delegator[]> {
  return sql<Delegator[]>`select user_id, roles from identity.delegators(${namespace}, ${userId}, clock_timestamp())`;
}
