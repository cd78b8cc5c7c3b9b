import { requestIdSchema } from '@umpire/contract';
import { z } from 'zod';

const time = z.iso.datetime({ offset: true });

/** A page of an export: from `since` to `until` (RFC 3339), or on from where another ended. */
export const exportQuery = z.strictObject({ since: time.optional(), until: time.optional(), after: z.string().max(4_096).optional() })
  .refine(({ since, until }) => since === undefined || until === undefined || Date.parse(since) <= Date.parse(until), { path: ['until'], message: 'must not lie before since' });

export const checkpointListQuery = z.strictObject({ before: z.coerce.number().int().min(1).default(2 ** 31 - 1), limit: z.coerce.number().int().min(1).max(500).default(100) });

/** How long a new key is published before it signs: an hour unless said otherwise. */
export const rotateBody = z.strictObject({ overlap_seconds: z.number().int().min(0).max(30 * 24 * 3600).default(3_600) }).default({ overlap_seconds: 3_600 });

const reason = z.string().trim().min(1).max(2_000);
const userId = z.string().min(1).max(256);

/** What is to be erased: the content of an escalation, or a person wherever they stand. */
export const erasureBody = z.union([
  z.strictObject({ request_id: requestIdSchema, reason }),
  z.strictObject({ user_id: userId, reason }),
]);

export const erasureListQuery = z.strictObject({ after: z.uuid().optional(), limit: z.coerce.number().int().min(1).max(500).default(100) });

const days = z.int().min(1).max(36_500).nullable().default(null);
/** Days that content is kept after the end; null, or left out: for good. */
export const retentionBody = z.strictObject({ completed_days: days, expired_days: days, cancelled_days: days });

export const personQuery = z.strictObject({ after: z.string().max(1_024).optional() });
