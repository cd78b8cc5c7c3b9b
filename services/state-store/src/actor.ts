import { UmpireError, type Principal } from '@umpire/contract';
import type { Actor } from '@umpire/domain';

/**
 * The person behind a credential, as an actor. Identity comes from the credential; a `user_id` that the caller names must match it.
 * @throws UmpireError `forbidden`
 */
export function reviewer(principal: Principal, claimed?: string | null): Actor {
  if (!principal.roles.includes('reviewer') || principal.user_id === null) throw new UmpireError('forbidden', 'only a reviewer may decide, with a credential of their own');
  if (claimed !== undefined && claimed !== null && claimed !== principal.user_id) throw new UmpireError('forbidden', 'user_id is not the person this credential belongs to');
  return { kind: 'user', id: principal.user_id, user_id: principal.user_id, roles: principal.roles, auth: principal.auth };
}
