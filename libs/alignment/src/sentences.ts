import { twoDecimals, type AlignmentState } from '@umpire/contract';
import type { Findings } from './findings.ts';

/** Why the engine came to a state, in one deterministic sentence with its figures. */
export function resolutionRationale(state: AlignmentState, { agreement, average, spread, areas }: Findings): string {
  switch (state) {
    case 'insufficient_signal':
      return `Too weak a signal: the average confidence is ${twoDecimals(average)}.`;
    case 'hard_disagreement':
      return agreement
        ? `The decisions agree, but the confidences lie ${twoDecimals(spread)} apart or too much else differs: ${listed(areas)}.`
        : `The agents' decisions contradict each other; they differ in ${listed(areas)}.`;
    case 'soft_disagreement':
      return `The decisions agree; minor differences in ${listed(areas)}, confidences ${twoDecimals(spread)} apart.`;
    case 'full_alignment':
      return `The agents agree, with an average confidence of ${twoDecimals(average)}.`;
  }
}

function listed(areas: readonly string[]): string {
  return areas.length === 0 ? 'nothing else' : areas.join(', ');
}

/** Why a result asks for a human. */
export const HARD_DISAGREEMENT_REVIEW = 'The agents disagree too far to be decided without a human.';
