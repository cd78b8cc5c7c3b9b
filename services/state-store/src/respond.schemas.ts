import { isHumanReviewDecision } from '@umpire/contract';
import { z } from 'zod';

export const answerSchema = z.object({
  interaction_id: z.string().min(1).max(512),
  user_input: z.record(z.string(), z.unknown()),
  user_id: z.string().max(256).nullish(),
  /** The revision that the person was shown; a newer one refuses the answer. */
  revision: z.int().min(1).optional(),
});

export type RespondRequest = z.infer<typeof answerSchema>;

/** What `respond` takes: an answer, or the form that it replaced, which names a task. */
export type RespondBody = { answer: RespondRequest } | { deprecated: unknown };

export const respondBody = z.unknown().transform((value, context): RespondBody => {
  if (isHumanReviewDecision(value)) return { deprecated: value };
  const parsed = answerSchema.safeParse(value);
  if (parsed.success) return { answer: parsed.data };
  context.issues.push(...parsed.error.issues.map((issue) => ({ ...issue, input: value }) as (typeof context.issues)[number]));
  return z.NEVER;
});

export const BULK_ITEMS = 100;
export const bulkBody = z.strictObject({ items: z.array(answerSchema).min(1).max(BULK_ITEMS) });
export type BulkBody = z.infer<typeof bulkBody>;
