import type { Principal } from '@umpire/contract';
import type { Query } from '@umpire/runtime';

/** @returns who holds the key with this SHA-256 (hex), or null if it is unknown, revoked or expired. */
export async function findPrincipal(sql: Query, digest: string): Promise<Principal | null> {
  const [row] = await sql<{ id: string; namespace: string; roles: string[]; user_id: string | null }[]>`
    select id, namespace, roles, user_id from identity.keys
    where digest = decode(${digest}, 'hex') and revoked_at is null and (expires_at is null or expires_at > clock_timestamp())`;
  return row ? { namespace: row.namespace, key_id: row.id, roles: row.roles, user_id: row.user_id, auth: 'api_key' } : null;
}

export type NewKey = { id: string; namespace: string; name: string; digest: string; roles: string[]; user_id: string | null };

/** Adds a key unless its digest is known already. @returns whether it was added */
export async function insertKey(sql: Query, key: NewKey): Promise<boolean> {
  const rows = await sql`
    insert into identity.keys (id, namespace, name, digest, roles, user_id)
    values (${key.id}, ${key.namespace}, ${key.name}, decode(${key.digest}, 'hex'), ${key.roles}, ${key.user_id})
    on conflict (digest) do nothing returning 1`;
  return rows.length === 1;
}
