import { generateApiKey } from '@umpire/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHarness, type Harness } from '../test/harness.ts';
import { Arming } from './arming.service.ts';

type Page = {
  pending: number; counts: Record<string, number>; next_due_at: string | null; overdue: number; oldest_overdue_at: string | null;
  items: { request_id: string; kind: string; ordinal: number; generation: number; due_at: string; asks_at: string; asking: boolean; attempts: number }[];
  next: string | null;
};

let harness: Harness;
let origin: string;
const keys = { admin: generateApiKey(), other: generateApiKey(), reviewer: generateApiKey(), producer: generateApiKey() };
let start: number;

beforeAll(async () => {
  harness = await startHarness();
  const { store } = harness;
  store.allow(keys.admin, { namespace: 'team-a', key_id: '1', roles: ['admin'], user_id: null, auth: 'api_key' });
  store.allow(keys.other, { namespace: 'team-b', key_id: '2', roles: ['admin'], user_id: null, auth: 'api_key' });
  store.allow(keys.reviewer, { namespace: 'team-a', key_id: '3', roles: ['reviewer'], user_id: 'alice', auth: 'api_key' });
  store.allow(keys.producer, { namespace: 'team-a', key_id: '4', roles: ['producer'], user_id: null, auth: 'api_key' });
  // Nobody answers for the timers, so that some stay overdue.
  await store.goAway();
  start = Math.floor((await harness.now()) / 1000) * 1000;
  const at = (ms: number) => new Date(start + ms).toISOString();
  const sets = Array.from({ length: 25 }, (_, i) => ({
    namespace: 'team-a', request_id: `hitl-Übung ${i}/7`, seq: 1,
    clocks: [
      { kind: 'deadline' as const, ordinal: 0, generation: 1, due_at: at(i < 3 ? -60_000 + i * 1_000 : 3_600_000 + i) },
      { kind: 'level' as const, ordinal: 1, generation: 1, due_at: at(7_200_000) },
    ],
  }));
  await new Arming(harness.database.sql, () => undefined).take([...sets, { namespace: 'team-b', request_id: 'theirs', seq: 1, clocks: [{ kind: 'snooze', ordinal: 0, generation: 1, due_at: at(1_000_000) }] }]);
  ({ origin } = await harness.start());
});
afterAll(() => harness.stop());

const get = async (path: string, key?: string) => {
  const response = await fetch(`${origin}${path}`, { headers: key ? { authorization: `Bearer ${key}` } : {} });
  return { status: response.status, body: (await response.json()) as Page & { code?: string } };
};

describe('GET /timers', () => {
  it('is for admins', async () => {
    expect((await get('/timers')).body.code).toBe('unauthenticated');
    expect((await get('/timers', generateApiKey())).body.code).toBe('unauthenticated');
    expect((await get('/timers', keys.reviewer)).body.code).toBe('forbidden');
    expect((await get('/timers', keys.producer)).body.code).toBe('forbidden');
    expect((await get('/timers', keys.admin)).status).toBe(200);
  });

  it('counts by kind, and tells what is due next and overdue', async () => {
    const { body } = await get('/timers', keys.admin);
    expect(body).toMatchObject({ pending: 50, counts: { deadline: 25, reminder: 0, level: 25, claim: 0, snooze: 0, delegation: 0 }, overdue: 3 });
    expect(Date.parse(body.next_due_at!)).toBe(start + 3_600_003);
    expect(Date.parse(body.oldest_overdue_at!)).toBe(start - 60_000);
    expect(body.items[0]).toMatchObject({ request_id: 'hitl-Übung 0/7', kind: 'deadline', ordinal: 0, generation: 1, due_at: new Date(start - 60_000).toISOString() });
  });

  it('shows a caller its own namespace only', async () => {
    const { body } = await get('/timers', keys.other);
    expect(body).toMatchObject({ pending: 1, overdue: 0, oldest_overdue_at: null, next: null });
    expect(body.items.map((item) => item.request_id)).toEqual(['theirs']);
  });

  it('pages through all of them, soonest first, each once, also among those due at one moment', async () => {
    const seen: string[] = [];
    for (let path = '/timers?limit=7'; ;) {
      const { body } = await get(path, keys.admin);
      seen.push(...body.items.map((item) => `${item.due_at} ${item.request_id} ${item.kind}`));
      if (body.next === null) break;
      path = `/timers?limit=7&after=${body.next}`;
    }
    expect(seen.length).toBe(50);
    expect(new Set(seen).size).toBe(50);
    expect(seen.map((line) => line.slice(0, 24))).toEqual(seen.map((line) => line.slice(0, 24)).sort());
  });

  it('filters by kind', async () => {
    const { body } = await get('/timers?kind=level&limit=200', keys.admin);
    expect(body.items.length).toBe(25);
    expect(new Set(body.items.map((item) => item.kind))).toEqual(new Set(['level']));
  });

  it('names what is wrong with a question', async () => {
    expect((await get('/timers?kind=alarm', keys.admin)).body.code).toBe('invalid');
    expect((await get('/timers?limit=0', keys.admin)).body.code).toBe('invalid');
    expect((await get('/timers?after=bm8', keys.admin)).body.code).toBe('bad_request');
  });
});
