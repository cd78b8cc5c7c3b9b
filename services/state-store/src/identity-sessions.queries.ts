import type { Query } from '@umpire/runtime';
import { utc } from './keys.queries.ts';

/** How long a session lives, whatever is done with it. */
export const SESSION_SECONDS = 12 * 3600;

export type NewSession = {
  digest: string;
  namespace: string;
  /** Of the key it was made with, or null. */
  key_id: string | null;
  /** What a token said, where it was made with one. `expires_at` in ms, where the session ends no later. */
  token: { id: string; user_id: string | null; roles: string[]; expires_at: number | null } | null;
  /** How long it lives, where that is shorter than every session. */
  seconds?: number;
};

/**
 * Begins a session, and forgets some that are over.
 * @returns when it ends (RFC 3339), or null if it would be over already
 */
export async function insertSession(sql: Query, session: NewSession): Promise<string | null> {
  const { token } = session;
  const [row] = await sql<{ expires_at: string }[]>`
    with forgotten as (
      delete from identity.sessions where digest in (select digest from identity.sessions where expires_at < (select clock_timestamp()) - interval '1 hour' order by expires_at limit 100)
    )
    insert into identity.sessions (digest, namespace, key_id, token_id, user_id, roles, expires_at)
    select decode(${session.digest}, 'hex'), ${session.namespace}, ${session.key_id}::uuid, ${token?.id ?? null}, ${token?.user_id ?? null}, ${token?.roles ?? null}::text[], end_at
    from (select least(clock_timestamp() + ${session.seconds ?? SESSION_SECONDS} * interval '1 second', to_timestamp(${token && token.expires_at !== null ? token.expires_at / 1000 : null}::float8)) as end_at) as ends
    where end_at > clock_timestamp()
    returning ${utc(sql, 'expires_at')}`;
  return row?.expires_at ?? null;
}

/** @returns when the session with this SHA-256 (hex) ends, or null where there is none. */
export async function findSessionEnd(sql: Query, digest: string): Promise<string | null> {
  const [row] = await sql<{ expires_at: string }[]>`select ${utc(sql, 'expires_at')} from identity.sessions where digest = decode(${digest}, 'hex')`;
  return row?.expires_at ?? null;
}

export async function deleteSession(sql: Query, digest: string): Promise<void> {
  await sql`delete from identity.sessions where digest = decode(${digest}, 'hex')`;
}
