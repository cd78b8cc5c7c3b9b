import type { Principal } from '@umpire/contract';
import { isApiKey, keyDigest, withDeadline, type Authenticator, type Credential, type Sql } from '@umpire/runtime';
import { findPrincipal } from './keys.queries.ts';

/** Looks credentials up where they live. No cache: a revoked key stops here at once. */
export class StoreAuthenticator implements Authenticator {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  async authenticate(credential: Credential): Promise<Principal | null> {
    if (credential.kind !== 'bearer' || !isApiKey(credential.token)) return null;
    return this.byKeyDigest(keyDigest(credential.token));
  }

  /** @param digest hex SHA-256 of a key */
  byKeyDigest(digest: string): Promise<Principal | null> {
    return withDeadline(findPrincipal(this.sql, digest), 3_000, 'key look-up');
  }
}
