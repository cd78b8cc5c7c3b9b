import { baseConfig, loadConfig, type Env } from '@umpire/runtime';
import { z } from 'zod';

export const readStateStoreConfig = (env: Env) =>
  loadConfig('state-store', {
    ...baseConfig,
    /** Without it reads go to Postgres; nothing else changes. */
    redisUrl: z.string().optional(),
    /** Seconds that a cached rendering lives. */
    cacheSeconds: z.coerce.number().int().min(1).max(86_400).default(600),
    /** Prefix of every cache key, for a Redis that is shared. */
    redisPrefix: z.string().max(64).default('umpire:'),
  }, env);

export type StateStoreConfig = ReturnType<typeof readStateStoreConfig>;
