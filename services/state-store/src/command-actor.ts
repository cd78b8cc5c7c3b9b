import { UmpireError, type Principal } from '@umpire/contract';
import type { Actor } from '@umpire/domain';
import { reviewer } from './actor.ts';

/**
 * Who issues a command that people give (claim, reassign, comment, …). An administrator is one also where they review as well: the
 * domain gives them more, and lets them decide only where they have a seat.
 * @throws UmpireError `forbidden`
 */
export function personActor(principal: Principal): Actor {
  if (principal.roles.includes('admin')) return administrator(principal);
  if (principal.roles.includes('reviewer')) return reviewer(principal);
  return directingActor(principal);
}

/**
 * Who issues a command of whoever asked (cancel, revise, consume): the producer, or an administrator for them.
 * @throws UmpireError `forbidden`
 */
export function directingActor(principal: Principal): Actor {
  if (principal.roles.includes('admin')) return administrator(principal);
  if (!principal.roles.includes('producer')) throw new UmpireError('forbidden', 'only the producer or an administrator can do this');
  return { kind: 'producer', id: `key:${principal.key_id}`, user_id: null, roles: principal.roles, auth: principal.auth };
}

function administrator({ user_id, key_id, roles, auth }: Principal): Actor {
  return { kind: 'admin', id: user_id ?? `key:${key_id}`, user_id, roles, auth };
}
