import type { Principal, PrincipalQuery } from '@umpire/contract';
import { isApiKey, keyDigest, withDeadline, type Authenticator, type Credential, type Sql } from '@umpire/runtime';
import { findDelegators } from './identity-delegations.queries.ts';
import { isJwt, type TokenHolder, type Tokens } from './identity-tokens.ts';
import { findPrincipal, findPrincipals, findSessionPrincipal, findSessionPrincipals } from './keys.queries.ts';

const LOOK_UP_MS = 3_000;

/** Looks credentials up where they live. No cache: a revoked key stops here at once, and so do its sessions. */
export class StoreAuthenticator implements Authenticator {
  private readonly sql: Sql;
  private readonly tokens: Tokens | null;

  /** @param tokens null where JWTs are not taken */
  constructor(sql: Sql, tokens: Tokens | null = null) {
    this.sql = sql;
    this.tokens = tokens;
  }

  async authenticate({ kind, token }: Credential): Promise<Principal | null> {
    if (kind === 'session') return this.bySessionDigest(keyDigest(token));
    if (isApiKey(token)) return this.byKeyDigest(keyDigest(token));
    return (await this.byToken(token))?.principal ?? null;
  }

  /** What another service asks for one of its callers. */
  async answer(query: PrincipalQuery): Promise<Principal | null> {
    if ('key_digest' in query) return this.byKeyDigest(query.key_digest);
    if ('session_digest' in query) return this.bySessionDigest(query.session_digest);
    return (await this.byToken(query.jwt))?.principal ?? null;
  }

  /** The same for many, in order. */
  async answerAll(queries: PrincipalQuery[]): Promise<(Principal | null)[]> {
    const keys = queries.flatMap((query) => ('key_digest' in query ? [query.key_digest] : []));
    const sessions = queries.flatMap((query) => ('session_digest' in query ? [query.session_digest] : []));
    const [byKey, bySession] = await Promise.all([
      keys.length === 0 ? new Map<string, Principal>() : withDeadline(findPrincipals(this.sql, keys), LOOK_UP_MS, 'key look-up'),
      sessions.length === 0 ? new Map<string, Principal>() : withDeadline(findSessionPrincipals(this.sql, sessions), LOOK_UP_MS, 'session look-up'),
    ]);
    return Promise.all(queries.map(async (query) => {
      if ('key_digest' in query) return byKey.get(query.key_digest) ?? null;
      if ('session_digest' in query) return bySession.get(query.session_digest) ?? null;
      return this.answer(query);
    }));
  }

  /** @param digest hex SHA-256 of a key */
  byKeyDigest(digest: string): Promise<Principal | null> {
    return withDeadline(findPrincipal(this.sql, digest), LOOK_UP_MS, 'key look-up');
  }

  /** @returns what a JWT says and when it ends, or null if it is not valid here. */
  async byToken(token: string): Promise<TokenHolder | null> {
    const holder = this.tokens && isJwt(token) ? await this.tokens.verify(token) : null;
    const { user_id, namespace } = holder?.principal ?? {};
    if (!holder || !user_id) return holder;
    const delegators = await withDeadline(findDelegators(this.sql, namespace!, user_id), LOOK_UP_MS, 'delegations');
    return delegators.length === 0 ? holder : { ...holder, principal: { ...holder.principal, acts_for: delegators } };
  }

  private bySessionDigest(digest: string): Promise<Principal | null> {
    return withDeadline(findSessionPrincipal(this.sql, digest), LOOK_UP_MS, 'session look-up');
  }
}
