import { assigneesSchema, uiSchemaSchema } from '@umpire/contract';
import { CLAIM_SECONDS } from '@umpire/domain';
import { z } from 'zod';

const YEAR_SECONDS = 366 * 24 * 3600;

const detail = z.string().max(4_000).optional();
const person = z.string().trim().min(1).max(256);
const seconds = z.number().positive().max(YEAR_SECONDS);
/** RFC 3339 with any offset. */
const moment = z.iso.datetime({ offset: true });

/** Bodies that may be left out altogether: everything in them is optional. */
const optional = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape).prefault({} as never);

export const claimBody = optional({ seconds: seconds.max(CLAIM_SECONDS.max).optional() });
export const releaseBody = optional({});
export const reassignBody = z.strictObject({
  /** Whose seat is given away; without it a member's own, or, by an administrator, everyone's. */
  from: person.optional(),
  to: assigneesSchema,
  detail,
});
export const delegateBody = z
  .strictObject({ to: person.nullable(), until: moment.optional(), seconds: seconds.optional(), detail })
  .refine((body) => body.until === undefined || body.seconds === undefined, { path: ['seconds'], message: 'give until or seconds, not both' });
export const raiseBody = optional({ to: assigneesSchema.optional(), detail });
export const snoozeBody = z
  .strictObject({ until: moment.optional(), seconds: seconds.optional() })
  .refine((body) => (body.until === undefined) !== (body.seconds === undefined), { path: ['until'], message: 'give until or seconds' });
export const commentBody = z.strictObject({ text: z.string().max(16_384) });
export const cancelBody = optional({ detail });
export const reviseBody = z.strictObject({
  current_result: z.unknown().optional(),
  review_data: z.looseObject({}).optional(),
  ui_schema: uiSchemaSchema.optional(),
  prompt: z.string().max(16_384).optional(),
  detail,
});
export const consumeBody = z.strictObject({
  consumer_id: z.string().trim().min(1).max(256),
  action_digest: z.string().min(1).max(256),
});

export type ClaimBody = z.infer<typeof claimBody>;
export type ReassignBody = z.infer<typeof reassignBody>;
export type DelegateBody = z.infer<typeof delegateBody>;
export type RaiseBody = z.infer<typeof raiseBody>;
export type SnoozeBody = z.infer<typeof snoozeBody>;
export type CommentBody = z.infer<typeof commentBody>;
export type CancelBody = z.infer<typeof cancelBody>;
export type ReviseBody = z.infer<typeof reviseBody>;
export type ConsumeBody = z.infer<typeof consumeBody>;
