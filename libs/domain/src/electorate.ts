import { arm, disarm } from './clocks.ts';
import { done, emit, nextSeq, refused } from './draft.ts';
import type { Draft } from './draft.ts';
import { activeDelegations, excludedAmong, seatOf } from './eligibility.ts';
import { sameJson, unique } from './json.ts';
import { invalid } from './people.ts';
import { countsElectorate } from './quorum.ts';
import { settleByVotes } from './settle.ts';
import { isoOf } from './time.ts';
import type { Actor, CommandOf, Decision, Electorate, EscalationState, Refusal } from './types.ts';

/**
 * Puts others in someone's place (`from`), or in everyone's. An administrator may do either; a member gives away their own seat, or,
 * where one answer from a role is enough, hands the whole question to someone. With nobody in `to` an administrator takes a member
 * out. Votes of those who left stop counting, and what the rest have said can settle it.
 */
export function reassign(draft: Draft, command: CommandOf<'reassign'>): Decision {
  const { state } = draft;
  const who = replaced(draft, command);
  if ('refusal' in who) return refused(draft, who.refusal);
  const refusal = unfit(state, command.to);
  if (refusal) return refused(draft, refusal);
  const seated = mayRemove(command.actor) || who.from === null ? undefined : command.to.users.find(user => user !== who.from && state.electorate.users.includes(user));
  if (seated !== undefined) return refused(draft, { code: 'conflict', detail: `${seated} has a vote here already, and one person has one vote` });
  const electorate = electorateAfter(state.electorate, who.from, command.to);
  const removal = !command.to.users.length && !command.to.roles.length;
  if (removal && !(mayRemove(command.actor) && who.from !== null && electorate.users.length + electorate.roles.length)) {
    return refused(draft, invalid('to', 'required', 'must name somebody'));
  }
  const { quorum } = state.rules;
  if (typeof quorum === 'object' && !electorate.roles.length && electorate.users.length < quorum.at_least) {
    return refused(draft, invalid('to', 'too_few', `must leave at least ${quorum.at_least} people, as the quorum asks for`));
  }
  recordReassignment(draft, command, who.from, electorate);
  settleByVotes(draft, command.actor);
  return done(draft);
}

/** Leaving a seat empty changes what a quorum needs, so it is not up to those who vote. */
function mayRemove({ kind }: Actor): boolean {
  return kind === 'admin' || kind === 'system';
}

function recordReassignment(draft: Draft, { actor, to, detail }: CommandOf<'reassign'>, from: string | null, electorate: Electorate): void {
  const { state } = draft;
  const gone = (user: string): boolean => state.electorate.users.includes(user) && !electorate.users.includes(user);
  const left = (delegation: { from: string; via: string | null }): boolean => (delegation.via === null ? gone(delegation.from) : !electorate.roles.includes(delegation.via));
  const ended = state.delegations.filter(delegation => !delegation.ended && left(delegation)).map(({ ordinal }) => ordinal);
  const claimant = state.claim?.user_id;
  const unclaimed = claimant !== undefined && !electorate.users.includes(claimant) && (claimant === from || !electorate.roles.length);
  let clocks = ended.reduce((rest, ordinal) => disarm(rest, 'delegation', ordinal), state.clocks);
  if (unclaimed) clocks = disarm(clocks, 'claim');
  const changed = !sameJson(electorate, state.electorate);
  const data: Record<string, unknown> = { from, to, electorate, revision: state.revision + (changed ? 1 : 0), ended };
  if (unclaimed) data.claim = null;
  if (detail !== undefined) data.detail = detail;
  emit(draft, 'reassigned', actor, data, clocks);
}

/** Whose place is given away: a member's, or (null) the whole electorate's. */
function replaced({ state, now }: Draft, { actor, from }: CommandOf<'reassign'>): { from: string | null } | { refusal: Refusal } {
  if (from !== undefined && !state.electorate.users.includes(from)) return { refusal: invalid('from', 'unknown', `${from} is not named among those who decide this`) };
  if (mayRemove(actor)) return { from: from ?? null };
  const found = seatOf(state, actor, now);
  if (!found.ok) return found;
  const { seat, via, on_behalf_of } = found.seat;
  if (on_behalf_of !== undefined) return { refusal: { code: 'forbidden', detail: 'a delegate cannot pass the seat on' } };
  if (via === null && (from === undefined || from === seat)) return { from: seat };
  if (via !== null && from === undefined && state.rules.quorum === 'any') return { from: null };
  return { refusal: { code: 'forbidden', detail: 'only an administrator can reassign what others are to decide' } };
}

function electorateAfter(before: Electorate, from: string | null, to: Electorate): Electorate {
  if (from === null) return { users: unique(to.users), roles: unique(to.roles) };
  return { users: unique(before.users.flatMap(user => (user === from ? to.users : [user]))), roles: unique([...before.roles, ...to.roles]) };
}

/** Four-eyes and countability of people about to join. */
function unfit(state: EscalationState, to: Electorate): Refusal | null {
  const excluded = excludedAmong(state, to.users);
  if (excluded.length) return { code: 'four_eyes', detail: `kept out of this decision (four-eyes): ${excluded.join(', ')}` };
  if (to.roles.length && countsElectorate(state.rules.quorum)) return invalid('to', 'bare_role', `must name people: quorum ${String(state.rules.quorum)} counts them`);
  return null;
}

/**
 * Lets someone else answer from one's own seat until `until` (ms; absent: until it is settled); with `to: null` takes it back. It is
 * one seat with one vote, both names on record. Who has a seat here already, of their own or by delegation, cannot get another.
 */
export function delegate(draft: Draft, command: CommandOf<'delegate'>): Decision {
  const { state, now } = draft;
  const { actor, to, until, detail } = command;
  const found = seatOf(state, actor, now);
  if (!found.ok) return refused(draft, found.refusal);
  const { seat, via, on_behalf_of } = found.seat;
  if (on_behalf_of !== undefined) return refused(draft, { code: 'forbidden', detail: 'a delegate cannot delegate further' });
  const refusal = to === null ? null : undelegable(draft, seat, to, until);
  if (refusal) return refused(draft, refusal);
  const ended = state.delegations.filter(other => !other.ended && other.from === seat).map(({ ordinal }) => ordinal);
  if (to === null && !ended.length) return refused(draft, invalid('to', 'required', 'must name somebody: nothing is delegated'));
  let clocks = ended.reduce((rest, ordinal) => disarm(rest, 'delegation', ordinal), state.clocks);
  const data: Record<string, unknown> = { from: seat, revision: state.revision + 1, ended };
  if (to !== null) {
    const ordinal = state.delegations.length;
    if (until !== undefined) clocks = arm(clocks, 'delegation', ordinal, until, nextSeq(draft));
    Object.assign(data, { to, ordinal, via, until: until === undefined ? null : isoOf(until) });
  }
  if (detail !== undefined) data.detail = detail;
  emit(draft, 'delegated', actor, data, clocks);
  return done(draft);
}

function undelegable({ state, now }: Draft, seat: string, to: string, until: number | undefined): Refusal | null {
  if (until !== undefined && (!Number.isSafeInteger(until) || until <= now)) return invalid('until', 'past', 'must lie in the future');
  if (excludedAmong(state, [to]).length) return { code: 'four_eyes', detail: `kept out of this decision (four-eyes): ${to}` };
  if (to === seat) return invalid('to', 'self', 'must be somebody else');
  const seated = state.electorate.users.includes(to) || activeDelegations(state, now).some(other => other.to === to && other.from !== seat);
  return seated ? { code: 'conflict', detail: `${to} has a vote here already, and one person has one vote` } : null;
}

/** The next level by hand: its people join, and whoever is named; votes and deadline stay. */
export function raise(draft: Draft, { actor, to, detail }: CommandOf<'raise'>): Decision {
  const { state, now } = draft;
  if (actor.kind !== 'admin' && actor.kind !== 'system') {
    const found = seatOf(state, actor, now);
    if (!found.ok) return refused(draft, found.refusal);
  }
  const named = to !== undefined && to.users.length + to.roles.length > 0;
  if (!named && state.level >= state.levels.length) return refused(draft, { code: 'conflict', detail: 'there is no further level; name who should join' });
  const refusal = to && unfit(state, to);
  if (refusal) return refused(draft, refusal);
  raiseTo(draft, actor, state.level + 1, { cause: 'hand', to, detail });
  return done(draft);
}

/** Lets the people of every level up to `level` join. Four-eyes holds for them too: the excluded are left out. */
export function raiseTo(draft: Draft, actor: Actor, level: number, more: { cause: 'hand' | 'clock'; to?: Electorate; detail?: string }): void {
  const { state } = draft;
  const joining = [...state.levels.slice(state.level, level), ...(more.to ? [more.to] : [])];
  const { users, roles } = state.electorate;
  const electorate: Electorate = {
    users: unique([...users, ...joining.flatMap(group => group.users).filter(user => !state.excluded.includes(user))]),
    roles: unique([...roles, ...joining.flatMap(group => group.roles)]),
  };
  const added: Electorate = { users: electorate.users.slice(users.length), roles: electorate.roles.slice(roles.length) };
  const grew = added.users.length + added.roles.length > 0;
  let { clocks } = state;
  for (let ordinal = state.level; ordinal < level; ordinal++) clocks = disarm(clocks, 'level', ordinal);
  const data: Record<string, unknown> = { level, cause: more.cause, added, electorate, revision: state.revision + (grew ? 1 : 0) };
  if (more.detail !== undefined) data.detail = more.detail;
  emit(draft, 'raised', actor, data, clocks);
}
