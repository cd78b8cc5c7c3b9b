import { counter, histogram } from '@umpire/runtime';
import type { Transition } from './escalation.queries.ts';

const outcomes = counter('umpire_store_outcomes_total', 'Escalations that ended, by state and what ended them', ['namespace', 'reason', 'state', 'source']);
const decision = histogram('umpire_store_decision_seconds', 'From opening to a decision by people', ['namespace', 'reason'],
  [1, 5, 10, 30, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 259_200]);

const SETTLING: ReadonlySet<string> = new Set(['resolved', 'expired', 'cancelled']);

/** Counts what these transitions ended. Call it once they are committed. */
export function countEnded(transitions: readonly Transition[]): void {
  for (const { state, events } of transitions) {
    const settling = events.find((event) => SETTLING.has(event.type));
    if (!settling || !state.outcome) continue;
    const { namespace, reason, status, outcome, opened_at } = state;
    outcomes.inc({ namespace, reason, state: status, source: outcome.source });
    if (outcome.source === 'human') decision.observe({ namespace, reason }, Math.max(0, Date.parse(settling.occurred_at) - opened_at) / 1_000);
  }
}
