import { interactionSchema, LIMITS, REASONS, type FieldError, type Interaction, type Reason } from '@umpire/contract';
import { resolveRules } from '@umpire/domain';
import { z } from 'zod';
import { schemaErrors } from './message/errors.ts';
import { callbackErrors } from './message/interaction.ts';
import { compileExpression, type Expression } from './policy-expression.ts';

export const POLICY_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
export const KINDS = ['escalation', 'interaction'] as const;

const INTERACTION_FIELDS = Object.keys(interactionSchema.shape) as (keyof Interaction)[];
/** They say something of one request, which no policy can know. */
const OF_ONE_REQUEST = ['revises', 'action_digest'] as const;

const scalar = z.union([z.string().max(1_024), z.number(), z.boolean(), z.null()]);
const pattern = z.string().min(1).max(256);

const matchSchema = z.strictObject({
  kind: z.enum(KINDS).optional(),
  reasons: z.array(z.enum(REASONS)).min(1).max(REASONS.length).optional(),
  /** `*` is any run of characters, `?` one. */
  task_id: z.union([pattern, z.array(pattern).min(1).max(50)]).optional(),
  /** By member: the value, or a list of values of which one is meant. */
  metadata: z.record(z.string().min(1).max(256), z.union([scalar, z.array(scalar).min(1).max(50)])).optional(),
  /** A CEL condition over `request`, `reason`, `kind`, `metadata` and `data`. */
  when: z.string().optional(),
});

/** A policy as people write it. */
export const policySchema = z.strictObject({
  id: z.string().regex(POLICY_ID, 'must be 1 to 64 of a-z, 0-9, ".", "_", "-", and begin with a letter or digit'),
  description: z.string().max(2_000).optional(),
  /** The highest is asked first; among equals the id decides. */
  priority: z.int().min(-1_000_000).max(1_000_000).default(0),
  match: matchSchema.default({}),
  interaction: interactionSchema.omit({ revises: true, action_digest: true }).default({}),
  /** Fields in which the policy wins over the request. */
  enforce: z.array(z.enum(INTERACTION_FIELDS)).max(INTERACTION_FIELDS.length).default([]),
  /** What becomes of the earlier escalations of a task that is evaluated again. */
  same_task: z.enum(['keep', 'supersede']).optional(),
});

export type PolicyDocument = z.infer<typeof policySchema>;
export type SameTask = NonNullable<PolicyDocument['same_task']>;

/** A policy that can be asked. */
export type CheckedPolicy = { document: PolicyDocument; expression: Expression | null };

/**
 * Checks a document: its form, its expression, and that the rules which it gives stand by themselves, since most messages bring none.
 * @returns every field at fault, with paths from the document's root
 */
export function checkPolicy(value: unknown, namespace: string): { ok: true; policy: CheckedPolicy } | { ok: false; errors: FieldError[] } {
  const parsed = policySchema.safeParse(value);
  if (!parsed.success) return { ok: false, errors: schemaErrors(parsed.error.issues, []).map(explainOfOneRequest) };
  const document = parsed.data;
  const compiled = document.match.when === undefined ? null : compileExpression(document.match.when);
  const errors: FieldError[] = compiled?.ok === false ? [{ path: 'match.when', code: 'invalid_expression', message: compiled.message }] : [];
  errors.push(...ruleErrors(document, namespace), ...callbackErrors(document.interaction), ...sizeErrors(document));
  if (errors.length > 0) return { ok: false, errors };
  return { ok: true, policy: { document, expression: compiled?.ok ? compiled.expression : null } };
}

function explainOfOneRequest(error: FieldError): FieldError {
  const field = OF_ONE_REQUEST.find((name) => error.path === `interaction.${name}`);
  return field ? { ...error, code: 'not_allowed', message: 'says something of one request, which no policy can know' } : error;
}

/** Each fault once, whichever of the messages that it takes would meet it. */
function ruleErrors({ match, interaction, enforce }: PolicyDocument, namespace: string): FieldError[] {
  const faults = new Map<string, FieldError>();
  for (const kind of match.kind ? [match.kind] : KINDS) {
    for (const reason of match.reasons ?? (REASONS as readonly Reason[])) {
      const resolved = resolveRules(undefined, { kind, reason, namespace, policy: { interaction, enforce } });
      for (const error of resolved.ok ? [] : resolved.errors) faults.set(JSON.stringify(error), error);
    }
  }
  return [...faults.values()];
}

/** What it gives travels with every escalation that it shapes. */
function sizeErrors({ interaction }: PolicyDocument): FieldError[] {
  const longest = LIMITS.answer;
  return Buffer.byteLength(JSON.stringify(interaction)) <= longest ? [] : [{ path: 'interaction', code: 'too_large', message: `is longer than ${longest} bytes` }];
}
