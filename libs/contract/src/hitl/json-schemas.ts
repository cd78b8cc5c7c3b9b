import { z } from 'zod';
import {
  agentDecisionSchema,
  alignmentStateSchema,
  alignmentSummarySchema,
  evaluationResultSchema,
  hitlEscalationReasonSchema,
  hitlRequestSchema,
} from './schemas.ts';
import { NOT_BLANK } from './text.ts';
import { alignmentThresholdsSchema } from './thresholds.ts';

const published = {
  HITLRequest: hitlRequestSchema,
  AgentDecision: agentDecisionSchema,
  AlignmentSummary: alignmentSummarySchema,
  EvaluationResult: evaluationResultSchema,
  HITLEscalationReason: hitlEscalationReasonSchema,
  AlignmentState: alignmentStateSchema,
  AlignmentThresholds: alignmentThresholdsSchema,
} as const;

export type HitlJsonSchemaName = keyof typeof published;

/**
 * JSON Schema 2020-12 of the contract's models, by name. What JSON Schema cannot say (dissenting agents among the agents,
 * bytes of an id, a valid calendar day) is checked by `validateHitlRequest` only.
 */
export function hitlJsonSchemas(): Record<HitlJsonSchemaName, Record<string, unknown>> {
  const entries = Object.entries(published).map(([name, schema]) => [name, { title: name, ...jsonSchema(schema) }] as const);
  return Object.fromEntries(entries) as unknown as Record<HitlJsonSchemaName, Record<string, unknown>>;
}

/** JSON Schema 2020-12 of one schema of ours, as a producer may send it. */
export function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  return z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'input',
    // Not every regular expression engine knows our class of white space; the difference is a handful of control characters.
    override: ({ jsonSchema: generated }) => {
      if (generated.pattern === NOT_BLANK.source) {
        generated.pattern = '\\S';
      }
    },
  });
}
