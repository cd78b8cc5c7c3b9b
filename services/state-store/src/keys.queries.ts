import type { Delegator, Principal } from '@umpire/contract';
import type { Query } from '@umpire/runtime';

type Holder = { id: string; namespace: string; roles: string[]; user_id: string | null; acts_for: Delegator[] };

type DigestHolder = Holder & { digest: string };

/** @param digests hex SHA-256 of keys @returns by digest who holds it; those unknown, revoked or expired are left out */
export async function findPrincipals(sql: Query, digests: string[]): Promise<Map<string, Principal>> {
  const rows = await sql<DigestHolder[]>`
    select encode(k.digest, 'hex') as digest, k.id, k.namespace, k.roles, k.user_id, ${delegators(sql)} as acts_for
    from unnest(${digests}::text[]) as asked (digest) join identity.keys k on k.digest = decode(asked.digest, 'hex')
    where k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())`;
  return new Map(rows.map((row) => [row.digest, principalOf(row, 'api_key')]));
}

/**
 * @param digests hex SHA-256 of session cookies
 * @returns by digest who signed in; those that are over are left out. A session made with a key has what the key has now, and none of it
 *   once the key is revoked or expired.
 */
export async function findSessionPrincipals(sql: Query, digests: string[]): Promise<Map<string, Principal>> {
  const rows = await sql<DigestHolder[]>`
    select k.digest, k.id, k.namespace, k.roles, k.user_id, ${delegators(sql)} as acts_for
    from (
      select asked.digest, coalesce(s.token_id, o.id::text) as id, s.namespace, coalesce(s.roles, o.roles) as roles,
        case when s.key_id is null then s.user_id else o.user_id end as user_id
      from unnest(${digests}::text[]) as asked (digest) join identity.sessions s on s.digest = decode(asked.digest, 'hex') left join identity.keys o on o.id = s.key_id
      where s.expires_at > clock_timestamp()
        and (s.key_id is null or (o.revoked_at is null and (o.expires_at is null or o.expires_at > clock_timestamp())))
    ) as k`;
  return new Map(rows.map((row) => [row.digest, principalOf(row, 'session')]));
}

/** Delegations in force to the person in row `k`, as JSON. Few have any, and finding that out costs a fraction of looking them up. */
const delegators = (sql: Query) => sql`
  case when exists (select from identity.delegations d where d.namespace = k.namespace and d.to_user = k.user_id and d.revoked_at is null and d.ends_at > clock_timestamp())
    then (select coalesce(jsonb_agg(jsonb_build_object('user_id', d.user_id, 'roles', d.roles)), '[]') from identity.delegators(k.namespace, k.user_id, clock_timestamp()) as d)
    else '[]' end`;

function principalOf(row: Holder, auth: Principal['auth']): Principal {
  return { namespace: row.namespace, key_id: row.id, roles: row.roles, user_id: row.user_id, auth, ...(row.acts_for.length > 0 ? { acts_for: row.acts_for } : {}) };
}

export type NewKey = {
  id: string;
  namespace: string;
  name: string;
  digest: string;
  roles: string[];
  user_id: string | null;
  expires_at?: string | null;
  created_by?: string | null;
};

/** Adds a key unless its digest is known already. @returns whether it was added */
export async function insertKey(sql: Query, key: NewKey): Promise<boolean> {
  const rows = await sql`
    insert into identity.keys (id, namespace, name, digest, roles, user_id, expires_at, created_by)
    values (${key.id}, ${key.namespace}, ${key.name}, decode(${key.digest}, 'hex'), ${key.roles}, ${key.user_id}, ${key.expires_at ?? null}, ${key.created_by ?? null})
    on conflict (digest) do nothing returning 1`;
  return rows.length === 1;
}

/** A key as it is shown: never its digest. Times RFC 3339. */
export type KeyView = {
  id: string;
  name: string;
  roles: string[];
  user_id: string | null;
  created_at: string;
  created_by: string | null;
  expires_at: string | null;
  revoked_at: string | null;
  revoked_by: string | null;
};

const view = (sql: Query) => sql`
  id, name, roles, user_id, ${utc(sql, 'created_at')}, created_by, ${utc(sql, 'expires_at')}, ${utc(sql, 'revoked_at')}, revoked_by`;

/** A timestamp column as RFC 3339 text. */
export const utc = (sql: Query, column: string, name = column) => sql`to_char(${sql(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${sql(name)}`;

export async function findKey(sql: Query, namespace: string, id: string): Promise<KeyView | null> {
  const [row] = await sql<KeyView[]>`select ${view(sql)} from identity.keys where namespace = ${namespace} and id = ${id}`;
  return row ?? null;
}

export type KeyFilter = { user_id: string | null; active: boolean };

/** A page of a namespace's keys, oldest first. */
export async function findKeys(sql: Query, namespace: string, filter: KeyFilter, after: { at: string; id: string } | null, limit: number): Promise<KeyView[]> {
  return sql<KeyView[]>`
    select ${view(sql)} from identity.keys
    where namespace = ${namespace} and (${filter.user_id}::text is null or user_id = ${filter.user_id})
      and (not ${filter.active}::boolean or (revoked_at is null and (expires_at is null or expires_at > clock_timestamp())))
      and (${after?.at ?? null}::timestamptz is null or (created_at, id) > (${after?.at ?? null}::timestamptz, ${after?.id ?? null}::uuid))
    order by created_at, id limit ${limit}`;
}

/** Ends a key, and its sessions with it; once ended it stays as it was. @returns the key, or null where there is none. */
export async function revokeKey(sql: Query, namespace: string, id: string, by: string): Promise<KeyView | null> {
  await sql`
    with revoked as (
      update identity.keys set revoked_at = clock_timestamp(), revoked_by = ${by}
      where namespace = ${namespace} and id = ${id} and revoked_at is null returning id
    )
    delete from identity.sessions s using revoked where s.key_id = revoked.id`;
  return findKey(sql, namespace, id);
}
