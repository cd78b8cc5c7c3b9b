import { z } from 'zod';
import { REASONS } from '../reasons.ts';
import { CREATED_AT_PATTERN, parseCreatedAt } from './created-at.ts';
import { requestIdProblem } from './request-id.ts';
import { NOT_BLANK, trimText } from './text.ts';

/**
 * The contract seed's models as upstream really writes them. Unknown members are kept everywhere: they are the producer's.
 * `validateHitlRequest` is the hot path's twin of `hitlRequestSchema`; a property test holds the two together.
 */
const nonBlank = z.string().regex(NOT_BLANK, 'must not be blank');
const unit = z.number().min(0).max(1);
const metadata = z.record(z.string(), z.unknown());

export const requestIdSchema = nonBlank.max(512).superRefine((id, context) => {
  const problem = requestIdProblem(id);
  if (problem !== null) {
    context.addIssue({ code: 'custom', message: problem });
  }
});

export const alignmentStates = ['full_alignment', 'soft_disagreement', 'hard_disagreement', 'insufficient_signal'] as const;
export const alignmentStateSchema = z.enum(alignmentStates);
export type AlignmentState = z.infer<typeof alignmentStateSchema>;

export const hitlEscalationReasonSchema = z.enum(REASONS);
export type HITLEscalationReason = z.infer<typeof hitlEscalationReasonSchema>;

export const agentDecisionSchema = z.looseObject({
  agent_name: nonBlank,
  role_type: nonBlank.optional(),
  /** Any JSON; only its absence is an error. */
  decision_value: z.unknown().refine((value) => value !== undefined, 'is missing'),
  confidence: unit,
  rationale: nonBlank,
  evidence: z.array(z.string()).optional(),
  processing_time_ms: z.number().min(0).nullable().optional(),
  metadata: metadata.optional(),
});
export type AgentDecision = z.infer<typeof agentDecisionSchema>;

export const alignmentSummarySchema = z.looseObject({
  state: alignmentStateSchema,
  alignment_score: unit,
  decision_agreement: z.boolean(),
  confidence_spread: unit,
  /** Agent name to confidence. */
  confidence_distribution: z.record(z.string(), unit),
  avg_confidence: unit,
  dissenting_agents: z.array(z.string()),
  disagreement_areas: z.array(z.string()),
  consensus_strength: unit,
  resolution_rationale: z.string(),
  metadata: metadata.optional(),
});
export type AlignmentSummary = z.infer<typeof alignmentSummarySchema>;

export const evaluationResultSchema = z.looseObject({
  task_id: nonBlank,
  synthesized_decision: z.unknown(),
  confidence: unit,
  reasoning: z.string(),
  evidence: z.array(z.string()),
  agent_decisions: z.array(agentDecisionSchema).min(1),
  alignment_summary: alignmentSummarySchema,
  requires_human_review: z.boolean(),
  review_reason: z.string().nullable().optional(),
  /** Of the evaluation; the escalation has an id of its own. */
  request_id: z.string().nullable().optional(),
  processing_time_ms: z.number().min(0).nullable().optional(),
  metadata: metadata.optional(),
});
export type EvaluationResult = z.infer<typeof evaluationResultSchema>;

export const hitlRequestSchema = z
  .looseObject({
    request_id: requestIdSchema,
    task_id: nonBlank,
    /** A text in the seed, not the enum: an engine of one's own may have further states. */
    alignment_state: nonBlank,
    alignment_score: unit,
    escalation_reason: hitlEscalationReasonSchema,
    summary: nonBlank,
    agent_decisions: z.array(agentDecisionSchema).min(1),
    dissenting_agents: z.array(z.string()),
    created_at: z.string().regex(CREATED_AT_PATTERN).refine((text) => parseCreatedAt(text) !== null, 'must be an ISO 8601 date and time'),
    metadata,
  })
  .superRefine((request, context) => {
    const names = new Set(request.agent_decisions.map((decision) => trimText(decision.agent_name)));
    for (const [index, name] of request.dissenting_agents.entries()) {
      if (!names.has(trimText(name))) {
        context.addIssue({ code: 'custom', path: ['dissenting_agents', index], message: 'names no agent of agent_decisions' });
      }
    }
  });
export type HITLRequest = z.infer<typeof hitlRequestSchema>;
