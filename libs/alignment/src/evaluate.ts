import type { AgentDecision, EvaluationResult } from '@umpire/contract';
import type { DecisionSchema } from './decision-schema.ts';
import { requiresReview, type AlignmentEngine } from './engine.ts';
import { HARD_DISAGREEMENT_REVIEW } from './sentences.ts';
import { synthesize } from './synthesis.ts';

export interface EvaluationInput {
  readonly taskId: string;
  readonly decisions: readonly AgentDecision[];
  readonly schema: DecisionSchema;
  /** Id of this evaluation; part of the escalation's id. */
  readonly evaluationId: string;
  readonly processingTimeMs: number | null;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/**
 * From decisions to a result: analysis, synthesis, and whether the engine asks for a human. Pure and deterministic.
 *
 * @throws AlignmentError as `AlignmentEngine.analyze` does.
 */
export function evaluateDecisions(engine: AlignmentEngine, input: EvaluationInput): EvaluationResult {
  const summary = engine.analyze(input.decisions, input.schema);
  const synthesis = synthesize(input.decisions, input.schema, summary);
  const review = requiresReview(summary.state);
  return {
    task_id: input.taskId,
    synthesized_decision: synthesis.decision,
    confidence: synthesis.confidence,
    reasoning: synthesis.reasoning,
    evidence: synthesis.evidence,
    agent_decisions: [...input.decisions],
    alignment_summary: summary,
    requires_human_review: review,
    review_reason: review ? HARD_DISAGREEMENT_REVIEW : null,
    request_id: input.evaluationId,
    processing_time_ms: input.processingTimeMs,
    metadata: { ...input.metadata },
  };
}
