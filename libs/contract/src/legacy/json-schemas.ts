import { jsonSchema } from '../hitl/json-schemas.ts';
import { humanReviewDecisionSchema, humanReviewRequestSchema } from './schemas.ts';

/** JSON Schema 2020-12 of the deprecated forms, marked as such. */
export function legacyJsonSchemas(): Record<'HumanReviewRequest' | 'HumanReviewDecision', Record<string, unknown>> {
  return {
    HumanReviewRequest: { title: 'HumanReviewRequest', deprecated: true, ...jsonSchema(humanReviewRequestSchema) },
    HumanReviewDecision: { title: 'HumanReviewDecision', deprecated: true, ...jsonSchema(humanReviewDecisionSchema) },
  };
}
