import { checkForm, shapeForm } from './forms.ts';
import { disarm } from './clocks.ts';
import { done, emit, refused } from './draft.ts';
import type { Draft } from './draft.ts';
import { isApproving } from './quorum.ts';
import { applyCancel } from './settle.ts';
import { isoOf } from './time.ts';
import type { Actor, CommandOf, Decision, EscalationState, Refusal, ReviseCommand } from './types.ts';

/** What whoever asked may do, or an operator for them. People who decide may not. */
function mayDirect({ kind }: Actor): boolean {
  return kind === 'producer' || kind === 'admin' || kind === 'system';
}

const NOT_THE_PRODUCER: Refusal = { code: 'forbidden', detail: 'only the producer or an administrator can do this' };

/** Ends a pending escalation with no verdict. */
export function cancel(draft: Draft, { actor, detail, superseded_by }: CommandOf<'cancel'>): Decision {
  if (!mayDirect(actor)) return refused(draft, NOT_THE_PRODUCER);
  applyCancel(draft, actor, { ...(detail === undefined ? {} : { detail }), ...(superseded_by === undefined ? {} : { superseded_by }) });
  return done(draft);
}

/**
 * Puts other data or another form before the people: the revision rises and answers to the older one stop counting. A claim is
 * released with it. The deadline stays.
 */
export function revise(draft: Draft, command: ReviseCommand): Decision {
  const { state } = draft;
  if (!mayDirect(command.actor)) return refused(draft, NOT_THE_PRODUCER);
  const changes: Record<string, unknown> = {};
  for (const key of ['current_result', 'review_data', 'prompt'] as const) if (command[key] !== undefined) changes[key] = command[key];
  if (command.ui_schema !== undefined) {
    const errors = checkForm(command.ui_schema, state.rules, 'ui_schema');
    if (errors.length) return refused(draft, { code: 'invalid', detail: 'the form cannot be used', errors });
    changes.ui_schema = shapeForm(command.ui_schema, state.rules);
  }
  if (!Object.keys(changes).length) {
    return refused(draft, { code: 'invalid', detail: 'nothing is revised: give current_result, review_data, ui_schema or prompt', errors: [{ path: '', code: 'required', message: 'name what is revised' }] });
  }
  const data = { changes, revision: state.revision + 1, claim: null, ...(command.detail === undefined ? {} : { detail: command.detail }) };
  emit(draft, 'revised', command.actor, data, disarm(state.clocks, 'claim'));
  return done(draft, { reply: { revision: draft.state.revision, seq: draft.state.seq } });
}

/** What an agent shows before it runs the approved action. The same for every asking of the same consumer. */
export type Permit = { status: 'consumed'; request_id: string; consumer_id: string; action_digest: string; verdict: string; consumed_at: string; seq: number };

/**
 * The one-shot permit: an approving outcome with an action digest is consumed once, by one consumer, for that digest. An agent that
 * retries gets its permit again, anyone else a refusal; so the action runs at most once.
 */
export function consume(draft: Draft, command: CommandOf<'consume'>): Decision {
  const { actor, consumer_id, action_digest } = command;
  const { state } = draft;
  const refusal = mayDirect(actor) ? unconsumable(state, command) : NOT_THE_PRODUCER;
  if (refusal) return refused(draft, refusal);
  if (state.consumed) return done(draft, { repeat: true, reply: permitOf(state) });
  emit(draft, 'consumed', actor, { consumer_id, action_digest });
  return done(draft, { reply: permitOf(draft.state) });
}

function unconsumable(state: EscalationState, { consumer_id, action_digest }: CommandOf<'consume'>): Refusal | null {
  const { outcome, rules, consumed } = state;
  if (!outcome) return { code: 'not_consumable', detail: 'this is still open: there is nothing to consume yet' };
  if (outcome.state !== 'completed' || outcome.verdict === null || !isApproving(rules, outcome.verdict)) {
    return { code: 'not_consumable', detail: 'the outcome does not approve anything', outcome };
  }
  if (rules.action_digest === undefined) return { code: 'not_consumable', detail: 'the request named no action_digest', outcome };
  if (rules.action_digest !== action_digest) return { code: 'digest_mismatch', detail: 'another action was approved: the digests differ', outcome };
  if (consumed && consumed.consumer_id !== consumer_id) {
    return { code: 'already_consumed', detail: `consumed by ${consumed.consumer_id} at ${isoOf(consumed.at)}`, outcome, extra: { consumer_id: consumed.consumer_id } };
  }
  return null;
}

function permitOf({ consumed, request_id, outcome }: EscalationState): Permit | undefined {
  if (!consumed || !outcome) return undefined;
  const { consumer_id, action_digest, at, seq } = consumed;
  return { status: 'consumed', request_id, consumer_id, action_digest, verdict: outcome.verdict ?? '', consumed_at: isoOf(at), seq };
}
