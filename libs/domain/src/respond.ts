import { validateAnswer, verdictOf } from './answer.ts';
import { armRound, disarm } from './clocks.ts';
import { done, emit, nextSeq, refused } from './draft.ts';
import type { Draft } from './draft.ts';
import { activeClaim, secondSeat, seatOf } from './eligibility.ts';
import type { Seat } from './eligibility.ts';
import { sameJson } from './json.ts';
import { countedVotes } from './quorum.ts';
import { settleByVotes } from './settle.ts';
import { durationMs, isoOf } from './time.ts';
import type { Actor, ArmedClock, CommandOf, Decision, EscalationState, Refusal, RespondReply, Vote } from './types.ts';

type Respond = CommandOf<'respond'>;

/** A person's answer to a pending escalation whose deadline has not come (or that holds). */
export function respond(draft: Draft, command: Respond): Decision {
  const { state, now } = draft;
  const reply = repeated(state, command, now);
  if (reply) return done(draft, { repeat: true, reply });
  const found = seatOf(state, command.actor, now);
  if (!found.ok) return refused(draft, found.refusal);
  const barred = secondSeat(state, found.seat) ?? claimed(state, found.seat, now) ?? staleRevision(state, found.seat, command);
  if (barred) return refused(draft, barred);
  const answer = validateAnswer(state.rules.ui_schema, command.user_input);
  if (!answer.ok) return refused(draft, { code: 'invalid', detail: 'the answer does not fit the form', errors: answer.errors });
  record(draft, command.actor, found.seat, answer);
  if (!iterate(draft, command.actor, answer.response)) {
    const exhausted = wantsAnother(draft.state, answer.response);
    settleByVotes(draft, command.actor, exhausted ? { max_iterations_reached: true } : {});
  }
  return done(draft, { reply: replyNow(draft.state) });
}

function record(draft: Draft, actor: Actor, seat: Seat, answer: { response: Record<string, unknown>; unknown: Record<string, unknown> }): void {
  const { state } = draft;
  const before = countedVotes(state).find(vote => vote.seat === seat.seat);
  const ownClaim = state.claim?.user_id === seat.user_id;
  const snooze = state.snoozes.find(({ user_id }) => user_id === seat.user_id);
  // Who has answered needs no reminder, nor the question to themselves; others may still have to answer.
  let { clocks } = state;
  if (snooze) clocks = disarm(clocks, 'snooze', snooze.ordinal);
  if (ownClaim) clocks = disarm(clocks, 'claim');
  const data: Record<string, unknown> = { ...seat, verdict: verdictOf(state.rules, answer.response), response: answer.response, revision: state.revision, iteration: state.iteration };
  if (Object.keys(answer.unknown).length) data.unknown = answer.unknown;
  if (before) data.changed_from = before.verdict;
  if (ownClaim) data.claim = null;
  emit(draft, 'responded', actor, data, clocks);
}

/** Another round of refinement, if this answer asks for one and the count that the server keeps leaves one. */
function iterate(draft: Draft, actor: Actor, response: Record<string, unknown>): boolean {
  const { state, now } = draft;
  const { rules } = state;
  if (!wantsAnother(state, response) || state.iteration >= rules.max_iterations) return false;
  const deadline = now + durationMs(rules.timeout_seconds);
  const kept: ArmedClock[] = disarm(state.clocks, 'claim');
  const clocks = armRound(kept, rules, { opened_at: state.opened_at, from: now, deadline, level: state.level }, nextSeq(draft));
  const current_result = 'refined_result' in response ? response.refined_result : response;
  emit(draft, 'iterated', actor, { iteration: state.iteration + 1, current_result, revision: state.revision + 1, deadline: isoOf(deadline) }, clocks);
  return true;
}

function wantsAnother(state: EscalationState, response: Record<string, unknown>): boolean {
  return state.rules.pattern === 'refinement' && response.continue_refining === true;
}

function claimed(state: EscalationState, seat: Seat, now: number): Refusal | null {
  const claim = activeClaim(state, now);
  if (!claim || state.rules.quorum !== 'any' || claim.user_id === seat.user_id) return null;
  const until = isoOf(claim.until);
  return { code: 'claimed_by_other', detail: `${claim.user_id} is working on this until ${until}`, extra: { claimed_by: claim.user_id, claimed_until: until } };
}

/**
 * What-you-saw. Naming the revision is up to the client, except for someone whose earlier answer was set aside: a retry of that
 * answer must not become a vote on data they may never have seen.
 */
function staleRevision(state: EscalationState, seat: Seat, { revision }: Respond): Refusal | null {
  const setAside = state.votes.some(vote => vote.set_aside && (vote.seat === seat.seat || vote.user_id === seat.user_id));
  if (revision === undefined ? !setAside : revision === state.revision) return null;
  return { code: 'stale_revision', detail: `this is revision ${state.revision} now`, extra: { revision: state.revision } };
}

function replyNow(state: EscalationState): RespondReply {
  return { state: state.status, seq: state.seq, revision: state.revision, ...(state.outcome ? { outcome: state.outcome } : {}) };
}

/**
 * What someone was told when they said exactly this before, or null. Holds while pending, after settlement, and for the round just
 * finished (a lost reply is retried when the next round is open already); naming the present revision makes it a new answer there.
 */
export function repeated(state: EscalationState, { actor, user_input, revision }: Respond, now: number): RespondReply | null {
  const earlier = saidBefore(state, actor, revision, now);
  if (!earlier) return null;
  const answer = validateAnswer(state.rules.ui_schema, user_input);
  if (!answer.ok || !sameJson(answer.response, earlier.response)) return null;
  const settled = state.outcome;
  if (settled?.source === 'human' && settled.seq === earlier.seq + 1) {
    return { state: settled.state, seq: settled.seq, revision: earlier.revision, outcome: settled };
  }
  return { state: 'pending', seq: earlier.told, revision: earlier.revision };
}

/** `told` is the seq that the reply named: of the answer, or of the round that it opened. */
type Said = { seq: number; told: number; response: Record<string, unknown>; revision: number };

function saidBefore(state: EscalationState, actor: Actor, revision: number | undefined, now: number): Said | null {
  const { user_id: user, on_behalf_of } = actor;
  // Someone whose seat is gone was told once that their answer is in; someone who has a seat again is asked again.
  const stands = ({ set_aside }: Vote): boolean => !set_aside || (set_aside === 'reassigned' && !(state.status === 'pending' && seatOf(state, actor, now).ok));
  const vote = state.votes.find(other => other.user_id === user && stands(other) && (on_behalf_of ?? other.seat) === other.seat);
  if (vote) return { seq: vote.seq, told: vote.seq, response: vote.response, revision: vote.revision };
  const round = state.history.at(-1);
  if (!round || round.user_id !== user || round.iteration !== state.iteration - 1 || revision === state.revision) return null;
  return { seq: round.seq, told: round.seq + 1, response: round.response, revision: round.revision + 1 };
}
