import { parseSecretKeys } from '@umpire/runtime';
import { z } from 'zod';

const keys = z.string().transform((text, context) => {
  const parsed = parseSecretKeys(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});

/** How the record is sealed. Without a secret key nothing is signed: no checkpoints, receipts or exports. */
export const recordConfig = {
  /** Base64 of 32 bytes under which signing keys lie in the database; older ones, after commas, only open. */
  auditSecretKey: keys.optional(),
  /** Whose administrators make the next signing key, which is one for the whole installation; the first namespace that is declared, unless it is said. */
  auditKeyNamespace: z.string().min(1).optional(),
  /** A checkpoint is made at least this often while anything happens, and at once when so many chains have grown. */
  auditCheckpointSeconds: z.coerce.number().min(1).max(86_400).default(60),
  auditCheckpointChains: z.coerce.number().int().min(1).max(20_000).default(5_000),
} as const;
