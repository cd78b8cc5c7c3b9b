import { VirtualClock } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../test/http.ts';
import { bytes, hitlRequest } from '../test/samples.ts';
import { post, Stack, type Reply, type Running } from '../test/stack.ts';
import type { Change, ReplayPage } from './policy-replay.service.ts';

// History made on real services whose database clock is the test's, and a draft tried on it: every time and count is known beforehand.

let stack: Stack;
let clock: VirtualClock;
let store: Running;
let intake: Running;
let keys: Record<'admin' | 'producer' | 'alice' | 'bob' | 'stranger', string>;
let start: number;

const at = (seconds: number) => clock.set(start + seconds * 1_000);
const moment = (seconds: number) => new Date(start + seconds * 1_000).toISOString();
const ask = (method: string, path: string, body?: unknown, key = keys.admin): Promise<Reply> => call(intake.origin, key, method, path, body);

async function open(request_id: string, task_id: string, interaction?: object): Promise<void> {
  const message = { type: 'hitl_escalation', payload: hitlRequest({ request_id, task_id }), ...(interaction ? { interaction } : {}) };
  expect(await post(intake.origin, keys.producer, bytes(message))).toMatchObject({ status: 202, body: { status: 'stored' } });
}

const respond = (id: string, decision: string, key: string) => call(store.origin, key, 'POST', '/hitl/respond', { interaction_id: id, user_input: { decision } });

const IN_FORCE = { id: 'loans', match: { task_id: 'loan/*' }, interaction: { assignees: { roles: ['reviewer'] }, timeout_seconds: 3_600 } };
const DRAFT = {
  id: 'loans', match: { task_id: 'loan/*' },
  interaction: { assignees: { users: ['alice'] }, timeout_seconds: 1_800, default_action: 'reject', levels: [{ after_seconds: 900, assignees: { groups: ['seniors'] } }] },
};

beforeAll(async () => {
  stack = await Stack.start();
  clock = await VirtualClock.make(stack.database);
  store = await stack.startStore({ UMPIRE_POSTGRES_URL: clock.url });
  intake = await stack.startIntake({ UMPIRE_POSTGRES_URL: clock.url, UMPIRE_VERDICT_WAIT_MS: '20000' });
  keys = {
    admin: await stack.key(['admin']), producer: await stack.key(['producer']), alice: await stack.key(['reviewer'], 'default', 'alice'), bob: await stack.key(['reviewer'], 'default', 'bob'),
    stranger: await stack.key(['admin'], 'team-a'),
  };
  await stack.database.sql`insert into identity.groups (namespace, name) values ('default', 'seniors')`;
  await stack.database.sql`insert into identity.group_members (namespace, group_name, user_id) values ('default', 'seniors', 'carol')`;
  expect((await ask('POST', '/policies', IN_FORCE)).status).toBe(201);
  start = await clock.now();
  await open('r-1', 'loan/1');
  await open('r-2', 'loan/2');
  await open('r-3', 'loan/3', { timeout_seconds: 7_200, priority: 'high' });
  await open('r-4', 'other/4');
  await open('r-5', 'loan/5');
  await open('r-7', 'loan/7');
  await at(60);
  expect((await call(store.origin, keys.producer, 'POST', '/hitl/escalations/r-5/cancel', {})).status).toBe(200);
  await at(600);
  expect((await respond('r-1', 'approve', keys.alice)).status).toBe(200);
  expect((await respond('r-4', 'reject', keys.alice)).status).toBe(200);
  await at(3_000);
  expect((await respond('r-2', 'approve', keys.alice)).status).toBe(200);
  expect((await respond('r-7', 'approve', keys.alice)).status).toBe(200);
  await at(7_300);
  expect((await respond('r-3', 'approve', keys.bob)).status).toBe(409);
  await open('r-6', 'loan/6');
  await stack.database.sql`update store.payloads set body = null where request_id = 'r-7'`;
  await at(7_400);
});
afterAll(() => stack.stop());

async function replay(draft: object, query = ''): Promise<ReplayPage> {
  const { status, body } = await ask('POST', `/policies/replay?since=${moment(-60)}${query}`, draft);
  expect({ status, body }).toMatchObject({ status: 200 });
  return body as unknown as ReplayPage;
}

/** All pages as one. */
async function replayAll(draft: object, limit: number): Promise<ReplayPage> {
  const whole = await replay(draft, `&limit=${limit}`);
  for (let next = whole.next; next !== null; ) {
    const page = await replay(draft, `&limit=${limit}&after=${encodeURIComponent(next)}`);
    for (const key of ['read', 'taken_by_draft', 'changed', 'short_of_answers'] as const) whole[key] += page[key];
    for (const name of Object.keys(whole.before) as (keyof ReplayPage['before'])[]) {
      whole.before[name] += page.before[name];
      whole.after[name] += page.after[name];
    }
    for (const name of Object.keys(whole.skipped) as (keyof ReplayPage['skipped'])[]) whole.skipped[name] += page.skipped[name];
    whole.changes.push(...page.changes);
    next = page.next;
  }
  return { ...whole, next: null };
}

const told = ({ request_id, differs, after, refused_answers }: Change) => [request_id, differs.join(' '), after!.state, after!.source, after!.verdict, after!.level, after!.ended_at, [...after!.asked.users, ...after!.asked.roles].join(','), refused_answers.join()];

describe('a draft tried on what is recorded', () => {
  it('says what would have changed: who would have been asked, what would have timed out, been raised, been defaulted', async () => {
    const found = await replay(DRAFT);
    expect(found).toMatchObject({ read: 7, skipped: { erased: 1, untraceable: 0, refused: 0 }, taken_by_draft: 5, changed: 5, short_of_answers: 1, next: null });
    expect(found.before).toEqual({ by_people: 3, timed_out: 1, defaulted: 0, expired: 1, raised: 0, cancelled: 1, pending: 1 });
    expect(found.after).toEqual({ by_people: 2, timed_out: 2, defaulted: 2, expired: 0, raised: 2, cancelled: 1, pending: 1 });
    expect(found.changes.map(told)).toEqual([
      ['r-1', 'policy asked', 'completed', 'human', 'approve', 0, moment(600), 'alice', ''],
      // She answered after 3,000 s; the draft had raised it at 900 and decided it at 1,800.
      ['r-2', 'policy asked level outcome time', 'completed', 'timeout', 'reject', 1, moment(1_800), 'alice,carol', 'already_settled'],
      // Its own two hours stand, since the draft does not insist on its time; the late answer had ended it 100 s after.
      ['r-3', 'policy asked level outcome time', 'completed', 'timeout', 'reject', 1, moment(7_200), 'alice,carol', ''],
      ['r-5', 'policy asked', 'cancelled', 'cancel', null, 0, moment(60), 'alice', ''],
      ['r-6', 'policy asked', 'pending', null, null, 0, null, 'alice', ''],
    ]);
    expect(found.changes[2]!.before).toMatchObject({ policy: { id: 'loans', version: 1 }, state: 'expired', source: 'timeout', ended_at: moment(7_300), asked: { users: [], roles: ['reviewer'] } });
  });

  it('says the same page by page', async () => {
    expect(await replayAll(DRAFT, 2)).toEqual({ ...(await replay(DRAFT)), at: expect.any(String) });
  });

  it('insists on what it enforces', async () => {
    const [, , third] = (await replay({ ...DRAFT, enforce: ['timeout_seconds'] })).changes;
    expect(third).toMatchObject({ request_id: 'r-3', after: { ended_at: moment(1_800), verdict: 'reject' } });
  });

  it('changes nothing where it is what is in force, but for its name', async () => {
    const found = await replay(IN_FORCE);
    expect(found).toMatchObject({ taken_by_draft: 5, changed: 5 });
    expect(found.changes.map(({ differs }) => differs)).toEqual(Array.from({ length: 5 }, () => ['policy']));
    expect(found.after).toEqual(found.before);
  });

  it('keeps to its window, and stores nothing', async () => {
    expect(await replay(DRAFT, `&until=${moment(0)}`)).toMatchObject({ read: 0, at: null });
    expect((await ask('POST', `/policies/replay?since=${moment(7_000)}`, DRAFT)).body).toMatchObject({ read: 1, changed: 1 });
    expect((await ask('GET', '/policies/loans/versions')).body).toMatchObject({ items: [{ version: 1, active: true }] });
    const [row] = await stack.database.sql<{ count: number }[]>`select count(*)::int as count from store.escalations`;
    expect(row!.count).toBe(7);
  });

  it('is checked, for administrators, and of their own namespace', async () => {
    const path = `/policies/replay?since=${moment(-60)}`;
    expect(await ask('POST', path, { ...DRAFT, interaction: { timeout_seconds: -1 } })).toMatchObject({ status: 422, body: { errors: [{ path: 'interaction.timeout_seconds' }] } });
    expect((await ask('POST', '/policies/replay', DRAFT)).status).toBe(422);
    expect((await ask('POST', path, DRAFT, keys.producer)).status).toBe(403);
    expect((await ask('POST', path, DRAFT, keys.stranger)).body).toMatchObject({ read: 0 });
  });

  it('brings no more at once than fits a message, and leaves nothing out', async () => {
    const since = new Date((await clock.now()) + 60_000).toISOString();
    await clock.set(Date.parse(since));
    for (let n = 1; n <= 5; n++) {
      const payload = hitlRequest({ request_id: `big-${n}`, task_id: 'other/big', summary: 'x'.repeat(200_000) });
      expect(await post(intake.origin, keys.producer, bytes({ type: 'hitl_escalation', payload }))).toMatchObject({ status: 202 });
    }
    const read: number[] = [];
    for (let after = ''; ; ) {
      const { body } = (await ask('POST', `/policies/replay?since=${since}${after}`, DRAFT)) as unknown as { body: ReplayPage };
      read.push(body.read);
      if (body.next === null) break;
      after = `&after=${encodeURIComponent(body.next)}`;
    }
    expect(read).toEqual([2, 2, 1]);
  });
});
