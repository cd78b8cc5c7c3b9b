import type { Quorum, Rules } from '@umpire/contract';
import type { Electorate, EscalationState, Vote } from './types.ts';

/** The option with which a person stands aside: heard, but for nothing. It exists only where the options name it. */
export const ABSTAIN = 'abstain';

/** What the votes have come to: a verdict, who gave it, and whether a veto decided alone. */
export type Result = { verdict: string; by: Vote[]; veto: boolean };

/** These three count the electorate, not the votes cast, and so need people who can be listed. */
export function countsElectorate(quorum: Quorum): boolean {
  return quorum === 'all' || quorum === 'majority' || quorum === 'consensus';
}

/** Approving in the sense of the rules: such a verdict can be consumed, and waits for those who hold a veto. */
export function isApproving(rules: Pick<Rules, 'approving'>, verdict: string): boolean {
  return verdict !== ABSTAIN && rules.approving.includes(verdict);
}

/** The votes that count, oldest first. */
export function countedVotes(state: EscalationState): Vote[] {
  return state.votes.filter(vote => !vote.set_aside).sort((a, b) => a.seq - b.seq);
}

/** Members of the electorate who hold a veto and have not voted: while there are any, nothing approving is settled. */
export function outstandingVetoes(state: EscalationState, counted: Vote[] = countedVotes(state)): string[] {
  const { veto } = state.rules;
  if (!veto.length) return [];
  return veto.filter(user => state.electorate.users.includes(user) && !counted.some(vote => vote.seat === user));
}

/**
 * The rule of the table in docs/rules.md: a result is there as soon as no vote that is still missing could change it, and not
 * before. Null means that it is open; a split stays open too, for a changed vote, a raise or the deadline.
 */
export function resultOf(state: EscalationState): Result | null {
  const votes = countedVotes(state);
  const vetoed = votes.find(vote => vote.verdict !== ABSTAIN && !isApproving(state.rules, vote.verdict) && state.rules.veto.includes(vote.seat));
  if (vetoed) return { verdict: vetoed.verdict, by: [vetoed], veto: true };
  const held = outstandingVetoes(state, votes).length > 0;
  const may = (verdict: string): boolean => verdict !== ABSTAIN && !(held && isApproving(state.rules, verdict));
  return byQuorum(state, votes, may);
}

function byQuorum(state: EscalationState, votes: Vote[], may: (verdict: string) => boolean): Result | null {
  const { quorum } = state.rules;
  if (quorum === 'any') return first(votes, may);
  if (quorum === 'all') return everyone(state, votes);
  if (quorum === 'consensus') return unanimous(state, votes);
  const needed = quorum === 'majority' ? Math.floor(state.electorate.users.length / 2) + 1 : quorum.at_least;
  return reaching(state.rules, votes, needed, may);
}

function first(votes: Vote[], may: (verdict: string) => boolean): Result | null {
  const deciding = votes.find(vote => may(vote.verdict));
  if (!deciding) return null;
  return { verdict: deciding.verdict, by: votes.filter(vote => vote.verdict === deciding.verdict), veto: false };
}

/** A verdict that `needed` people gave. Where two reach it at once (a veto holder was waited for), the larger wins, then the options' order. */
function reaching(rules: Rules, votes: Vote[], needed: number, may: (verdict: string) => boolean): Result | null {
  const counts = tally(votes);
  const reached = [...counts].filter(([verdict, count]) => count >= needed && may(verdict));
  if (!reached.length) return null;
  reached.sort(([a, n], [b, m]) => m - n || orderOf(rules, a) - orderOf(rules, b));
  const verdict = reached[0]![0];
  return { verdict, by: votes.filter(vote => vote.verdict === verdict), veto: false };
}

/** All approve, abstentions aside; the first who does not approve settles it. Where no option approves, it is consensus. */
function everyone(state: EscalationState, votes: Vote[]): Result | null {
  const { rules } = state;
  if (!rules.options.some(option => isApproving(rules, typeof option === 'string' ? option : option.value))) return unanimous(state, votes);
  const refusing = votes.find(vote => vote.verdict !== ABSTAIN && !isApproving(rules, vote.verdict));
  if (refusing) return { verdict: refusing.verdict, by: [refusing], veto: false };
  if (!allHeard(state, votes)) return null;
  const approving = votes.filter(vote => vote.verdict !== ABSTAIN);
  const top = reaching(rules, approving, 1, () => true);
  return top && { ...top, by: approving };
}

function unanimous(state: EscalationState, votes: Vote[]): Result | null {
  const voiced = votes.filter(vote => vote.verdict !== ABSTAIN);
  const verdict = voiced[0]?.verdict;
  if (verdict === undefined || !allHeard(state, votes) || voiced.some(vote => vote.verdict !== verdict)) return null;
  return { verdict, by: voiced, veto: false };
}

/** Who has not answered yet: named people, and roles, of whose holders one never knows. */
export function waitingFor(state: EscalationState, counted: Vote[] = countedVotes(state)): Electorate {
  const { users, roles } = state.electorate;
  return { users: users.filter(user => !counted.some(vote => vote.seat === user)), roles };
}

function allHeard(state: EscalationState, votes: Vote[]): boolean {
  return state.electorate.users.length > 0 && waitingFor(state, votes).users.length === 0;
}

export function tally(votes: Vote[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { verdict } of votes) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  return counts;
}

function orderOf(rules: Rules, verdict: string): number {
  const index = rules.options.findIndex(option => (typeof option === 'string' ? option : option.value) === verdict);
  return index < 0 ? rules.options.length : index;
}
