import type { Clock, EscalationStatus, Quorum } from '@umpire/contract';
import { clocksToWire } from './clocks.ts';
import { activeClaim, activeDelegations } from './eligibility.ts';
import { countedVotes, outstandingVetoes, resultOf, tally, waitingFor } from './quorum.ts';
import { isoOf } from './time.ts';
import type { ArmedClock, DomainOutcome, EscalationState, SameTask, Vote } from './types.ts';

/** Why an escalation stands where it stands, for people. Times are RFC 3339. */
export type Explanation = {
  state: EscalationStatus;
  why: string;
  policy: { id: string; version: number } | null;
  /** What became of the task's earlier escalations when this one was opened; null where the policy says nothing of them. */
  same_task: SameTask | null;
  quorum: { rule: Quorum; needs: string; electorate: number | null; tally: Record<string, number> };
  votes: { user_id: string; seat: string; verdict: string; at: string; counts: boolean; why_not?: string }[];
  can_decide: { users: string[]; roles: string[]; delegates: { user_id: string; for: string; until: string | null }[]; only: string | null };
  excluded: string[];
  veto: { holders: string[]; waiting_for: string[] };
  claim: { user_id: string; until: string } | null;
  deadline: string | null;
  overdue: boolean;
  on_timeout: string;
  level: number;
  iteration: number;
  revision: number;
  next: (Clock & { effect: string }) | null;
  clocks: Clock[];
  outcome: DomainOutcome | null;
};

/** @param now ms; a deadline or claim that has run out by then counts as run out, whether or not its clock has rung. */
export function explain(state: EscalationState, now: number): Explanation {
  const counted = countedVotes(state);
  const claim = activeClaim(state, now);
  const next = state.clocks.reduce<ArmedClock | null>((soonest, clock) => (soonest && soonest.due_at <= clock.due_at ? soonest : clock), null);
  const pending = state.status === 'pending';
  return {
    state: state.status,
    why: pending ? whyPending(state, counted, now) : whySettled(state),
    policy: state.policy,
    same_task: state.same_task ?? null,
    quorum: {
      rule: state.rules.quorum,
      needs: needs(state),
      electorate: state.electorate.roles.length ? null : state.electorate.users.length,
      tally: Object.fromEntries(tally(counted)),
    },
    votes: state.votes.map(vote => ({ user_id: vote.user_id, seat: vote.seat, verdict: vote.verdict, at: isoOf(vote.at), ...standing(vote, counted) })),
    can_decide: pending ? deciders(state, counted, now) : { users: [], roles: [], delegates: [], only: null },
    excluded: state.excluded,
    veto: { holders: state.rules.veto, waiting_for: pending ? outstandingVetoes(state, counted) : [] },
    claim: claim && { user_id: claim.user_id, until: isoOf(claim.until) },
    deadline: state.deadline === null ? null : isoOf(state.deadline),
    overdue: state.overdue,
    on_timeout: state.rules.on_timeout === 'default' ? `default: ${state.rules.default_action ?? ''}` : state.rules.on_timeout,
    level: state.level,
    iteration: state.iteration,
    revision: state.revision,
    next: next && { ...clocksToWire([next])[0]!, effect: effectOf(next, state) },
    clocks: clocksToWire(state.clocks),
    outcome: state.outcome,
  };
}

function standing(vote: Vote, counted: Vote[]): { counts: boolean; why_not?: string } {
  if (counted.includes(vote)) return { counts: true };
  return { counts: false, why_not: vote.set_aside === 'revised' ? 'given before the data was revised' : 'its seat was given to somebody else' };
}

/** Who is still to answer. Those who have may change their vote while it is open. */
function deciders(state: EscalationState, counted: Vote[], now: number): Explanation['can_decide'] {
  const claim = activeClaim(state, now);
  return {
    ...waitingFor(state, counted),
    delegates: activeDelegations(state, now).map(({ to, from, until }) => ({ user_id: to, for: from, until: until === null ? null : isoOf(until) })),
    only: claim && state.rules.quorum === 'any' ? claim.user_id : null,
  };
}

function whyPending(state: EscalationState, counted: Vote[], now: number): string {
  const { users, roles } = state.electorate;
  if (state.deadline !== null && now >= state.deadline && !state.overdue) return 'its deadline has passed; the next command or clock applies the timeout';
  if (!users.length && !roles.length) return 'nobody may decide it: everybody named is excluded';
  const vetoes = outstandingVetoes(state, counted);
  const blocked = vetoes.length && resultOf({ ...state, rules: { ...state.rules, veto: [] } });
  if (blocked) return `${blocked.verdict} has what it needs, but ${vetoes.join(', ')} may still veto it`;
  const missing = waitingFor(state, counted).users;
  if (!roles.length && !missing.length) return 'everyone has answered and no verdict has what it needs: a changed vote, a raise or the deadline ends it';
  const whom = [...missing, ...roles.map(role => `anyone with role ${role}`)].join(', ');
  return `waiting for ${whom}${state.overdue ? ' (overdue)' : ''}: ${needs(state)}`;
}

function whySettled({ outcome, status }: EscalationState): string {
  if (!outcome) return status;
  if (outcome.superseded_by !== undefined) return `a newer evaluation of its task took its place: ${outcome.superseded_by}`;
  if (outcome.source === 'cancel') return 'it was cancelled';
  if (outcome.source === 'timeout') return outcome.verdict === null ? 'nobody had settled it by its deadline' : `its deadline came and the request's default is ${outcome.verdict}`;
  return `${outcome.decided_by.join(', ')} decided ${outcome.verdict ?? ''}`;
}

function needs(state: EscalationState): string {
  const { quorum } = state.rules;
  const size = state.electorate.users.length;
  if (quorum === 'any') return 'one answer';
  if (quorum === 'all') return `all of ${size} to approve, or one to refuse`;
  if (quorum === 'consensus') return `all of ${size} to agree`;
  if (quorum === 'majority') return `the same answer from ${Math.floor(size / 2) + 1} of ${size}`;
  return `the same answer from ${quorum.at_least} people`;
}

function effectOf(clock: ArmedClock, state: EscalationState): string {
  switch (clock.kind) {
    case 'deadline':
      if (state.rules.on_timeout === 'hold') return 'it becomes overdue and stays open';
      return state.rules.on_timeout === 'default' ? `it is completed with ${state.rules.default_action ?? ''}` : 'it expires';
    case 'reminder':
      return 'those who have not answered are reminded';
    case 'level':
      return `level ${clock.ordinal + 1}: more people join`;
    case 'claim':
      return 'the claim ends';
    case 'snooze':
      return 'the person who snoozed is reminded';
    case 'delegation':
      return 'the delegation ends';
  }
}
