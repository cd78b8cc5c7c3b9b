import { z } from 'zod';

const fraction = z.number().min(0);

/** Where the alignment engine draws its lines. Names and defaults are upstream's. */
export const alignmentThresholdsSchema = z.object({
  soft_disagreement_confidence_spread: fraction,
  hard_disagreement_confidence_spread: fraction,
  insufficient_signal_avg_confidence: fraction,
  /** Declared upstream, used by no rule. */
  min_confidence_for_consensus: fraction,
  scalar_decision_tolerance_ratio: fraction,
  reasoning_overlap_threshold: fraction,
  /** Declared upstream, used by no rule. */
  minority_dominance_threshold: fraction,
});

export type AlignmentThresholds = z.infer<typeof alignmentThresholdsSchema>;

export const DEFAULT_THRESHOLDS: Readonly<AlignmentThresholds> = Object.freeze({
  soft_disagreement_confidence_spread: 0.2,
  hard_disagreement_confidence_spread: 0.4,
  insufficient_signal_avg_confidence: 0.5,
  min_confidence_for_consensus: 0.7,
  scalar_decision_tolerance_ratio: 0.1,
  reasoning_overlap_threshold: 0.3,
  minority_dominance_threshold: 0.4,
});

/** How many areas of disagreement make it a hard one, whatever the agreement; a constant of the engine. */
export const HARD_DISAGREEMENT_AREAS = 3;
