import type { Principal } from '@umpire/contract';
import { createLogger } from '@umpire/runtime';
import { eventually } from '@umpire/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RateLimiter } from './rate-limit.ts';
import { client, type Client } from './test/http.ts';
import { startHarness, submission, type Harness } from './test/store-harness.ts';

let harness: Harness;
let one: Client;
let two: Client;

beforeAll(async () => {
  harness = await startHarness();
  // A trickle, so that what comes in during the test is next to nothing.
  const env = { UMPIRE_RATE_READS: '0.5', UMPIRE_RATE_WRITES: '0.5', UMPIRE_RATE_BURST_SECONDS: '20' };
  one = client((await harness.startStore(env)).origin);
  two = client((await harness.startStore(env)).origin);
  const redis = new Redis(harness.redis.url);
  await eventually('both stores on Redis', async () => (await redis.client('LIST') as string).split('\n').filter((line) => line.includes('cmd=')).length >= 5);
  redis.disconnect();
});
afterAll(() => harness.stop());

const statuses = (replies: { status: number }[]) => replies.map((reply) => reply.status).toSorted((a, b) => a - b);

describe('limits of a key', () => {
  it('hold for all stores together, by key and kind, and say when to come again', async () => {
    const [alice, bob] = [await harness.key(['reviewer'], 'alice'), await harness.key(['reviewer'], 'bob')];
    const replies = await Promise.all(Array.from({ length: 16 }, (_, index) => (index % 2 ? one : two).get('/hitl/pending/alice', alice)));
    expect(statuses(replies)).toEqual([...Array.from({ length: 10 }, () => 200), ...Array.from({ length: 6 }, () => 429)]);
    const refused = replies.find((reply) => reply.status === 429)!;
    expect(refused.body).toMatchObject({ code: 'rate_limited', status: 429 });
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await one.get('/hitl/pending/bob', bob)).status).toBe(200);
    // Alice has read too much, and can still decide.
    await harness.submit([submission('limited')]);
    expect((await two.post('/hitl/respond', { interaction_id: 'limited', user_input: { decision: 'approve' } }, alice)).status).toBe(200);
  });

  it('count a bulk request by its items', async () => {
    const carol = await harness.key(['reviewer'], 'carol');
    const items = (count: number) => ({ items: Array.from({ length: count }, () => ({ interaction_id: 'nowhere', user_input: {} })) });
    expect((await one.post('/hitl/bulk/respond', items(8), carol)).status).toBe(200);
    expect((await two.post('/hitl/bulk/respond', items(8), carol)).status).toBe(429);
    expect((await two.post('/hitl/bulk/respond', items(2), carol)).status).toBe(200);
  });

  it('are never more than they are, whatever a store has taken in advance, and what it has not used comes back', async () => {
    const erin = { namespace: 'default', key_id: 'erin' } as Principal;
    const allowances = { read: { rate: 0.001, burst: 500 }, write: { rate: 0, burst: 0 } };
    let at = 0;
    const [left, right] = [0, 1].map(() => new RateLimiter({ url: harness.redis.url, prefix: 'spare:', allowances, logger: createLogger('test', 'silent'), now: () => at }));
    const redis = new Redis(harness.redis.url);
    const tokens = async () => Number(await redis.hget('spare:default:rate:read:erin', 'tokens'));
    await eventually('both on Redis', async () => (await left!.take(erin, 'read', 1), await right!.take(erin, 'read', 1), (await tokens()) > 0));
    let allowed = Math.round(500 - (await tokens()));
    for (let index = 0; index < 60; index++) if ((await left!.take(erin, 'read', 1)) === 0) allowed += 1;
    // Some of what Redis has given is not used yet, and never more than a fiftieth of the burst.
    expect(500 - allowed - (await tokens())).toBeGreaterThan(0.5);
    expect(500 - allowed - (await tokens())).toBeLessThan(11);
    at += 250;
    if ((await left!.take(erin, 'read', 1)) === 0) allowed += 1;
    at += 250;
    if ((await left!.take(erin, 'read', 1)) === 0) allowed += 1;
    at += 1_000;
    if ((await left!.take(erin, 'read', 1)) === 0) allowed += 1;
    expect(500 - allowed - (await tokens())).toBeLessThan(0.5);
    for (let index = 0; index < 600; index++) if ((await [left!, right!][index % 2]!.take(erin, 'read', 1)) === 0) allowed += 1;
    expect(allowed).toBeLessThanOrEqual(500);
    expect(allowed).toBeGreaterThan(480);
    for (const limiter of [left!, right!]) limiter.close();
    redis.disconnect();
  });

  it('go on in each process while Redis is away, and nothing else changes', async () => {
    const dave = await harness.key(['reviewer'], 'dave');
    await harness.redis.kill();
    const replies = await Promise.all(Array.from({ length: 14 }, () => one.get('/hitl/pending/dave', dave)));
    expect(statuses(replies)).toEqual([...Array.from({ length: 10 }, () => 200), ...Array.from({ length: 4 }, () => 429)]);
    expect((await two.get('/hitl/pending/dave', dave)).status).toBe(200);
    await harness.redis.start();
  });
});
