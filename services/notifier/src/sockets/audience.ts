import type { Principal } from '@umpire/contract';

/** Who sees an escalation, as the store says. */
export type Audience = { users: readonly string[]; roles: readonly string[]; excluded: readonly string[] };

/** Someone whose inbox a socket shows: the person, and who has delegated to them. `keys` are what an audience can name them by. */
export type Viewer = { userId: string; places: { person: string; keys: string[] }[] };

const placeOf = (person: string, roles: readonly string[]) => ({ person, keys: [`u:${person}`, ...roles.map((role) => `r:${role}`)] });

/** @param userId whose inbox; for anybody else than the caller (an administrator's look) as a plain reviewer of that name */
export function viewerOf(principal: Principal, userId: string): Viewer {
  const own = principal.user_id === userId;
  const delegators = own ? (principal.acts_for ?? []) : [];
  return { userId, places: [placeOf(userId, own ? principal.roles : ['reviewer']), ...delegators.map((one) => placeOf(one.user_id, one.roles))] };
}

/** The roles that the store is asked with, as for the inbox over HTTP. */
export const inboxRoles = (principal: Principal, userId: string): string[] => (principal.user_id === userId ? principal.roles : ['reviewer']);

export const audienceKeys = ({ users, roles }: Pick<Audience, 'users' | 'roles'>): string[] => [...users.map((user) => `u:${user}`), ...roles.map((role) => `r:${role}`)];

/** Whether it stands in their inbox: named, through a role, or for someone who delegated; four-eyes excepted, for either. */
export function sees({ userId, places }: Viewer, audience: Audience): boolean {
  if (audience.excluded.includes(userId)) return false;
  return places.some(({ person, keys }) => !audience.excluded.includes(person) && keys.some((key) => (key.startsWith('u:') ? audience.users.includes(key.slice(2)) : audience.roles.includes(key.slice(2)))));
}
