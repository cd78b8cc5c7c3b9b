import { SCHEMA_VERSION } from '@umpire/contract';
import { disarm } from './clocks.ts';
import { CLOCK, emit, nextSeq } from './draft.ts';
import type { Draft } from './draft.ts';
import { countedVotes, resultOf, waitingFor } from './quorum.ts';
import type { Result } from './quorum.ts';
import { isoOf } from './time.ts';
import type { Actor, DomainOutcome, EscalationState } from './types.ts';

type Ending = Pick<DomainOutcome, 'state' | 'verdict' | 'source' | 'response' | 'timeout_applied' | 'decided_by'>;

/** How it ended, or null while it is open. The contract's outcome, but for the id. */
export function outcomeOf(state: EscalationState): DomainOutcome | null {
  return state.outcome;
}

function outcome(draft: Draft, ending: Ending): DomainOutcome {
  const { state, now } = draft;
  const made: DomainOutcome = {
    schema_version: SCHEMA_VERSION,
    namespace: state.namespace,
    request_id: state.request_id,
    reason: state.reason,
    ...ending,
    votes: countedVotes(state).map(({ user_id, verdict, at, on_behalf_of }) => ({ user_id, verdict, at: isoOf(at), ...(on_behalf_of === undefined ? {} : { on_behalf_of }) })),
    decided_at: isoOf(now),
    iterations: state.iteration,
    seq: nextSeq(draft),
  };
  if (state.pipeline_name !== undefined) made.pipeline_name = state.pipeline_name;
  if (state.step_name !== undefined) made.step_name = state.step_name;
  return made;
}

/** Ends the escalation if the votes have come to a result. @returns whether they have. */
export function settleByVotes(draft: Draft, actor: Actor, more: Partial<DomainOutcome> = {}): boolean {
  const result = resultOf(draft.state);
  if (!result) return false;
  const ending: Ending = {
    state: 'completed',
    verdict: result.verdict,
    source: 'human',
    response: responseOf(result),
    timeout_applied: false,
    decided_by: result.by.map(vote => vote.user_id),
  };
  emit(draft, 'resolved', actor, { outcome: { ...outcome(draft, ending), ...more }, veto: result.veto }, []);
  return true;
}

/** The answer that goes with a verdict of many is the last one given for it: the one that made it settle, where that was for it. */
function responseOf({ verdict, by }: Result): Record<string, unknown> {
  const last = by.findLast(vote => vote.verdict === verdict);
  return last?.response ?? {};
}

/** Whether the deadline has come and its effect is still to be applied. */
export function timeoutDue(state: EscalationState, now: number): boolean {
  return state.status === 'pending' && !state.overdue && state.deadline !== null && now >= state.deadline;
}

/**
 * What the request said should happen at its deadline: its default action, going on as overdue, or else expiry, which is neither
 * approval nor denial. Nobody has decided, so nobody is named.
 */
export function applyTimeout(draft: Draft): void {
  const { rules, deadline } = draft.state;
  if (rules.on_timeout === 'hold') {
    emit(draft, 'overdue', CLOCK, { deadline: isoOf(deadline ?? draft.now), waiting_for: waitingFor(draft.state) }, disarm(draft.state.clocks, 'deadline'));
    return;
  }
  const byTimeout = { source: 'timeout' as const, timeout_applied: true, decided_by: [] };
  if (rules.on_timeout === 'default' && rules.default_action !== undefined) {
    const response = Object.fromEntries([[rules.verdict_field, rules.default_action]]);
    const ending: Ending = { state: 'completed', verdict: rules.default_action, response, ...byTimeout };
    emit(draft, 'resolved', CLOCK, { outcome: outcome(draft, ending), veto: false }, []);
    return;
  }
  emit(draft, 'expired', CLOCK, { outcome: outcome(draft, { state: 'expired', verdict: null, response: null, ...byTimeout }) }, []);
}

export function applyCancel(draft: Draft, actor: Actor, more: { detail?: string; superseded_by?: string }): void {
  const ending: Ending = { state: 'cancelled', verdict: null, source: 'cancel', response: null, timeout_applied: false, decided_by: [] };
  emit(draft, 'cancelled', actor, { outcome: { ...outcome(draft, ending), ...more }, ...more }, []);
}
