import type { Principal, PrincipalQuery } from '@umpire/contract';
import { Batcher, isApiKey, keyDigest, withDeadline, type Authenticator, type Credential, type Sql } from '@umpire/runtime';
import { findDelegators } from './identity-delegations.queries.ts';
import { isJwt, type TokenHolder, type Tokens } from './identity-tokens.ts';
import { findPrincipals, findSessionPrincipals } from './keys.queries.ts';

const LOOK_UP_MS = 3_000;

/** Requests that come together are looked up together: one by one, that cost more than the decisions they were for. */
const TOGETHER = { items: 200, size: Number.MAX_SAFE_INTEGER, lanes: 2, patienceMs: 50 };

/**
 * Looks credentials up where they live. No cache: a revoked key stops here at once, and so do its sessions. A look-up never joins
 * one that has begun, so what it finds is no older than the request.
 */
export class StoreAuthenticator implements Authenticator {
  private readonly sql: Sql;
  private readonly tokens: Tokens | null;
  private readonly keys: Batcher<string, Principal | null>;
  private readonly sessions: Batcher<string, Principal | null>;

  /** @param tokens null where JWTs are not taken */
  constructor(sql: Sql, tokens: Tokens | null = null) {
    this.sql = sql;
    this.tokens = tokens;
    const together = (find: typeof findPrincipals) => new Batcher<string, Principal | null>(async (digests) => {
      const found = await withDeadline(find(sql, [...new Set(digests)]), LOOK_UP_MS, 'credential look-up');
      return digests.map((digest) => found.get(digest) ?? null);
    }, TOGETHER);
    this.keys = together(findPrincipals);
    this.sessions = together(findSessionPrincipals);
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
  answerAll(queries: PrincipalQuery[]): Promise<(Principal | null)[]> {
    return Promise.all(queries.map((query) => this.answer(query)));
  }

  /** @param digest hex SHA-256 of a key */
  byKeyDigest(digest: string): Promise<Principal | null> {
    return this.keys.add(digest, 1);
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
    return this.sessions.add(digest, 1);
  }
}
