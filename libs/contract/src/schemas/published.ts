import { z } from 'zod';
import { ERROR_STATUS, type ErrorCode } from '../errors.ts';
import { CLOCK_KINDS, EVENT_TYPES } from '../events.ts';
import { hitlJsonSchemas } from '../hitl/index.ts';
import { jsonSchema } from '../hitl/json-schemas.ts';
import { requestIdSchema } from '../hitl/schemas.ts';
import { hitlRequestSchema } from '../hitl/schemas.ts';
import { interactionSchema } from '../interaction.ts';
import { legacyJsonSchemas } from '../legacy/index.ts';
import { NAMESPACE_PATTERN, REASONS } from '../reasons.ts';

// Documents that we write only ever gain members within 1.x, so their schemas are loose: an older reader takes a newer document.
const time = z.iso.datetime();
const namespace = z.string().regex(NAMESPACE_PATTERN);
const reason = z.enum(REASONS);
const schemaVersion = z.string().regex(/^1\.\d+$/);
const anyJson = z.unknown();
const hex32 = z.string().regex(/^[0-9a-f]{64}$/);

/** The contract's queue message, optionally with our `interaction` beside it. */
export const escalationMessageSchema = z.looseObject({
  type: z.literal('hitl_escalation'),
  payload: hitlRequestSchema,
  routing_key: z.string().regex(/^review\.(hard_disagreement|low_confidence|inconsistent_evidence|custom_rule)$/).optional(),
  interaction: interactionSchema.optional(),
});

/** A pipeline that pauses for a person. */
export const interactionMessageSchema = z.looseObject({
  type: z.literal('hitl_interaction'),
  payload: z.looseObject({
    interaction_id: requestIdSchema.optional(),
    pipeline_name: z.string().min(1).max(256),
    step_name: z.string().min(1).max(256),
    data: anyJson,
    escalation_reason: reason.optional(),
    partial_result: anyJson.optional(),
    metadata: z.looseObject({}).optional(),
  }),
  interaction: interactionSchema.optional(),
  routing_key: z.string().optional(),
});

export const cancelMessageSchema = z.looseObject({
  type: z.literal('hitl_cancel'),
  payload: z.looseObject({ request_id: requestIdSchema, detail: z.string().max(4_000).optional() }),
});

/** Whatever may stand on `HITL_REVIEW`. */
export const reviewMessageSchema = z.union([escalationMessageSchema, interactionMessageSchema, cancelMessageSchema, hitlRequestSchema]);

export const voteSchema = z.looseObject({ user_id: z.string(), verdict: z.string(), at: time, on_behalf_of: z.string().optional() });

export const outcomeSchema = z.looseObject({
  id: z.uuid(),
  schema_version: schemaVersion,
  namespace,
  request_id: requestIdSchema,
  reason,
  pipeline_name: z.string().optional(),
  step_name: z.string().optional(),
  state: z.enum(['completed', 'expired', 'cancelled']),
  verdict: z.string().nullable(),
  source: z.enum(['human', 'timeout', 'cancel']),
  response: anyJson,
  timeout_applied: z.boolean(),
  votes: z.array(voteSchema),
  decided_by: z.array(z.string()),
  decided_at: time,
  iterations: z.int().min(0),
  seq: z.int().min(1),
  max_iterations_reached: z.literal(true).optional(),
  detail: z.string().optional(),
  superseded_by: z.string().optional(),
});

export const clockSchema = z.looseObject({ kind: z.enum(CLOCK_KINDS), ordinal: z.int().min(0), due_at: time, generation: z.int().min(1) });

export const eventSchema = z.looseObject({
  id: z.uuid(),
  schema_version: schemaVersion,
  type: z.enum(EVENT_TYPES),
  namespace,
  request_id: requestIdSchema,
  seq: z.int().min(1),
  reason,
  occurred_at: time,
  data: z.looseObject({ clocks: z.array(clockSchema), escalation: anyJson.optional(), outcome: outcomeSchema.optional() }),
});

export const WEBHOOK_EVENTS = [
  'hitl_escalation_required', 'hitl_escalation_resolved', 'hitl_escalation_expired', 'hitl_escalation_cancelled', 'hitl_escalation_raised',
  'hitl_escalation_reminder', 'hitl_escalation_iterated', 'endpoint_disabled', 'test',
] as const;

export const webhookSchema = z.looseObject({
  event: z.enum(WEBHOOK_EVENTS),
  id: z.string().min(1),
  schema_version: schemaVersion,
  timestamp: z.string(),
  seq: z.int().min(1).optional(),
  escalation: anyJson.optional(),
  interaction: anyJson.optional(),
  outcome: outcomeSchema.optional(),
});

export const fieldErrorSchema = z.looseObject({ path: z.string(), code: z.string(), message: z.string() });

export const problemSchema = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.enum(Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]]),
  detail: z.string().optional(),
  errors: z.array(fieldErrorSchema).optional(),
  outcome: outcomeSchema.optional(),
});

export const deadLetterSchema = z.looseObject({
  id: z.string().min(1),
  subject: z.string(),
  errors: z.array(fieldErrorSchema).min(1),
  digest: hex32,
  original: z.base64(),
});

/** The verdict that goes to `Umpire-Reply-To`. */
export const verdictSchema = z.looseObject({
  request_id: z.string().nullable(),
  status: z.string(),
  duplicate: z.boolean(),
  errors: z.array(fieldErrorSchema).optional(),
  outcome: outcomeSchema.optional(),
});

export const outcomeQuerySchema = z.looseObject({ request_id: requestIdSchema });

/** What a service is asked to forget of a person. */
export const forgetSchema = z.looseObject({ namespace, user_id: z.string().min(1).max(256) });

const ours = {
  'escalation-message': escalationMessageSchema,
  'interaction-message': interactionMessageSchema,
  'cancel-message': cancelMessageSchema,
  'review-message': reviewMessageSchema,
  interaction: interactionSchema,
  outcome: outcomeSchema,
  event: eventSchema,
  webhook: webhookSchema,
  problem: problemSchema,
  'dead-letter': deadLetterSchema,
  verdict: verdictSchema,
  'query-outcome': outcomeQuerySchema,
  forget: forgetSchema,
} satisfies Record<string, z.ZodType>;

/** Every published JSON Schema (2020-12) by name, as served under `/schemas/<name>.json`. */
export function publishedSchemas(): Record<string, Record<string, unknown>> {
  const schemas: Record<string, Record<string, unknown>> = { ...hitlJsonSchemas(), ...legacyJsonSchemas() };
  for (const [name, schema] of Object.entries(ours)) schemas[name] = { ...jsonSchema(schema), $id: `urn:umpire:schema:${name}`, title: name };
  return schemas;
}
