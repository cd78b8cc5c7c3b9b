import type { Sql } from '@umpire/runtime';
import { IdentityDelegations } from './identity-delegations.service.ts';
import { IdentityGroups } from './identity-groups.service.ts';
import { IdentityKeys } from './identity-keys.service.ts';
import type { Oidc } from './identity-oidc.ts';
import { IdentitySessions } from './identity-sessions.service.ts';
import type { StoreAuthenticator } from './store-authenticator.ts';

/** Who may do what: keys, groups, delegations and sessions of every namespace. */
export class Identity {
  readonly keys: IdentityKeys;
  readonly groups: IdentityGroups;
  readonly delegations: IdentityDelegations;
  readonly sessions: IdentitySessions;
  /** Browsers come over TLS: cookies must not go without. */
  readonly secureCookies: boolean;
  /** Signing in at an issuer, where that is set up. */
  readonly oidc: { flow: Oidc; name: string; sessionSeconds: number } | null;

  constructor(sql: Sql, authenticator: StoreAuthenticator, publicUrl: string, oidc: Identity['oidc'] = null) {
    this.keys = new IdentityKeys(sql);
    this.groups = new IdentityGroups(sql);
    this.delegations = new IdentityDelegations(sql);
    this.sessions = new IdentitySessions(sql, authenticator);
    this.oidc = oidc;
    this.secureCookies = publicUrl.startsWith('https:');
  }
}
