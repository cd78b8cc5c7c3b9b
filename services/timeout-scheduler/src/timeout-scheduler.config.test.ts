import { describe, expect, it } from 'vitest';
import { readTimeoutSchedulerConfig } from './timeout-scheduler.config.ts';

const env = { UMPIRE_POSTGRES_URL: 'postgres://x' };

describe('configuration', () => {
  it('has a lease that outlives the wait for an answer', () => {
    expect(readTimeoutSchedulerConfig(env).leaseMs).toBeGreaterThan(5_000);
    expect(() => readTimeoutSchedulerConfig({ ...env, UMPIRE_TIMEOUT_SCHEDULER_LEASE_MS: '5000', UMPIRE_APPLY_BATCH: '201' })).toThrow(/LEASE_MS(.|\n)*APPLY_BATCH/);
  });
});
