import { idToken } from '@umpire/contract';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client, type Answer, type Client } from './test/http.ts';
import { startHarness, submission, type Harness } from './test/store-harness.ts';

let harness: Harness;
let http: Client;
let store: { origin: string; stop(): Promise<void> };

beforeAll(async () => {
  harness = await startHarness();
  store = await harness.startStore();
  http = client(store.origin);
});
afterAll(() => harness.stop());

describe('another namespace', () => {
  const COMMANDS: [string, object][] = [
    ['claim', {}], ['release', {}], ['reassign', { to: { users: ['mallory'] } }], ['reassign', { to: { groups: ['desk'] } }], ['delegate', { to: 'mallory' }], ['raise', { to: { users: ['mallory'] } }],
    ['snooze', { seconds: 60 }], ['comment', { text: 'hello' }], ['cancel', {}], ['revise', { prompt: 'mine now' }], ['consume', { consumer_id: 'agent', action_digest: 'd' }],
  ];

  it('is not found on any route, list, search, bulk call or cache entry', async () => {
    // Everything that mallory names exists, in team-a: the same person, task, words, group, policy and all.
    const theirs = submission('secret', { namespace: 'team-a', task_id: 'task/secret', summary: 'confidential merger', interaction: { action_digest: 'd', assignees: { users: ['mallory'], roles: ['reviewer'] } } });
    if (theirs.item.type !== 'cancel') theirs.item.policy = { id: 'their-policy', version: 1 };
    await harness.submit([theirs]);
    await harness.group('desk', ['mallory'], 'team-a');
    const owner = await harness.key(['reviewer', 'admin', 'producer'], 'olga', 'team-a');
    const mallory = await harness.key(['reviewer', 'admin', 'producer'], 'mallory');
    const before = (await http.get('/hitl/escalations/secret', owner)).text;
    expect(before).toContain('confidential merger');

    for (const path of ['', '/explain', '/timeline']) expect((await http.get(`/hitl/escalations/secret${path}`, mallory)).status).toBe(404);
    expect((await http.get(`/hitl/escalations/~${idToken('secret')}/explain`, mallory)).status).toBe(404);
    expect((await http.get('/hitl/status/secret', mallory)).status).toBe(404);
    for (const [command, body] of COMMANDS) {
      const reply = await http.post(`/hitl/escalations/secret/${command}`, body, mallory);
      expect([command, reply.status, reply.body.code]).toEqual([command, 404, 'not_found']);
      expect((await http.post(`/hitl/escalations/secret/${command}`, body, mallory, { 'if-match': '"1"' })).status).toBe(404);
    }
    expect((await http.post('/hitl/respond', { interaction_id: 'secret', user_input: { decision: 'approve' } }, mallory)).status).toBe(404);
    const bulk = await http.post('/hitl/bulk/respond', { items: [{ interaction_id: 'secret', user_input: { decision: 'approve' } }] }, mallory);
    expect(bulk.body.items).toMatchObject([{ status: 404, problem: { code: 'not_found' } }]);
    const legacy = await http.post('/hitl/respond', { task_id: 'task/secret', reviewer_id: 'mallory', decision_value: 'approve' }, mallory);
    expect(legacy).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(legacy.text).not.toContain('"secret"');
    for (const query of ['', 'text=confidential', 'text=%40team-a', 'task_id=task%2Fsecret', 'assignee=mallory', 'assignee_role=reviewer', 'policy=their-policy', 'sort=deadline', 'sort=-priority', 'pattern=review', 'priority=normal']) {
      expect([query, (await http.get(`/hitl/escalations?${query}`, mallory)).body]).toEqual([query, { items: [], next: null }]);
    }
    expect((await http.get('/hitl/pending/mallory', mallory)).body).toEqual([]);
    expect((await http.get('/hitl/escalations/secret', owner)).text).toBe(before);
  });

  it('keeps equal ids apart', async () => {
    await harness.submit([submission('twin', { summary: 'ours' }), submission('twin', { summary: 'theirs', namespace: 'team-a' })]);
    const [ours, theirs] = [await harness.key(['reviewer'], 'alice'), await harness.key(['reviewer'], 'alice', 'team-a')];
    expect((await http.get('/hitl/escalations/twin', ours)).body.summary).toBe('ours');
    expect((await http.get('/hitl/escalations/twin', theirs)).body.summary).toBe('theirs');
    await http.post('/hitl/escalations/twin/claim', {}, ours);
    expect((await http.post('/hitl/respond', { interaction_id: 'twin', user_input: { decision: 'reject' } }, theirs)).status).toBe(200);
    expect((await http.get('/hitl/escalations/twin', ours)).body).toMatchObject({ summary: 'ours', status: 'pending', claimed_by: 'alice' });
    expect((await http.get('/hitl/escalations/twin', theirs)).body).toMatchObject({ summary: 'theirs', status: 'completed', claimed_by: null });
  });
});

describe('the cache', () => {
  it('never changes what respond, status and explain answer: planted, flushed, gone, or after a restart', async () => {
    const key = await harness.key(['reviewer'], 'alice');
    const limits = await harness.database.sql<{ id: string }[]>`select id from identity.keys`;
    await harness.submit([submission('open-1'), submission('done-1')]);
    await http.post('/hitl/respond', { interaction_id: 'done-1', user_input: { decision: 'approve' } }, key);
    const redis = new Redis(harness.redis.url);
    const answers = async (): Promise<unknown[]> => {
      const pick = ({ status, body, headers }: Answer) => ({ status, etag: headers.get('etag'), body: { ...body, as_of: undefined } });
      const replies: Answer[] = [];
      for (const id of ['open-1', 'done-1']) {
        replies.push(await http.get(`/hitl/status/${id}`, key), await http.get(`/hitl/escalations/${id}/explain`, key));
        replies.push(await http.post('/hitl/respond', { interaction_id: id, user_input: { decision: 'maybe' } }, key));
      }
      replies.push(await http.post('/hitl/respond', { interaction_id: 'done-1', user_input: { decision: 'approve' } }, key));
      return replies.map(pick);
    };
    const truth = await answers();
    expect(truth.map((reply) => (reply as { status: number }).status)).toEqual([200, 200, 422, 200, 200, 409, 200]);

    // Entries of every version, with what an attacker would like to be read: the open one as settled, the settled one as open.
    for (const [id, versions] of [['open-1', [1, 2, 3]], ['done-1', [1, 2, 3, 4]]] as const) {
      for (const version of versions) {
        await redis.set(`umpire:default:item:${idToken(id)}`, `${version}\n{"interaction_id":"${id}","status":"${id === 'open-1' ? 'completed' : 'pending'}","seq":${version},"outcome":{"verdict":"reject"}}`);
        expect(await answers()).toEqual(truth);
      }
    }
    // Buckets that are no buckets.
    for (const { id } of limits) await redis.set(`umpire:default:rate:read:${id}`, 'nonsense');
    expect(await answers()).toEqual(truth);
    await redis.flushall();
    expect(await answers()).toEqual(truth);
    redis.disconnect();
    await harness.redis.kill();
    expect(await answers()).toEqual(truth);
    await harness.redis.start();
    await store.stop();
    store = await harness.startStore();
    http = client(store.origin);
    expect(await answers()).toEqual(truth);
  });
});
