import { readFileSync } from 'node:fs';
import { parseSecretKeys } from '@umpire/runtime';
import { z } from 'zod';

const keys = z.string().transform((text, context) => {
  const parsed = parseSecretKeys(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});

const inFile = z.string().transform((path, context) => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    context.addIssue({ code: 'custom', message: `cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}` });
    return z.NEVER;
  }
}).pipe(keys);

/** How the record is sealed. Without a secret key nothing is signed: no checkpoints, receipts or exports. */
export const recordConfig = {
  /** Base64 of 32 bytes under which signing keys lie in the database; older ones, after commas, only open. Or a file that holds it. */
  auditSecretKey: keys.optional(),
  auditSecretKeyFile: inFile.optional(),
  /** A checkpoint is made at least this often while anything happens, and at once when so many chains have grown. */
  auditCheckpointSeconds: z.coerce.number().min(1).max(86_400).default(60),
  auditCheckpointChains: z.coerce.number().int().min(1).max(20_000).default(5_000),
} as const;
