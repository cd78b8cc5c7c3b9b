import { z } from 'zod';
import { agentDecisionSchema } from '../hitl/schemas.ts';
import { NOT_BLANK } from '../hitl/text.ts';

/**
 * The forms that the HITL contract replaced, as upstream still serialises them. Accepted and mapped, never produced.
 * Unknown members are kept. What a HITLRequest needs is checked after the mapping, so these stay as loose as upstream was.
 */
const nonBlank = z.string().regex(NOT_BLANK, 'must not be blank');
const metadata = z.record(z.string(), z.unknown());

export const humanReviewRequestSchema = z.looseObject({
  task_id: nonBlank,
  evaluation_result: z.looseObject({
    request_id: z.string().nullable().optional(),
    agent_decisions: z.array(agentDecisionSchema).min(1),
    alignment_summary: z.looseObject({
      state: nonBlank,
      alignment_score: z.number().min(0).max(1),
      dissenting_agents: z.array(z.string()),
    }),
  }),
  disagreement_summary: nonBlank,
  /** low, medium, high; others count as normal and stay in the metadata. */
  review_priority: z.string().nullable().optional(),
  /** ISO 8601, or any text: what cannot be read as a time stays metadata. */
  deadline: z.string().nullable().optional(),
  reviewer_instructions: z.string().nullable().optional(),
  metadata: metadata.nullable().optional(),
});
export type HumanReviewRequest = z.infer<typeof humanReviewRequestSchema>;

export const humanReviewDecisionSchema = z.looseObject({
  task_id: nonBlank,
  reviewer_id: nonBlank,
  decision_value: z.unknown().refine((value) => value !== undefined, 'is missing'),
  confidence: z.number().min(0).max(1).nullable().optional(),
  rationale: z.string().nullable().optional(),
  review_time_ms: z.number().min(0).nullable().optional(),
  feedback: z.string().nullable().optional(),
  metadata: metadata.nullable().optional(),
});
export type HumanReviewDecision = z.infer<typeof humanReviewDecisionSchema>;
