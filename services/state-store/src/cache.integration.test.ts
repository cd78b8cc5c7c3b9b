import { createLogger } from '@umpire/runtime';
import { eventually, testRedis, type TestRedis } from '@umpire/testing';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { RenderingCache } from './cache.ts';
import type { HotRow } from './read.queries.ts';

let server: TestRedis;
let redis: Redis;
beforeAll(async () => {
  server = await testRedis();
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

afterEach(() => vi.useRealTimers());

const row = (request_id: string, seq: number): HotRow => ({ namespace: 'default', request_id, status: 'pending', seq, reason: 'hard_disagreement' });

/** A cache on Redis that holds version 1 of these. */
async function cacheOf(prefix: string, ids: string[]): Promise<RenderingCache> {
  const cache = new RenderingCache({ url: server.url, prefix, seconds: 600, logger: createLogger('test', 'silent'), now: () => 0 });
  const rows = ids.map((id) => row(id, 1));
  await eventually('the cache on Redis', async () => {
    await cache.put(rows.map((one) => ({ row: one, text: `${one.request_id} 1` })));
    return (await cache.get(rows)).every((entry) => entry !== null);
  });
  return cache;
}

const kept = (prefix: string) => redis.keys(`${prefix}*`).then((keys) => keys.length);

describe('old renderings', () => {
  it('are gone when the cache is closed, but those that were made again', async () => {
    const cache = await cacheOf('closed:', ['a', 'b', 'c']);
    cache.dropSoon([row('a', 2), row('b', 2)]);
    expect(await kept('closed:')).toBe(3);
    await cache.put([{ row: row('b', 2), text: 'b 2' }]);
    expect((await cache.get([row('b', 2)]))[0]?.toString()).toBe('b 2');
    await cache.close();
    expect(await kept('closed:')).toBe(2);
    const again = await cacheOf('closed:', ['d']);
    expect((await again.get([row('a', 1), row('b', 2), row('c', 1)])).map((entry) => entry?.toString() ?? null)).toEqual([null, 'b 2', 'c 1']);
    await again.close();
  });

  it('go together after a second, without a word where nothing is left to go', async () => {
    const cache = await cacheOf('soon:', ['a', 'b']);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    cache.dropSoon([row('a', 2)]);
    await cache.put([{ row: row('a', 2), text: 'a 2' }]);
    vi.advanceTimersByTime(1_000);
    cache.dropSoon([row('b', 2)]);
    vi.advanceTimersByTime(999);
    // After all that was sent before it: a drop that Redis had refused would have put the cache to rest.
    expect((await cache.get([row('a', 2), row('b', 1)])).map(String)).toEqual(['a 2', 'b 1']);
    vi.advanceTimersByTime(1);
    expect((await cache.get([row('a', 2), row('b', 1)])).map(String)).toEqual(['a 2', 'null']);
    await cache.close();
  });

  it('go at once where they were erased', async () => {
    const cache = await cacheOf('erased:', ['a', 'b']);
    await cache.drop([row('a', 2)]);
    expect(await kept('erased:')).toBe(1);
    await cache.close();
  });
});
