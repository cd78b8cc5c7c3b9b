import {
  alignmentThresholdsSchema,
  DEFAULT_THRESHOLDS,
  HARD_DISAGREEMENT_AREAS,
  setMember,
  type AgentDecision,
  type AlignmentState,
  type AlignmentSummary,
  type AlignmentThresholds,
} from '@umpire/contract';
import { schemaTypeName, type DecisionSchema } from './decision-schema.ts';
import { AlignmentError } from './errors.ts';
import { mean, sampleDeviation } from './exact.ts';
import { foldedText, heaviest, measure, scalarValue, type MeasuredDecision } from './measured-decision.ts';
import type { Findings } from './findings.ts';
import { resolutionRationale } from './sentences.ts';

/** Version of upstream's analysis whose behaviour this engine has. */
const ANALYSIS_VERSION = '2.0.0';

/** A consistency below this makes evidence an area of disagreement; a constant of the engine, not a threshold. */
const EVIDENCE_CONSISTENCY = 0.5;

/**
 * Judges how far the decisions of several agents agree. Pure and deterministic; the rules are those of upstream's engine,
 * its Python texts and exactly rounded means included.
 */
export class AlignmentEngine {
  readonly thresholds: Readonly<AlignmentThresholds>;

  /** @throws AlignmentError `invalid_thresholds` for a threshold that is no number from 0 up. */
  constructor(thresholds: Partial<AlignmentThresholds> = {}) {
    const merged = alignmentThresholdsSchema.safeParse({ ...DEFAULT_THRESHOLDS, ...thresholds });
    if (!merged.success) {
      const names = merged.error.issues.map((issue) => issue.path.join('.'));
      throw new AlignmentError('invalid_thresholds', `not a number from 0 up: ${names.join(', ')}`);
    }
    this.thresholds = Object.freeze(merged.data);
  }

  /**
   * @throws AlignmentError `too_few_decisions`, `invalid_decision`, or `not_a_number` for a scalar schema.
   */
  analyze(decisions: readonly AgentDecision[], schema: DecisionSchema): AlignmentSummary {
    const measured = measure(decisions);
    const confidences = measured.map((decision) => decision.confidence);
    const average = mean(confidences);
    const spread = Math.max(...confidences) - Math.min(...confidences);
    const agreement = decisionsAgree(measured, schema, this.thresholds);
    const dissenters = dissentingAgents(measured);
    const areas = disagreementAreas(measured, spread, this.thresholds);
    const score = alignmentScore(agreement, spread, dissenters.length);
    const state = alignmentState({ agreement, average, spread, areas }, this.thresholds);
    return {
      state,
      alignment_score: score,
      decision_agreement: agreement,
      confidence_spread: spread,
      confidence_distribution: confidenceDistribution(measured),
      avg_confidence: average,
      dissenting_agents: dissenters,
      disagreement_areas: areas,
      consensus_strength: score * average,
      resolution_rationale: resolutionRationale(state, { agreement, average, spread, areas }),
      metadata: {
        agent_count: measured.length,
        decision_schema_type: schemaTypeName(schema),
        thresholds: { ...this.thresholds },
        analysis_version: ANALYSIS_VERSION,
      },
    };
  }
}

/** The engine itself asks for a human on this one state only. */
export function requiresReview(state: AlignmentState): boolean {
  return state === 'hard_disagreement';
}

function decisionsAgree(decisions: readonly MeasuredDecision[], schema: DecisionSchema, thresholds: AlignmentThresholds): boolean {
  switch (schema.type) {
    case 'scalar': {
      const values = decisions.map(scalarValue);
      const middle = mean(values);
      const tolerance = thresholds.scalar_decision_tolerance_ratio * (schema.max_value - schema.min_value);
      return values.every((value) => Math.abs(value - middle) <= tolerance);
    }
    case 'freeform':
      return new Set(decisions.map((decision) => foldedText(decision.text))).size === 1;
    default:
      return distinctTexts(decisions) === 1;
  }
}

function distinctTexts(decisions: readonly MeasuredDecision[]): number {
  return new Set(decisions.map((decision) => decision.text)).size;
}

/** Everyone outside of the largest group of equal texts, in the order given; of equal groups the one seen first is the majority. */
function dissentingAgents(decisions: readonly MeasuredDecision[]): string[] {
  const sizes = new Map<string, number>();
  for (const { text } of decisions) {
    sizes.set(text, (sizes.get(text) ?? 0) + 1);
  }
  const majority = heaviest(sizes);
  return decisions.filter((decision) => decision.text !== majority).map((decision) => decision.name);
}

function disagreementAreas(decisions: readonly MeasuredDecision[], spread: number, thresholds: AlignmentThresholds): string[] {
  const areas: readonly (readonly [string, boolean])[] = [
    ['primary_decision', distinctTexts(decisions) > 1],
    ['confidence_levels', spread > thresholds.soft_disagreement_confidence_spread],
    ['reasoning_approach', reasoningOverlap(decisions) < thresholds.reasoning_overlap_threshold],
    ['evidence_quality', evidenceConsistency(decisions) < EVIDENCE_CONSISTENCY],
  ];
  return areas.filter(([, differs]) => differs).map(([area]) => area);
}

/** Share of the rationales' words that all of them use; 0 when there are no words. */
function reasoningOverlap(decisions: readonly MeasuredDecision[]): number {
  const [first = new Set<string>(), ...rest] = decisions.map((decision) => decision.words);
  let union = first;
  let common = first;
  for (const words of rest) {
    union = new Set([...union, ...words]);
    common = new Set([...common].filter((word) => words.has(word)));
  }
  return union.size === 0 ? 0 : common.size / union.size;
}

/** 1 for equal amounts of evidence, falling with their deviation relative to the mean; 1 when nobody has any. */
function evidenceConsistency(decisions: readonly MeasuredDecision[]): number {
  const counts = decisions.map((decision) => decision.evidence.length);
  const average = mean(counts);
  return average === 0 ? 1 : Math.max(0, 1 - sampleDeviation(counts) / average);
}

function alignmentScore(agreement: boolean, spread: number, dissenters: number): number {
  const score = (agreement ? 0.4 : 0) + 0.3 * Math.max(0, 1 - spread) + 0.3 * (1 - dissenters / (dissenters + 1));
  return Math.min(1, Math.max(0, score));
}

function alignmentState({ agreement, average, spread, areas }: Findings, thresholds: AlignmentThresholds): AlignmentState {
  if (average < thresholds.insufficient_signal_avg_confidence) {
    return 'insufficient_signal';
  }
  if (!agreement || spread > thresholds.hard_disagreement_confidence_spread || areas.length >= HARD_DISAGREEMENT_AREAS) {
    return 'hard_disagreement';
  }
  return spread > thresholds.soft_disagreement_confidence_spread || areas.length > 0 ? 'soft_disagreement' : 'full_alignment';
}

function confidenceDistribution(decisions: readonly MeasuredDecision[]): Record<string, number> {
  const distribution: Record<string, number> = {};
  for (const { name, confidence } of decisions) {
    setMember(distribution, name, confidence);
  }
  return distribution;
}
