import type { Query } from '@umpire/runtime';

export type SigningKeyRow = { kid: string; public_x: string; sealed: Uint8Array; created_at: string; created_by: string; signs_from: string; state: 'next' | 'signing' | 'retired' };

/** All keys there ever were, oldest first. The newest whose time has come signs. */
export const signingKeys = (sql: Query) =>
  sql<SigningKeyRow[]>`
    select kid, public_x, sealed, created_by, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at,
      to_char(signs_from at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as signs_from,
      case when signs_from > clock_timestamp() then 'next'
        when signs_from = max(signs_from) filter (where signs_from <= clock_timestamp()) over () then 'signing' else 'retired' end as state
    from store.signing_keys order by signs_from, kid`;

/** One key at a time is made in the whole installation. */
export const lockSigningKeys = (sql: Query) => sql`select pg_advisory_xact_lock(hashtextextended('umpire-signing-keys', 0))`;

export async function insertSigningKey(sql: Query, key: { kid: string; public_x: string; sealed: Uint8Array; created_by: string; afterSeconds: number }): Promise<void> {
  await sql`
    insert into store.signing_keys (kid, public_x, sealed, created_by, signs_from)
    values (${key.kid}, ${key.public_x}, ${key.sealed}, ${key.created_by}, clock_timestamp() + make_interval(secs => ${key.afterSeconds}))`;
}
