import { eventually } from '@umpire/testing';
import { describe, expect, it } from 'vitest';
import { hitlRequest } from '../../../e2e/src/messages.ts';
import type { Arena } from '../arena.ts';
import { declaredRoutes, isGuarded, type Route } from '../routes.ts';

/** Stands in everything that the attacked namespace has. */
const MARK = 'm4rk-of-default-7f3a';

/** The ids of what the attacked namespace has, by the beginning of the route that names them. */
type Ids = { prefix: string; values: Record<string, string> }[];

/** One thing of every kind, each with the mark in it. */
async function furnish(arena: Arena): Promise<Ids> {
  const { stack, keys, receiver } = arena;
  const made = async (method: string, path: string, key: string, body: unknown, status: number) => {
    const answer = await stack.request(method, path, key, body);
    expect([method, path, answer.status, answer.status === status ? '' : answer.text]).toEqual([method, path, status, '']);
    return answer.body;
  };
  const endpoint = await made('POST', '/webhooks/endpoints', keys.admin, { url: `${receiver.origin}/failing/${MARK}`, description: MARK, retry_schedule_seconds: [600] }, 201);
  const escalation = JSON.stringify({ type: 'hitl_escalation', payload: { ...JSON.parse(hitlRequest('walls-1')), summary: MARK, task_id: MARK }, interaction: { assignees: { users: ['alice'] } }, routing_key: 'review.hard_disagreement' });
  await made('POST', '/api/escalations', keys.producer, escalation, 202);
  const channel = await made('POST', '/webhooks/channels', keys.admin, { kind: 'slack', url: `${receiver.origin}/slack/${MARK}`, owner_kind: 'user', owner: MARK }, 201);
  const key = await made('POST', '/identity/keys', keys.admin, { name: MARK, roles: ['producer'] }, 201);
  await made('POST', '/identity/groups', keys.admin, { name: MARK, members: [MARK] }, 201);
  const delegation = await made('POST', '/identity/delegations', keys.alice, { to: 'bob', detail: MARK, until: '2026-12-01T00:00:00Z' }, 201);
  await made('POST', '/policies', keys.admin, { id: MARK, description: MARK, match: { task_id: MARK }, interaction: { priority: 'low' } }, 201);
  const erasure = await made('POST', '/audit/erasures', keys.admin, { user_id: `nobody of ${MARK}`, reason: MARK }, 201);
  const { nats } = await stack.producer();
  nats.publish('hitl.default.review.low_confidence', `{"${MARK}":`);
  const letter = await eventually('a rejected message', async () => (await stack.get('/rejected', keys.admin)).body.items[0]);
  const delivery = await eventually('a delivery', async () => (await stack.get(`/webhooks/endpoints/${endpoint.id}/deliveries`, keys.admin)).body.items[0]);
  return [
    { prefix: '/hitl/escalations/', values: { id: 'walls-1' } }, { prefix: '/hitl/status/', values: { interaction_id: 'walls-1' } }, { prefix: '/hitl/pending/', values: { user_id: 'alice' } },
    { prefix: '/webhooks/endpoints/', values: { id: endpoint.id } }, { prefix: '/webhooks/deliveries/', values: { id: delivery.id } }, { prefix: '/webhooks/channels/', values: { id: channel.id } },
    { prefix: '/identity/keys/', values: { id: key.id } }, { prefix: '/identity/groups/', values: { name: MARK, user_id: MARK } }, { prefix: '/identity/delegations/', values: { id: delegation.id } },
    { prefix: '/policies/', values: { id: MARK, version: '1' } }, { prefix: '/rejected/', values: { id: letter.id } },
    { prefix: '/audit/erasures/', values: { id: erasure.id } }, { prefix: '/audit/person/', values: { user: 'alice' } },
  ];
}

const filled = (route: Route, ids: Ids): string => {
  const { values } = ids.find(({ prefix }) => route.path.startsWith(prefix)) ?? { values: {} };
  const path = route.path.replace(/:([a-z_]+)/g, (_, name: string) => encodeURIComponent((values as Record<string, string>)[name] ?? `unfilled-${name}`));
  if (path === '/webhooks/deliveries') return `${path}?request_id=walls-1`;
  return path.endsWith('/recover') ? `${path}?since=2026-01-01T00:00:00Z` : path;
};

/** What a route takes, so that a refusal is about whose it is and not about the form. */
const BODIES: [RegExp, unknown][] = [
  [/\/reassign$/, { to: { users: ['mallory'] } }], [/\/delegate$/, { to: 'mallory' }], [/\/raise$/, { to: { users: ['mallory'] } }], [/\/snooze$/, { seconds: 60 }], [/\/comment$/, { text: 'x' }],
  [/\/revise$/, { prompt: 'mine' }], [/\/consume$/, { consumer_id: 'x', action_digest: 'y' }], [/^\/hitl\/respond$/, { interaction_id: 'walls-1', user_input: { decision: 'approve' } }],
  [/^\/hitl\/bulk\/respond$/, { items: [{ interaction_id: 'walls-1', user_input: { decision: 'approve' } }] }], [/^\/webhooks\/endpoints\/[^/]+$/, { payload: 'thin' }], [/^\/identity\/groups\/[^/]+$/, { members: ['mallory'] }],
];

export function namespaces(at: () => Arena): void {
  describe('another namespace', () => {
    it('is out of reach on every route there is, by id, list and search, reading and writing', async () => {
      const { stack, stranger, keys } = at();
      const ids = await furnish(at());
      const routes = declaredRoutes().filter(isGuarded);
      expect(routes.length).toBeGreaterThan(60);
      const reads = routes.filter(({ method, path }) => method === 'GET' && !/reads|stats|timers|attempts|callbacks|receipt/.test(path)).map((route) => filled(route, ids));
      // Left out: what moves by itself (attempts, counts and times of the endpoint that fails), and the receipt, which there is only at the end.
      const still = async () => Promise.all(reads.map(async (path) => [path, (await stack.get(path, path.startsWith('/hitl/pending') ? keys.alice : keys.admin)).status]));
      const before = await still();
      expect(before.filter(([, status]) => status !== 200)).toEqual([]);
      const leaks: string[] = [];
      // Groups have names of their own in each namespace: putting one of this name makes the stranger's, and deleting it ends that.
      const own = (route: Route) => route.path === '/identity/groups/:name' && (route.method === 'PUT' || route.method === 'DELETE');
      for (const route of routes) {
        const path = filled(route, ids);
        expect(path).not.toContain('unfilled');
        const body = route.method === 'GET' || route.method === 'DELETE' ? undefined : (BODIES.find(([form]) => form.test(path))?.[1] ?? {});
        for (const [who, key] of Object.entries(stranger)) {
          const { status, text } = await stack.request(route.method, path, key, body);
          if (text.includes('m4rk') && status !== 404 && !own(route)) leaks.push(`${who} ${route.method} ${path}: ${status} ${text.slice(0, 200)}`);
          // A person of this name is the stranger's own, too: what comes back may hold nothing of the other one.
          const named = /:/.test(route.path) && !/^\/(hitl\/pending|audit\/person)\//.test(route.path) && !own(route);
          if (named && status < 400) leaks.push(`${who} ${route.method} ${path}: ${status}`);
          if (status >= 500) leaks.push(`${who} ${route.method} ${path}: ${status} ${text.slice(0, 200)}`);
        }
      }
      for (const query of [`text=${MARK}`, `task_id=${MARK}`, 'assignee=alice', `policy=${MARK}`, 'text=@default', 'sort=-priority']) {
        const { text } = await stack.get(`/hitl/escalations?${query}`, stranger.admin);
        if (text.includes('walls-1') || text.includes('m4rk')) leaks.push(query);
      }
      expect(leaks).toEqual([]);
      expect(await still()).toEqual(before);
      expect((await stack.get('/hitl/escalations/walls-1', keys.admin)).body).toMatchObject({ status: 'pending', prompt: null, votes: [], claimed_by: null });
      // What the stranger was refused is not in the attacked namespace's read log either.
      const { items } = (await stack.get('/hitl/reads?request_id=walls-1', keys.admin)).body;
      expect(items.filter((one: { user_id: string | null }) => one.user_id !== null && one.user_id !== 'alice')).toEqual([]);
    });

    it('is out of a socket\'s reach: list, subscription, and a place in another\'s events', async () => {
      const { stack, stranger, keys } = at();
      const own = await at().socket('alice', { authorization: `Bearer ${keys.alice}` });
      // What comes before the list is in the list.
      await eventually('the list', () => own.frames.find((frame) => frame.type === 'pending_interactions'));
      await stack.post('/api/escalations', keys.producer, hitlRequest('walls-2'));
      const event = await eventually('the event', () => own.frames.find((frame) => frame.data?.interaction_id === 'walls-2'));
      for (const query of ['', `?since=${event.id}`]) {
        const socket = await at().socket('alice', { authorization: `Bearer ${stranger.alice}` }, query);
        socket.ws.send(JSON.stringify({ type: 'subscribe', interaction_id: 'walls-1' }));
        await eventually('the refusal', () => socket.frames.find((frame) => frame.type === 'error'));
        expect(socket.frames.find((frame) => frame.type === 'error')).toMatchObject({ code: 'not_found' });
        expect(JSON.stringify(socket.frames.filter((frame) => frame.type !== 'error'))).not.toMatch(/walls|m4rk/);
        socket.ws.close();
      }
      await expect(at().socket('alice', { authorization: `Bearer ${stranger.producer}` })).rejects.toThrow('403');
      own.ws.close();
    });
  });
}
