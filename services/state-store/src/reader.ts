import { z } from 'zod';

/** Who reads, as another service says it. */
export const contentReader = z.object({
  user_id: z.string().max(256).nullable(), key_id: z.string().max(512).nullable(), auth: z.enum(['api_key', 'jwt', 'session']), address: z.string().max(100).nullable(),
  forwarded_for: z.string().max(200).nullable(), trace_id: z.string().max(32).nullable(),
});
