import {
  AlignmentEngine,
  AlignmentError,
  asNode,
  decisionsFromJson,
  evaluateDecisions,
  requiresReview,
  schemaFromJson,
} from '@umpire/alignment';
import {
  buildHitlRequest,
  isJsonNode,
  member,
  readJson,
  stringMember,
  toValue,
  type AlignmentSummary,
  type EvaluationResult,
  type HITLRequest,
  type JsonNode,
  type JsonValue,
} from '@umpire/contract';

export interface VectorOutcome {
  readonly summary: Omit<AlignmentSummary, 'resolution_rationale'>;
  readonly needs_review: boolean;
  readonly synthesis: { readonly decision: JsonValue; readonly confidence: number; readonly evidence: readonly string[] };
  /** Without decisions, id, time and sentences; null when nothing is escalated. */
  readonly hitl_request: Record<string, unknown> | null;
}

export type VectorAnswer = VectorOutcome | { readonly error: true };

/** The escalation's time is no part of what a vector says. */
const ANY_TIME = '2026-01-01T00:00:00Z';

/**
 * Runs the engine on a vector's input and answers what the vector expects of it.
 *
 * @param input a line of a vector file, what `readJson` made of it, or a plain object (which has lost the difference
 *   between 1 and 1.0, as every JavaScript number has: prefer the line where decisions hold numbers). Read are `schema`,
 *   `thresholds`, `task_id`, `decisions`, `forced_review`, `evaluation_request_id` and `processing_time_ms`.
 * @returns `{error: true}` where the engine refuses the input.
 */
export function alignmentVector(input: string | JsonNode | object): VectorAnswer {
  const node = typeof input === 'string' ? readJson(input) : isJsonNode(input) ? input : asNode(input);
  try {
    return outcome(node, evaluation(node));
  } catch (error) {
    if (error instanceof AlignmentError) {
      return { error: true };
    }
    throw error;
  }
}

function evaluation(node: JsonNode): EvaluationResult {
  const thresholds = member(node, 'thresholds');
  const engine = new AlignmentEngine(thresholds?.kind === 'object' ? (toValue(thresholds) as Record<string, number>) : {});
  const elapsed = member(node, 'processing_time_ms');
  return evaluateDecisions(engine, {
    taskId: stringMember(node, 'task_id') ?? '',
    decisions: decisionsFromJson(member(node, 'decisions')),
    schema: schemaFromJson(member(node, 'schema')),
    evaluationId: stringMember(node, 'evaluation_request_id') ?? '',
    processingTimeMs: elapsed?.kind === 'number' ? Number(elapsed.text) : null,
  });
}

function outcome(node: JsonNode, result: EvaluationResult): VectorOutcome {
  const { resolution_rationale: _sentence, ...summary } = result.alignment_summary;
  const forced = member(node, 'forced_review');
  const reviewed = forced?.kind === 'boolean' && forced.value ? { ...result, requires_human_review: true } : result;
  const request = buildHitlRequest(reviewed, result.alignment_summary, { createdAt: ANY_TIME });
  return {
    summary,
    needs_review: requiresReview(summary.state),
    synthesis: { decision: plain(result.synthesized_decision), confidence: result.confidence, evidence: result.evidence },
    hitl_request: request === null ? null : withoutSentences(request),
  };
}

function withoutSentences(request: HITLRequest): Record<string, unknown> {
  const { resolution_rationale: _sentence, ...metadata } = request.metadata;
  return {
    task_id: request.task_id,
    alignment_state: request.alignment_state,
    alignment_score: request.alignment_score,
    escalation_reason: request.escalation_reason,
    dissenting_agents: request.dissenting_agents,
    metadata,
  };
}

function plain(value: unknown): JsonValue {
  return isJsonNode(value) ? toValue(value) : (value as JsonValue);
}
