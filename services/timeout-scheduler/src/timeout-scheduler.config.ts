import { baseConfig, loadConfig, type Env } from '@umpire/runtime';
import { z } from 'zod';
import { ASK_MS } from './firing.service.ts';

export const readTimeoutSchedulerConfig = (env: Env) =>
  loadConfig('timeout-scheduler', {
    ...baseConfig,
    /** How long a replica has for timers that it has claimed. After it another one takes them. */
    leaseMs: z.coerce.number().int().min(ASK_MS + 1_000).max(600_000).default(ASK_MS + 3_000),
    /** Most timers in one request to the state store, and most requests under way. */
    applyBatch: z.coerce.number().int().min(1).max(200).default(200),
    applyInFlight: z.coerce.number().int().min(2).max(32).default(4),
    /** After an outage: how many overdue timers a second each replica fires, beside those that become due. */
    catchUpPerSecond: z.coerce.number().min(1).max(100_000).default(1_000),
    overdueMs: z.coerce.number().int().min(100).max(60_000).default(2_000),
    lookEveryMs: z.coerce.number().int().min(50).max(60_000).default(1_000),
    /** Pause between two sweeps over the store's changes: how long events that a paused replica swallowed can stay unseen. */
    reconcileMs: z.coerce.number().int().min(100).max(3_600_000).default(5_000),
  }, env);

export type TimeoutSchedulerConfig = ReturnType<typeof readTimeoutSchedulerConfig>;
