import { twoDecimals, type AgentDecision, type AlignmentSummary } from '@umpire/contract';
import type { DecisionSchema } from './decision-schema.ts';
import { mean } from './exact.ts';
import {
  heaviest,
  measure,
  mostConfident,
  scalarValue,
  truthValue,
  weightsByText,
  type MeasuredDecision,
} from './measured-decision.ts';

/** The one decision that the agents' decisions add up to. */
export interface Synthesis {
  readonly decision: unknown;
  /** The summary's consensus strength. */
  readonly confidence: number;
  readonly reasoning: string;
  readonly evidence: string[];
}

type Merged = Omit<Synthesis, 'confidence'>;

const EVIDENCE_PER_AGENT = 2;
const MOST_EVIDENCE = 5;
/** Booleans and scalars take evidence from so many agents only. */
const EVIDENCE_AGENTS = 3;

/**
 * Merges the decisions by the schema's rule. Pure and deterministic.
 *
 * @throws AlignmentError as `AlignmentEngine.analyze` does.
 */
export function synthesize(decisions: readonly AgentDecision[], schema: DecisionSchema, summary: AlignmentSummary): Synthesis {
  const merged = mergeBySchema(measure(decisions), schema);
  return { decision: merged.decision, confidence: summary.consensus_strength, reasoning: merged.reasoning, evidence: merged.evidence };
}

/**
 * The decision of `synthesize` alone, without what is said about it.
 *
 * @throws AlignmentError as `AlignmentEngine.analyze` does.
 */
export const mergedDecision = (decisions: readonly AgentDecision[], schema: DecisionSchema): unknown => mergeBySchema(measure(decisions), schema).decision;

function mergeBySchema(decisions: readonly MeasuredDecision[], schema: DecisionSchema): Merged {
  switch (schema.type) {
    case 'boolean':
      return mergeBooleans(decisions);
    case 'categorical':
      return mergeCategories(decisions);
    case 'scalar':
      return mergeScalars(decisions);
    case 'freeform':
      return mergeTexts(decisions);
    case 'other':
      return takeMostConfident(decisions);
  }
}

function mergeBooleans(decisions: readonly MeasuredDecision[]): Merged {
  const holders = decisions.filter(truthValue);
  const deniers = decisions.filter((decision) => !truthValue(decision));
  const decision = weight(holders) > weight(deniers);
  const supporters = decision ? holders : deniers;
  return {
    decision,
    reasoning: `Weighed by confidence, ${supporters.length} of ${decisions.length} agents carry ${String(decision)} with a weight of ${twoDecimals(weight(supporters))}.`,
    evidence: collectEvidence(supporters.slice(0, EVIDENCE_AGENTS)),
  };
}

function mergeCategories(decisions: readonly MeasuredDecision[]): Merged {
  const weights = weightsByText(decisions);
  const decision = heaviest(weights);
  const supporters = decisions.filter(({ text }) => text === decision);
  return {
    decision,
    reasoning: `Weighed by confidence, ${supporters.length} of ${decisions.length} agents carry ${JSON.stringify(decision)} with a weight of ${twoDecimals(weights.get(decision) ?? 0)}.`,
    evidence: collectEvidence(supporters),
  };
}

function mergeScalars(decisions: readonly MeasuredDecision[]): Merged {
  const values = decisions.map(scalarValue);
  const total = weight(decisions);
  const weighted = decisions.reduce((sum, decision, index) => sum + (values[index] ?? 0) * decision.confidence, 0);
  const decision = total > 0 ? weighted / total : mean(values);
  const byConfidence = decisions.toSorted((a, b) => b.confidence - a.confidence);
  const range = `${twoDecimals(Math.min(...values))} to ${twoDecimals(Math.max(...values))}`;
  return {
    decision,
    reasoning: `${twoDecimals(decision)} is the mean weighed by confidence, of values from ${range} with a total weight of ${twoDecimals(total)}.`,
    evidence: collectEvidence(byConfidence.slice(0, EVIDENCE_AGENTS)),
  };
}

function mergeTexts(decisions: readonly MeasuredDecision[]): Merged {
  const best = mostConfident(decisions);
  const others = decisions.filter((decision) => decision !== best).map(({ name, confidence }) => `${name} (${twoDecimals(confidence)})`);
  return {
    decision: best.text,
    reasoning: `Taken from ${best.name}, the most confident agent (${twoDecimals(best.confidence)}); the others: ${others.join(', ')}.`,
    evidence: collectEvidence(decisions),
  };
}

function takeMostConfident(decisions: readonly MeasuredDecision[]): Merged {
  const best = mostConfident(decisions);
  return {
    decision: best.decision.decision_value,
    reasoning: `Taken from ${best.name}, the most confident agent (${twoDecimals(best.confidence)}).`,
    evidence: [...best.evidence],
  };
}

/** Summed in the order given, as upstream does: another order may round differently. */
function weight(decisions: readonly MeasuredDecision[]): number {
  return decisions.reduce((sum, decision) => sum + decision.confidence, 0);
}

function collectEvidence(agents: readonly MeasuredDecision[]): string[] {
  return agents.flatMap((agent) => agent.evidence.slice(0, EVIDENCE_PER_AGENT)).slice(0, MOST_EVIDENCE);
}
