import { idToken } from '@umpire/contract';
import { eventually } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client, type Client } from './test/http.ts';
import { startHarness, submission, type Harness } from './test/store-harness.ts';

let harness: Harness;
let http: Client;
const keys: Record<string, string> = {};

beforeAll(async () => {
  harness = await startHarness();
  http = client((await harness.startStore()).origin);
  for (const person of ['alice', 'bob', 'carol', 'dave']) keys[person] = await harness.key(['reviewer'], person);
  keys['senior'] = await harness.key(['reviewer', 'senior'], 'sue');
  keys['admin'] = await harness.key(['admin']);
  keys['producer'] = await harness.key(['producer']);
  await harness.group('desk', ['carol', 'dave']);
  await harness.group('desk', ['zoe'], 'team-a');
});
afterAll(() => harness.stop());

const open = async (id: string, interaction?: Parameters<typeof submission>[1]) => {
  const [verdict] = await harness.submit([submission(id, interaction)]);
  expect(verdict!.status).toBe('stored');
};
const act = (id: string, command: string, body: unknown, who: string, headers?: Record<string, string>) => http.post(`/hitl/escalations/~${idToken(id)}/${command}`, body, keys[who]!, headers);
const look = (id: string, who = 'admin') => http.get(`/hitl/escalations/~${idToken(id)}`, keys[who]!);
const answer = (id: string, decision: string, who: string) => http.post('/hitl/respond', { interaction_id: id, user_input: { decision } }, keys[who]!);
const pendingOf = async (who: string) => (await http.get(`/hitl/pending/${who}`, keys[who]!)).body.map((item: { interaction_id: string }) => item.interaction_id) as string[];
const typesOf = async (id: string) => (await http.get(`/hitl/escalations/~${idToken(id)}/timeline`, keys['admin']!)).body.items.map((event: { type: string }) => event.type) as string[];

describe('claim and release', () => {
  it('holds it for one person, tells the others whose it is, and lets it go', async () => {
    await open('claimed');
    const claimed = await act('claimed', 'claim', { seconds: 60 }, 'alice');
    expect(claimed).toMatchObject({ status: 200, body: { status: 'accepted', interaction_id: 'claimed', state: 'pending', seq: 2, claimed_by: 'alice' } });
    expect(claimed.headers.get('etag')).toBe('"2"');
    const other = await act('claimed', 'claim', undefined, 'bob');
    expect(other).toMatchObject({ status: 409, body: { code: 'claimed_by_other', claimed_by: 'alice', interaction_id: 'claimed', state: 'pending' } });
    expect((await answer('claimed', 'approve', 'bob')).body.code).toBe('claimed_by_other');
    expect((await act('claimed', 'release', {}, 'bob')).body.code).toBe('claimed_by_other');
    expect((await act('claimed', 'release', undefined, 'admin')).body).toMatchObject({ claimed_by: null, seq: 3 });
    expect((await act('claimed', 'release', {}, 'alice')).body.code).toBe('not_claimed');
    expect((await answer('claimed', 'approve', 'bob')).status).toBe(200);
    expect(await typesOf('claimed')).toEqual(['opened', 'claimed', 'released', 'responded', 'resolved']);
  });

  it('is for people who may decide it', async () => {
    await open('not-theirs', { interaction: { assignees: { users: ['alice'] } } });
    expect((await act('not-theirs', 'claim', {}, 'bob')).body.code).toBe('not_eligible');
    expect((await act('not-theirs', 'claim', {}, 'admin')).status).toBe(403);
    expect((await act('not-theirs', 'claim', {}, 'producer')).status).toBe(403);
  });
});

describe('reassign, delegate, raise', () => {
  it('moves it from inbox to inbox, with groups expanded', async () => {
    await open('moved', { interaction: { assignees: { users: ['alice'] } } });
    expect(await pendingOf('alice')).toContain('moved');
    expect((await act('moved', 'reassign', { to: { groups: ['desk'] }, detail: 'on leave' }, 'alice')).status).toBe(200);
    expect((await look('moved')).body.electorate).toEqual({ users: ['carol', 'dave'], roles: [] });
    expect(await pendingOf('alice')).not.toContain('moved');
    expect(await pendingOf('carol')).toContain('moved');
    expect((await look('moved', 'alice')).status).toBe(403);
    expect((await act('moved', 'reassign', { to: { users: ['bob'] } }, 'bob')).body.code).toBe('not_eligible');
    expect((await act('moved', 'reassign', { from: 'carol', to: { users: ['bob'] } }, 'admin')).status).toBe(200);
    expect((await look('moved')).body.electorate.users).toEqual(['bob', 'dave']);
    expect((await answer('moved', 'reject', 'bob')).body.outcome.decided_by).toEqual(['bob']);
  });

  it('keeps four-eyes: nobody who is excluded comes in by name, and none with a group', async () => {
    await open('eyes', { interaction: { assignees: { users: ['alice'] }, exclude: ['carol'] } });
    const refused = await act('eyes', 'reassign', { to: { users: ['carol'] } }, 'alice');
    expect(refused).toMatchObject({ status: 403, body: { code: 'four_eyes' } });
    expect((await act('eyes', 'raise', { to: { groups: ['desk'] } }, 'admin')).status).toBe(200);
    expect((await look('eyes')).body.electorate.users).toEqual(['alice', 'dave']);
    expect((await act('eyes', 'delegate', { to: 'carol' }, 'alice')).body.code).toBe('four_eyes');
    const empty = await act('eyes', 'raise', { to: { groups: ['nobody'] } }, 'admin');
    expect(empty).toMatchObject({ status: 422, body: { code: 'invalid', errors: [{ path: 'to.groups', code: 'empty_electorate' }] } });
  });

  it('lets someone answer from another\'s seat for a time, and see it in their inbox', async () => {
    await open('lent', { interaction: { assignees: { users: ['alice'] } } });
    expect((await act('lent', 'delegate', { to: 'bob', seconds: 3600, detail: 'at the dentist' }, 'alice')).status).toBe(200);
    expect(await pendingOf('bob')).toContain('lent');
    expect((await act('lent', 'delegate', { to: 'carol' }, 'bob')).body.code).toBe('forbidden');
    expect((await act('lent', 'delegate', { to: null }, 'alice')).status).toBe(200);
    expect(await pendingOf('bob')).not.toContain('lent');
    expect((await act('lent', 'delegate', { to: 'bob', until: '2001-01-01T00:00:00Z' }, 'alice')).body.errors[0].path).toBe('until');
    await act('lent', 'delegate', { to: 'bob', seconds: 3600 }, 'alice');
    const decided = await answer('lent', 'approve', 'bob');
    expect(decided.body.outcome.votes).toMatchObject([{ user_id: 'bob', on_behalf_of: 'alice' }]);
  });

  it('raises to the next level, and then only to people who are named', async () => {
    await open('raised', { interaction: { assignees: { users: ['alice'] }, levels: [{ after_seconds: 600, assignees: { roles: ['senior'] } }] } });
    expect((await act('raised', 'claim', {}, 'senior')).body.code).toBe('not_eligible');
    expect((await act('raised', 'raise', undefined, 'alice')).body).toMatchObject({ level: 1, revision: 2 });
    expect((await act('raised', 'claim', {}, 'senior')).status).toBe(200);
    expect((await act('raised', 'raise', {}, 'admin')).body.code).toBe('conflict');
    expect((await act('raised', 'raise', { to: { users: ['bob'] } }, 'admin')).body.level).toBe(2);
    expect(await pendingOf('bob')).toContain('raised');
  });
});

describe('snooze and comment', () => {
  it('snoozes until a moment that lies ahead', async () => {
    await open('sleepy');
    expect((await act('sleepy', 'snooze', { seconds: 60 }, 'alice')).status).toBe(200);
    expect((await act('sleepy', 'snooze', { until: '2001-01-01T00:00:00Z' }, 'alice')).status).toBe(422);
    expect((await act('sleepy', 'snooze', {}, 'alice')).body.errors[0].path).toBe('until');
    expect((await act('sleepy', 'snooze', { seconds: 60, until: '2101-01-01T00:00:00Z' }, 'alice')).status).toBe(422);
    expect(await typesOf('sleepy')).toEqual(['opened', 'snoozed']);
  });

  it('takes remarks from who may read it, and keeps every character', async () => {
    await open('remarks', { interaction: { assignees: { users: ['alice'] } } });
    const text = 'look at \u0000 \u{1F600} \ud800 and \u5be9\u67fb';
    expect((await act('remarks', 'comment', { text }, 'alice')).status).toBe(200);
    expect((await act('remarks', 'comment', { text: 'from the pipeline' }, 'producer')).status).toBe(200);
    expect((await act('remarks', 'comment', { text: 'hello' }, 'bob')).status).toBe(403);
    expect((await act('remarks', 'comment', { text: '  ' }, 'alice')).body.errors[0]).toMatchObject({ path: 'text', code: 'required' });
    const { items } = (await http.get('/hitl/escalations/remarks/timeline', keys['alice']!)).body;
    expect(items.map((event: { data: { text?: string }; actor: { id: string } }) => [event.actor.id.split(':')[0], event.data.text])).toEqual([['intake', undefined], ['alice', text], ['key', 'from the pipeline']]);
  });
});

describe('the producer', () => {
  it('cancels once, and learns what was decided before', async () => {
    await open('stop-1');
    const cancelled = await act('stop-1', 'cancel', { detail: 'not needed' }, 'producer');
    expect(cancelled).toMatchObject({ status: 200, body: { state: 'cancelled', outcome: { source: 'cancel', verdict: null } } });
    expect((await act('stop-1', 'cancel', {}, 'producer')).body.seq).toBe(cancelled.body.seq);
    expect((await answer('stop-1', 'approve', 'alice')).body).toMatchObject({ code: 'already_settled', outcome: { state: 'cancelled' } });
    await open('stop-2');
    await answer('stop-2', 'reject', 'alice');
    expect(await act('stop-2', 'cancel', undefined, 'producer')).toMatchObject({ status: 409, body: { code: 'already_settled', outcome: { verdict: 'reject', decided_by: ['alice'] } } });
    expect((await act('stop-2', 'cancel', {}, 'alice')).status).toBe(403);
  });

  it('revises what people look at: older answers stop counting', async () => {
    await open('draft', { interaction: { assignees: { users: ['alice', 'bob'] }, quorum: 'all' } });
    await answer('draft', 'approve', 'alice');
    const revised = await act('draft', 'revise', { review_data: { content: 'second draft' }, prompt: 'Look again' }, 'producer');
    expect(revised.body).toMatchObject({ status: 'accepted', revision: 2, state: 'pending' });
    expect((await look('draft')).body).toMatchObject({ prompt: 'Look again', review_data: { content: 'second draft' }, revision: 2 });
    const stale = await http.post('/hitl/respond', { interaction_id: 'draft', user_input: { decision: 'approve' }, revision: 1 }, keys['bob']!);
    expect(stale).toMatchObject({ status: 409, body: { code: 'stale_revision', revision: 2 } });
    expect((await act('draft', 'revise', {}, 'producer')).status).toBe(422);
    expect((await act('draft', 'revise', { ui_schema: { fields: [{ name: 'x', type: 'radio' }] } }, 'producer')).body.errors[0].path).toMatch(/^ui_schema/);
    expect((await act('draft', 'revise', { prompt: 'mine' }, 'alice')).status).toBe(403);
  });

  it('consumes an approval once, for the action that was approved', async () => {
    await open('permit', { interaction: { action_digest: 'sha256:aa' } });
    expect((await act('permit', 'consume', { consumer_id: 'agent-1', action_digest: 'sha256:aa' }, 'producer')).body.code).toBe('not_consumable');
    await answer('permit', 'approve', 'alice');
    expect((await act('permit', 'consume', { consumer_id: 'agent-1', action_digest: 'sha256:bb' }, 'producer')).body.code).toBe('digest_mismatch');
    const asked = await Promise.all(Array.from({ length: 20 }, (_, index) => act('permit', 'consume', { consumer_id: `agent-${index % 4}`, action_digest: 'sha256:aa' }, 'producer')));
    const granted = asked.filter((reply) => reply.status === 200);
    expect(new Set(granted.map((reply) => reply.body.consumer_id)).size).toBe(1);
    expect(granted).toHaveLength(5);
    expect(new Set(granted.map((reply) => reply.text)).size).toBe(1);
    expect(granted[0]!.body).toMatchObject({ status: 'consumed', interaction_id: 'permit', request_id: 'permit', verdict: 'approve', seq: 4 });
    expect(asked.filter((reply) => reply.status === 409).map((reply) => reply.body.code)).toEqual(Array.from({ length: 15 }, () => 'already_consumed'));
    expect((await act('permit', 'consume', { consumer_id: 'agent-1', action_digest: 'sha256:aa' }, 'alice')).status).toBe(403);
    await open('denied', { interaction: { action_digest: 'sha256:aa' } });
    await answer('denied', 'reject', 'alice');
    expect((await act('denied', 'consume', { consumer_id: 'agent-1', action_digest: 'sha256:aa' }, 'producer')).body.code).toBe('not_consumable');
  });
});

describe('If-Match', () => {
  it('changes only what the caller saw', async () => {
    await open('seen');
    const etag = (await look('seen')).headers.get('etag')!;
    expect(etag).toBe('"1"');
    // All saw version 1: one of them changes it, the others are told the version it has now.
    const racing = await Promise.all(Array.from({ length: 12 }, (_, index) => act('seen', 'comment', { text: `remark ${index}` }, 'alice', { 'if-match': etag })));
    expect(racing.map((reply) => reply.status).sort()).toEqual([200, ...Array.from({ length: 11 }, () => 412)]);
    for (const lost of racing.filter((reply) => reply.status === 412)) expect(lost.body).toMatchObject({ code: 'precondition_failed', seq: 2, state: 'pending', interaction_id: 'seen' });
    expect(await typesOf('seen')).toEqual(['opened', 'commented']);
    expect((await act('seen', 'claim', {}, 'alice', { 'if-match': '"1", "2"' })).headers.get('etag')).toBe('"3"');
    expect((await act('seen', 'release', {}, 'alice', { 'if-match': '*' })).status).toBe(200);
    expect((await act('seen', 'claim', {}, 'alice', { 'if-match': 'W/"4"' })).status).toBe(412);
    expect((await act('seen', 'claim', {}, 'alice', { 'if-match': '4' })).status).toBe(400);
    const respond = (seen: string) => http.post('/hitl/respond', { interaction_id: 'seen', user_input: { decision: 'approve' } }, keys['bob']!, { 'if-match': seen });
    expect((await respond('"1"')).status).toBe(412);
    const accepted = await respond('"4"');
    expect(accepted.status).toBe(200);
    expect((await respond('"4"')).body).toEqual(accepted.body);
    expect((await act('seen', 'claim', {}, 'alice', { 'if-match': '"4"' })).body).toMatchObject({ code: 'precondition_failed', state: 'completed', outcome: { verdict: 'approve' } });
  });

  it('answers a retry of what was done already, and tells a due timeout', async () => {
    await open('again', { interaction: { action_digest: 'd' } });
    await answer('again', 'approve', 'alice');
    const consume = () => act('again', 'consume', { consumer_id: 'agent', action_digest: 'd' }, 'producer', { 'if-match': '"3"' });
    const first = await consume();
    expect(first.status).toBe(200);
    expect((await consume()).text).toBe(first.text);
    await open('ran-out', { interaction: { timeout_seconds: 0.05 } });
    const late = await eventually('the deadline', async () => {
      const [due] = await harness.database.sql`select 1 from store.escalations where request_id = 'ran-out' and deadline <= clock_timestamp()`;
      return due && act('ran-out', 'claim', {}, 'alice', { 'if-match': '"17"' });
    });
    expect(late).toMatchObject({ status: 409, body: { code: 'deadline_passed', outcome: { state: 'expired', source: 'timeout' } } });
  });
});

describe('bodies', () => {
  it('names every field at fault and refuses fields it does not know', async () => {
    await open('bodies');
    expect((await act('bodies', 'claim', { seconds: -1 }, 'alice')).body.errors[0].path).toBe('seconds');
    expect((await act('bodies', 'claim', { second: 1 }, 'alice')).status).toBe(422);
    expect((await act('bodies', 'reassign', {}, 'alice')).body.errors[0].path).toBe('to');
    expect((await act('bodies', 'reassign', { to: { users: [1] } }, 'alice')).body.errors[0].path).toBe('to.users[0]');
    expect((await act('bodies', 'consume', { consumer_id: '' }, 'producer')).body.errors.map((error: { path: string }) => error.path).sort()).toEqual(['action_digest', 'consumer_id']);
    expect((await act('bodies', 'claim', '[1', 'alice')).body.code).toBe('malformed_json');
    expect((await act('bodies', 'comment', { text: 'x'.repeat(70_000) }, 'alice')).status).toBe(413);
    expect((await act('bodies', 'revise', { review_data: { content: 'x'.repeat(300_000) } }, 'producer')).status).toBe(413);
    expect((await act('bodies', 'revise', { review_data: { content: 'x'.repeat(200_000) } }, 'producer')).status).toBe(200);
    expect((await http.post('/hitl/escalations/bodies/claim', {}, 'umk_wrong')).status).toBe(401);
    expect(await typesOf('bodies')).toEqual(['opened', 'revised']);
  });

  it('finds nothing under an unknown id', async () => {
    for (const command of ['claim', 'release', 'raise']) expect((await act('nowhere', command, {}, 'alice')).status).toBe(404);
    expect((await act('nowhere', 'cancel', {}, 'producer')).status).toBe(404);
    expect((await act('nowhere', 'comment', { text: 'x' }, 'alice')).status).toBe(404);
    expect((await act('nowhere', 'reassign', { to: { groups: ['desk'] } }, 'alice')).status).toBe(404);
  });
});
