import { countedVotes } from './quorum.ts';
import type { Actor, Delegation, EscalationState, Refusal } from './types.ts';

/**
 * The place in the electorate that a person decides from. `via` is the role that gives it, null where the seat is named;
 * `on_behalf_of` is set when the seat is another's.
 */
export type Seat = { seat: string; user_id: string; via: string | null; on_behalf_of?: string };

type Found = { ok: true; seat: Seat } | { ok: false; refusal: Refusal };

/** The one way to take part in a decision. Every command of a person goes through it, single or in bulk, so four-eyes holds everywhere. */
export function seatOf(state: EscalationState, actor: Actor, now: number): Found {
  const user = actor.user_id;
  if (user === null || (actor.kind !== 'user' && actor.kind !== 'admin')) {
    return refuse({ code: 'forbidden', detail: 'only a person can do this' });
  }
  if (state.excluded.includes(user)) return refuse({ code: 'four_eyes', detail: `${user} is kept out of this decision (four-eyes)` });
  if (actor.on_behalf_of !== undefined && actor.on_behalf_of !== user) return seatByStanding(state, actor, user, actor.on_behalf_of);
  if (state.electorate.users.includes(user)) return { ok: true, seat: { seat: user, user_id: user, via: null } };
  const delegation = activeDelegations(state, now).find(({ to }) => to === user);
  if (delegation) return { ok: true, seat: { seat: delegation.from, user_id: user, via: delegation.via, on_behalf_of: delegation.from } };
  const via = state.electorate.roles.find(role => actor.roles.includes(role));
  if (via !== undefined) return { ok: true, seat: { seat: user, user_id: user, via } };
  return refuse({ code: 'not_eligible', detail: `${user} is not among those who decide this` });
}

/** A standing delegation that the store vouches for. A person with a seat of their own cannot sit on a second one. */
function seatByStanding(state: EscalationState, actor: Actor, user: string, from: string): Found {
  if (state.excluded.includes(from)) return refuse({ code: 'four_eyes', detail: `${from} is kept out of this decision (four-eyes), and so is whoever acts for them` });
  const { users, roles } = state.electorate;
  const named = users.includes(from);
  const via = named ? null : roles.find(role => actor.delegator_roles?.includes(role));
  if (via === undefined) return refuse({ code: 'not_eligible', detail: `${from} is not among those who decide this` });
  if (users.includes(user)) return refuse({ code: 'not_eligible', detail: `${user} has a vote of their own and cannot give ${from}'s as well` });
  return { ok: true, seat: { seat: from, user_id: user, via, on_behalf_of: from } };
}

/** One person, one vote: someone whose answer counts on one seat cannot answer from another. */
export function secondSeat(state: EscalationState, seat: Seat): Refusal | null {
  const other = countedVotes(state).find(vote => vote.user_id === seat.user_id && vote.seat !== seat.seat);
  if (!other) return null;
  return { code: 'already_answered', detail: `${seat.user_id} has answered this already, for ${other.seat}` };
}

export function activeDelegations(state: EscalationState, now: number): Delegation[] {
  return state.delegations.filter(({ ended, until, from, via }) => {
    if (ended || (until !== null && now >= until)) return false;
    return via === null ? state.electorate.users.includes(from) : state.electorate.roles.includes(via);
  });
}

/** Someone's exclusive hold on the question, unless it has run out by `now`: the clock may ring late. */
export function activeClaim(state: EscalationState, now: number): EscalationState['claim'] {
  return state.claim && now < state.claim.until ? state.claim : null;
}

export function excludedAmong(state: EscalationState, users: string[]): string[] {
  return users.filter(user => state.excluded.includes(user));
}

function refuse(refusal: Refusal): Found {
  return { ok: false, refusal };
}
