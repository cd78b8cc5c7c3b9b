import { subjects } from '@umpire/contract';
import { keyDigest, systemClock } from '@umpire/runtime';
import { eventually } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callerOf, type Call } from './test/http-client.ts';
import { startHarness, submission, type Harness } from './test/store-harness.ts';

let harness: Harness;
let call: Call;
let admin: string;
let alice: string;
let bob: string;

beforeAll(async () => {
  harness = await startHarness();
  call = callerOf((await harness.startStore()).origin);
  admin = await harness.key(['admin']);
  alice = await harness.key(['reviewer', 'lead'], 'alice');
  bob = await harness.key(['reviewer'], 'bob');
});
afterAll(() => harness.stop());

const HOUR = { seconds: 3_600 };
const delegate = (body: object, key = alice) => call('POST', '/identity/delegations', { key, body: { ...HOUR, ...body } });
const respond = (id: string, key: string, decision = 'approve', more: object = {}) =>
  call('POST', '/hitl/respond', { key, body: { interaction_id: id, user_input: { decision }, ...more } });
const inboxOf = async (userId: string, key: string) => (await call('GET', `/hitl/pending/${userId}`, { key })).body.map((item: { interaction_id: string }) => item.interaction_id) as string[];
/** Nobody else's delegations in the way: each case has people of its own. */
const people = async (name: string) => ({
  from: `${name}-from`, to: `${name}-to`,
  fromKey: await harness.key(['reviewer', `${name}-lead`], `${name}-from`), toKey: await harness.key(['reviewer'], `${name}-to`),
});

describe('making delegations', () => {
  it('is up to the person, for a bounded period, to somebody else', async () => {
    const made = await delegate({ to: 'bob', detail: 'holiday' });
    expect(made).toMatchObject({ status: 201, body: { from: 'alice', to: 'bob', detail: 'holiday', in_force: true, created_by: 'alice', revoked_at: null } });
    const refusals: [object, string][] = [
      [{ to: 'alice' }, 'to'],
      [{ to: 'bob', seconds: 91 * 86_400 }, 'until'],
      [{ to: 'bob', seconds: undefined }, 'until'],
      [{ to: 'bob', seconds: undefined, until: '2020-01-01T00:00:00Z' }, 'until'],
      [{ to: 'bob', starts_at: '2999-01-01T00:00:00Z' }, 'starts_at'],
    ];
    for (const [body, path] of refusals) {
      expect(await delegate(body)).toMatchObject({ status: 422, body: { errors: [{ path }] } });
    }
    expect((await delegate({ to: 'bob', from: 'carol' })).status).toBe(403);
    expect((await delegate({ to: 'bob' }, await harness.key(['producer']))).status).toBe(403);
    expect((await delegate({ to: 'bob' }, admin)).status).toBe(422);
    await call('DELETE', `/identity/delegations/${made.body.id}`, { key: alice });
  });

  it('is shown to the two, and to admins; ended by either of them, once', async () => {
    const { from, to, fromKey, toKey } = await people('shown');
    const { body: made } = await delegate({ to, from }, admin);
    expect(made.created_by).not.toBe(from);
    for (const key of [fromKey, toKey]) expect((await call('GET', '/identity/delegations', { key })).body.items).toEqual([made]);
    expect((await call('GET', '/identity/delegations', { key: bob })).body.items.map((item: { id: string }) => item.id)).not.toContain(made.id);
    expect((await call('GET', `/identity/delegations?user_id=${from}`, { key: bob })).status).toBe(403);
    expect((await call('GET', `/identity/delegations?user_id=${from}&in_force=true`, { key: admin })).body.items).toEqual([made]);
    expect((await call('DELETE', `/identity/delegations/${made.id}`, { key: bob })).status).toBe(404);
    expect((await call('DELETE', `/identity/delegations/${made.id}`, { key: await harness.key(['admin'], undefined, 'team-a') })).status).toBe(404);
    const ended = await call('DELETE', `/identity/delegations/${made.id}`, { key: toKey });
    expect(ended.body).toMatchObject({ in_force: false, revoked_by: to });
    expect((await call('DELETE', `/identity/delegations/${made.id}`, { key: fromKey })).body).toEqual(ended.body);
    expect((await call('GET', `/identity/delegations?user_id=${from}&in_force=true`, { key: admin })).body.items).toEqual([]);
  });
});

describe('a delegation in force', () => {
  it('lets the delegate see, claim and decide what names the delegator, both on record', async () => {
    const { from, to, toKey } = await people('named');
    await harness.submit([submission('named-1', { interaction: { assignees: { users: [from] } } })]);
    expect((await respond('named-1', toKey)).body.code).toBe('not_eligible');
    expect((await call('GET', '/hitl/escalations/named-1', { key: toKey })).status).toBe(403);
    expect(await inboxOf(to, toKey)).not.toContain('named-1');
    await delegate({ from, to }, admin);
    expect(await inboxOf(to, toKey)).toContain('named-1');
    expect((await call('GET', '/hitl/escalations/named-1', { key: toKey })).status).toBe(200);
    expect((await call('GET', '/hitl/status/named-1', { key: toKey })).status).toBe(200);
    expect((await call('GET', '/session', { key: toKey })).body.acts_for).toEqual([from]);
    expect((await call('POST', '/hitl/escalations/named-1/claim', { key: toKey, body: {} })).status).toBe(200);
    const answer = await respond('named-1', toKey);
    expect(answer).toMatchObject({ status: 200, body: { state: 'completed', outcome: { verdict: 'approve', decided_by: [to] } } });
    const { items } = (await call('GET', '/hitl/escalations/named-1/timeline', { key: admin })).body;
    for (const type of ['claimed', 'responded']) {
      const event = items.find((item: { type: string }) => item.type === type);
      expect(event.actor).toMatchObject({ user_id: to, on_behalf_of: from });
      expect(event.data).toMatchObject({ seat: from, user_id: to, on_behalf_of: from });
    }
    // The same answer again is the same reply, although the seat is another's.
    expect((await respond('named-1', toKey)).body).toEqual(answer.body);
  });

  it('reaches as far as the roles that the delegator has now', async () => {
    const { from, to, toKey } = await people('role');
    await harness.submit([1, 2].map((n) => submission(`role-${n}`, { interaction: { assignees: { roles: ['role-lead'] } } })));
    await delegate({ from, to }, admin);
    expect(await inboxOf(to, toKey)).toEqual(expect.arrayContaining(['role-1', 'role-2']));
    expect((await respond('role-1', toKey)).status).toBe(200);
    const { items } = (await call('GET', '/identity/keys?user_id=role-from', { key: admin })).body;
    await call('DELETE', `/identity/keys/${items[0].id}`, { key: admin });
    expect((await respond('role-2', toKey)).body.code).toBe('not_eligible');
    expect(await inboxOf(to, toKey)).not.toContain('role-2');
  });

  it('shows the delegate the same inbox over the bus', async () => {
    const { from, to } = await people('bus');
    await harness.submit([submission('bus-1', { interaction: { assignees: { users: [from] } } })]);
    await delegate({ from, to }, admin);
    const notifier = await harness.nats.bus('notifier');
    const reply = await notifier.requestJson<{ total: number; items: { interaction_id: string }[] }>(subjects.query('pending'), { namespace: 'default', user_id: to, roles: [] }, 5_000);
    expect(reply).toMatchObject({ total: 1, items: [{ interaction_id: 'bus-1' }] });
    const { principal } = await notifier.requestJson<{ principal: object }>(subjects.query('principal'), { key_digest: keyDigest(await harness.key(['reviewer'], to)) }, 5_000);
    expect(principal).toMatchObject({ user_id: to, acts_for: [{ user_id: from, roles: ['bus-lead', 'reviewer'] }] });
  });

  it('does not get around four-eyes, on either side', async () => {
    const { from, to, fromKey, toKey } = await people('eyes');
    await delegate({ from, to }, admin);
    await harness.submit([
      submission('eyes-delegator', { interaction: { assignees: { roles: ['eyes-lead'] }, exclude: [from] } }),
      submission('eyes-delegate', { interaction: { assignees: { users: [from] }, exclude: [to] } }),
    ]);
    expect((await respond('eyes-delegator', toKey)).body.code).toBe('four_eyes');
    expect((await respond('eyes-delegator', fromKey)).body.code).toBe('four_eyes');
    expect((await respond('eyes-delegate', toKey)).body.code).toBe('four_eyes');
    expect((await call('POST', '/hitl/escalations/eyes-delegate/claim', { key: toKey, body: {} })).body.code).toBe('four_eyes');
    expect(await inboxOf(to, toKey)).toEqual([]);
    for (const id of ['eyes-delegator', 'eyes-delegate']) expect((await call('GET', `/hitl/escalations/${id}`, { key: toKey })).status).toBe(403);
    expect((await respond('eyes-delegate', fromKey)).status).toBe(200);
  });

  it('gives no second vote', async () => {
    const one = await people('one');
    const two = await people('two');
    await delegate({ from: one.from, to: two.from }, admin);
    await harness.submit([submission('votes', { interaction: { quorum: { at_least: 3 }, assignees: { users: [one.from, two.from, 'x', 'y', 'z'] } } })]);
    const votes = async () => ((await call('GET', '/hitl/escalations/votes', { key: admin })).body.votes as { user_id: string; verdict: string }[]).map(({ user_id, verdict }) => [user_id, verdict]);
    expect((await respond('votes', two.fromKey)).status).toBe(200);
    // Whoever has a seat decides from it and from no other: the second answer changes the first.
    expect((await respond('votes', two.fromKey, 'reject')).status).toBe(200);
    expect(await votes()).toEqual([[two.from, 'reject']]);
    expect((await respond('votes', one.fromKey)).status).toBe(200);
    expect(await votes()).toEqual(expect.arrayContaining([[two.from, 'reject'], [one.from, 'approve']]));
  });

  it('with several delegators fills one seat, the same one each time', async () => {
    const first = await people('several-a');
    const second = await people('several-b');
    const { to, toKey } = first;
    await harness.submit([submission('several', { interaction: { quorum: 'all', assignees: { users: [first.from, second.from] } } })]);
    await delegate({ from: first.from, to }, admin);
    await delegate({ from: second.from, to }, admin);
    expect((await respond('several', toKey)).body.state).toBe('pending');
    expect((await respond('several', toKey)).body.state).toBe('pending');
    // Its first delegator having ended it, the vote stands, and there is no second from the other's seat.
    const { items } = (await call('GET', `/identity/delegations?user_id=${first.from}`, { key: admin })).body;
    await call('DELETE', `/identity/delegations/${items[0].id}`, { key: admin });
    expect((await respond('several', toKey, 'reject')).body.code).toBe('already_answered');
    expect((await respond('several', second.fromKey)).body).toMatchObject({ state: 'completed', outcome: { verdict: 'approve' } });
  });

  it('prefers a seat that nobody has answered from', async () => {
    const first = await people('free-a');
    const second = await people('free-b');
    await harness.submit([submission('free', { interaction: { quorum: 'all', assignees: { users: [first.from, second.from] } } })]);
    await delegate({ from: first.from, to: first.to }, admin);
    await delegate({ from: second.from, to: first.to }, admin);
    await respond('free', first.fromKey);
    expect((await respond('free', first.toKey)).body).toMatchObject({ state: 'completed', outcome: { decided_by: [first.from, first.to] } });
  });

  it('is not handed on', async () => {
    const one = await people('chain-a');
    const two = await people('chain-b');
    await delegate({ from: one.from, to: two.from }, admin);
    await delegate({ from: two.from, to: two.to }, admin);
    await harness.submit([submission('handed-on', { interaction: { assignees: { users: [one.from] } } })]);
    expect((await respond('handed-on', two.toKey)).body.code).toBe('not_eligible');
    expect((await call('POST', '/hitl/escalations/handed-on/delegate', { key: two.fromKey, body: { to: two.to } })).status).toBe(403);
    expect((await respond('handed-on', two.fromKey)).status).toBe(200);
  });

  it('begins and ends with its period, and when it is taken back', async () => {
    const { from, to, toKey } = await people('period');
    await harness.submit([submission('period', { interaction: { assignees: { users: [from] } } })]);
    const later = await delegate({ from, to, starts_at: '2100-01-01T00:00:00Z' }, admin);
    expect(later.status).toBe(422);
    await delegate({ from, to, starts_at: new Date(systemClock.now() + 3_600_000).toISOString() }, admin);
    expect((await respond('period', toKey)).body.code).toBe('not_eligible');
    const brief = await delegate({ from, to, seconds: 0.3 }, admin);
    expect(brief.status).toBe(201);
    await eventually('the end of the period', async () => !(await call('GET', `/identity/delegations/${brief.body.id}`, { key: admin })).body.in_force);
    expect((await respond('period', toKey)).body.code).toBe('not_eligible');
    const taken = await delegate({ from, to }, admin);
    expect(await inboxOf(to, toKey)).toEqual(['period']);
    await call('DELETE', `/identity/delegations/${taken.body.id}`, { key: admin });
    expect((await respond('period', toKey)).body.code).toBe('not_eligible');
    expect(await inboxOf(to, toKey)).toEqual([]);
  });

  it('holds in its own namespace alone, and cannot be claimed by the client', async () => {
    const { from, to, toKey } = await people('walls');
    await call('POST', '/identity/delegations', { key: await harness.key(['admin'], undefined, 'team-a'), body: { from, to, ...HOUR } });
    await harness.submit([submission('walls', { interaction: { assignees: { users: [from] } } })]);
    expect((await respond('walls', toKey)).body.code).toBe('not_eligible');
    const forged = await respond('walls', toKey, 'approve', { on_behalf_of: from, actor: { on_behalf_of: from, delegator_roles: ['admin'] } });
    expect([403, 422]).toContain(forged.status);
    expect((await respond('walls', toKey, 'approve', { user_id: from })).status).toBe(403);
  });
});
