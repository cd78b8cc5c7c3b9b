import { UmpireError, type Principal } from '@umpire/contract';
import { isApiKey, keyDigest, withDeadline, type Sql } from '@umpire/runtime';
import { randomBytes } from 'node:crypto';
import { deleteSession, findSessionEnd, insertSession, type NewSession } from './identity-sessions.queries.ts';
import type { TokenHolder } from './identity-tokens.ts';
import type { StoreAuthenticator } from './store-authenticator.ts';

const SQL_MS = 5_000;

/** Who somebody is to the store. `expires_at` of a session only. */
export type WhoAmI = { namespace: string; user_id: string | null; roles: string[]; auth: Principal['auth']; key_id: string; acts_for: string[]; expires_at?: string };

/** Browsers' sessions: a cookie of 256 random bits, of which only the SHA-256 is kept. */
export class IdentitySessions {
  private readonly sql: Sql;
  private readonly authenticator: StoreAuthenticator;

  constructor(sql: Sql, authenticator: StoreAuthenticator) {
    this.sql = sql;
    this.authenticator = authenticator;
  }

  /**
   * Exchanges a key or a JWT for a session.
   * @returns the cookie's value and whose session it is
   * @throws UmpireError `unauthenticated`
   */
  async begin(credential: string): Promise<{ token: string; who: WhoAmI }> {
    const found = await this.holderOf(credential);
    if (!found) throw new UmpireError('unauthenticated', 'this credential is not known, has expired or was revoked');
    return this.insert(found.principal, found.session);
  }

  /**
   * A session for who an issuer says has signed in there.
   * @param seconds how long it lives: the token that said so was only for this moment
   */
  async beginFor({ principal }: TokenHolder, seconds: number): Promise<{ token: string; who: WhoAmI }> {
    const { namespace, key_id: id, user_id, roles } = principal;
    return this.insert(principal, { namespace, key_id: null, token: { id, user_id, roles, expires_at: null }, seconds });
  }

  private async insert(principal: Principal, session: Omit<NewSession, 'digest'>): Promise<{ token: string; who: WhoAmI }> {
    const token = randomBytes(32).toString('base64url');
    const end = await withDeadline(insertSession(this.sql, { digest: keyDigest(token), ...session }), SQL_MS, 'session');
    if (end === null) throw new UmpireError('unauthenticated', 'this credential has just expired');
    return { token, who: { ...whoIs({ ...principal, auth: 'session' }), expires_at: end } };
  }

  /** Nothing happens where there is none. */
  async end(token: string): Promise<void> {
    await withDeadline(deleteSession(this.sql, keyDigest(token)), SQL_MS, 'session');
  }

  /** @param token the session's, where the caller came by one */
  async who(caller: Principal, token: string | null): Promise<WhoAmI> {
    if (caller.auth !== 'session' || token === null) return whoIs(caller);
    const end = await withDeadline(findSessionEnd(this.sql, keyDigest(token)), SQL_MS, 'session');
    return { ...whoIs(caller), ...(end === null ? {} : { expires_at: end }) };
  }

  private async holderOf(credential: string): Promise<{ principal: Principal; session: Omit<NewSession, 'digest'> } | null> {
    if (isApiKey(credential)) {
      const principal = await this.authenticator.byKeyDigest(keyDigest(credential));
      return principal && { principal, session: { namespace: principal.namespace, key_id: principal.key_id, token: null } };
    }
    const holder = await this.authenticator.byToken(credential);
    if (!holder) return null;
    const { principal, expires_at } = holder;
    const token = { id: principal.key_id, user_id: principal.user_id, roles: principal.roles, expires_at };
    return { principal, session: { namespace: principal.namespace, key_id: null, token } };
  }
}

const whoIs = ({ namespace, user_id, roles, auth, key_id, acts_for = [] }: Principal): WhoAmI => ({
  namespace, user_id, roles, auth, key_id, acts_for: acts_for.map((delegator) => delegator.user_id),
});
