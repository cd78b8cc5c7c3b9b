import { escalationReason } from './build.ts';
import type { AlignmentState, EvaluationResult, HITLEscalationReason } from './schemas.ts';
import { twoDecimals } from './text.ts';
import { DEFAULT_THRESHOLDS, HARD_DISAGREEMENT_AREAS, type AlignmentThresholds } from './thresholds.ts';

export interface ExplainedRule {
  /** Stable name of the rule. */
  readonly rule: string;
  readonly holds: boolean;
  /** What was compared. */
  readonly values: Readonly<Record<string, boolean | number | string | readonly string[] | null>>;
  readonly sentence: string;
}

export interface ReviewExplanation {
  readonly requires_human_review: boolean;
  readonly alignment_state: AlignmentState;
  /** The reason that a request built from this result would carry; null when none would be built. */
  readonly escalation_reason: HITLEscalationReason | null;
  /** In the order in which the engine asks them. */
  readonly rules: readonly ExplainedRule[];
}

/**
 * Why an evaluation needs a human or does not: each rule of the engine with the values that it looked at. It reads the
 * summary and does not evaluate again. Thresholds are those noted in the summary, or the defaults.
 */
export function explainReview(result: EvaluationResult): ReviewExplanation {
  const summary = result.alignment_summary;
  const reason = result.requires_human_review ? escalationReason(summary) : null;
  return {
    requires_human_review: result.requires_human_review,
    alignment_state: summary.state,
    escalation_reason: reason,
    rules: [...stateRules(result, notedThresholds(summary.metadata)), ...reviewRules(result, reason)],
  };
}

function stateRules(result: EvaluationResult, thresholds: AlignmentThresholds): ExplainedRule[] {
  const summary = result.alignment_summary;
  const areas = summary.disagreement_areas;
  return [
    compared('insufficient_signal', 'average confidence', summary.avg_confidence, 'below', thresholds.insufficient_signal_avg_confidence),
    {
      rule: 'decision_disagreement',
      holds: !summary.decision_agreement,
      values: { decision_agreement: summary.decision_agreement, dissenting_agents: summary.dissenting_agents },
      sentence: summary.decision_agreement ? 'The decisions agree.' : 'The decisions do not agree.',
    },
    compared('hard_confidence_spread', 'confidence spread', summary.confidence_spread, 'above', thresholds.hard_disagreement_confidence_spread),
    {
      rule: 'many_disagreement_areas',
      holds: areas.length >= HARD_DISAGREEMENT_AREAS,
      values: { disagreement_areas: areas, count: areas.length, threshold: HARD_DISAGREEMENT_AREAS },
      sentence: `${areas.length} areas of disagreement; ${HARD_DISAGREEMENT_AREAS} or more make it hard.`,
    },
    compared('soft_confidence_spread', 'confidence spread', summary.confidence_spread, 'above', thresholds.soft_disagreement_confidence_spread),
    {
      rule: 'any_disagreement_area',
      holds: areas.length > 0,
      values: { disagreement_areas: areas, count: areas.length },
      sentence: areas.length > 0 ? `The agents differ in ${areas.join(', ')}.` : 'The agents differ in no area.',
    },
  ];
}

function reviewRules(result: EvaluationResult, reason: HITLEscalationReason | null): ExplainedRule[] {
  const { state } = result.alignment_summary;
  const hard = state === 'hard_disagreement';
  return [
    {
      rule: 'hard_disagreement_requires_review',
      holds: hard,
      values: { alignment_state: state },
      sentence: `The state is ${state}; the engine asks for review ${hard ? 'on it' : 'only on hard_disagreement'}.`,
    },
    {
      rule: 'requires_human_review',
      holds: result.requires_human_review,
      values: { requires_human_review: result.requires_human_review, review_reason: result.review_reason ?? null },
      sentence: result.requires_human_review ? 'The result asks for a human.' : 'The result asks for no human.',
    },
    {
      rule: 'hitl_request_created',
      holds: reason !== null,
      values: { escalation_reason: reason },
      sentence: reason === null ? 'No escalation is built.' : `An escalation with the reason ${reason} is built.`,
    },
  ];
}

function compared(rule: string, name: string, value: number, side: 'above' | 'below', threshold: number): ExplainedRule {
  const holds = side === 'above' ? value > threshold : value < threshold;
  const figures = `${twoDecimals(value)}, which is ${holds ? '' : 'not '}${side} ${twoDecimals(threshold)}`;
  return { rule, holds, values: { value, threshold }, sentence: `The ${name} is ${figures}.` };
}

function notedThresholds(metadata: Record<string, unknown> | undefined): AlignmentThresholds {
  const noted = metadata?.['thresholds'];
  const thresholds: AlignmentThresholds = { ...DEFAULT_THRESHOLDS };
  if (typeof noted === 'object' && noted !== null) {
    for (const name of Object.keys(thresholds) as (keyof AlignmentThresholds)[]) {
      const value = (noted as Record<string, unknown>)[name];
      thresholds[name] = typeof value === 'number' ? value : thresholds[name];
    }
  }
  return thresholds;
}
