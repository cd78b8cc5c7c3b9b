import type { Principal } from '@umpire/contract';
import { createLogger } from '@umpire/runtime';
import { describe, expect, it } from 'vitest';
import { RateLimiter, type Allowance } from './rate-limit.ts';

const holder = (key_id: string, namespace = 'default'): Principal => ({ namespace, key_id, roles: ['reviewer'], user_id: 'alice', auth: 'api_key' });

function limiter(read: Allowance, write: Allowance = { rate: 0, burst: 1 }) {
  let now = 0;
  const logger = createLogger('test', 'silent');
  const limits = new RateLimiter({ url: undefined, prefix: '', allowances: { read, write }, logger, now: () => now });
  return { limits, later: (ms: number) => void (now += ms) };
}

describe('without Redis', () => {
  it('lets a burst through, then the rate, and says when to come again', async () => {
    const { limits, later } = limiter({ rate: 2, burst: 3 });
    const take = (cost = 1) => limits.take(holder('k'), 'read', cost);
    expect([await take(), await take(), await take(), await take()]).toEqual([0, 0, 0, 500]);
    later(400);
    expect(await take()).toBe(100);
    later(100);
    expect(await take()).toBe(0);
    later(60_000);
    expect(await take(3)).toBe(0);
    expect(await take(2)).toBe(1_000);
  });

  it('takes nothing for what it refuses, and never asks for more than a burst', async () => {
    const { limits, later } = limiter({ rate: 1, burst: 2 });
    const take = (cost: number) => limits.take(holder('k'), 'read', cost);
    expect(await take(1)).toBe(0);
    expect(await take(100)).toBe(1_000);
    expect(await take(1)).toBe(0);
    later(2_000);
    expect(await take(100)).toBe(0);
  });

  it('counts keys, namespaces and kinds apart, and nothing at a rate of 0', async () => {
    const { limits } = limiter({ rate: 1, burst: 1 });
    expect(await limits.take(holder('a'), 'read', 1)).toBe(0);
    expect(await limits.take(holder('a'), 'read', 1)).toBe(1_000);
    expect(await limits.take(holder('b'), 'read', 1)).toBe(0);
    expect(await limits.take(holder('a', 'team-a'), 'read', 1)).toBe(0);
    for (let i = 0; i < 10; i++) expect(await limits.take(holder('a'), 'write', 1)).toBe(0);
  });

  it('forgets the keys that have not asked for longest', async () => {
    const { limits } = limiter({ rate: 0.001, burst: 1 });
    for (let i = 0; i < 10_001; i++) await limits.take(holder(`k${i}`), 'read', 1);
    expect(await limits.take(holder('k0'), 'read', 1)).toBe(0);
    expect(await limits.take(holder('k9999'), 'read', 1)).toBeGreaterThan(0);
  });
});
