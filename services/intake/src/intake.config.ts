import { baseConfig, loadConfig, type Env } from '@umpire/runtime';
import { z } from 'zod';

export const readIntakeConfig = (env: Env) =>
  loadConfig('intake', {
    ...baseConfig,
    /** Posted messages of one namespace that this replica takes at once; one more is told 429. */
    maxInFlight: z.coerce.number().int().min(1).max(100_000).default(256),
    /** How long a post waits for the store's verdict before it says `queued`, ms. */
    verdictWaitMs: z.coerce.number().int().min(1).max(30_000).default(2_000),
    /** How long a batch waits for the store's verdicts before it is sent again, ms. */
    submitTimeoutMs: z.coerce.number().int().min(100).max(60_000).default(10_000),
    /** How often this replica looks whether a policy has changed, ms. */
    policyRefreshMs: z.coerce.number().int().min(50).max(2_000).default(1_000),
    /** How often acked messages are removed from the stream, ms. */
    purgeIntervalMs: z.coerce.number().int().min(100).max(600_000).default(3_000),
  }, env);

export type IntakeConfig = ReturnType<typeof readIntakeConfig>;
