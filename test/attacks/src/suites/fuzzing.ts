import { headers as natsHeaders } from '@nats-io/transport-node';
import fc from 'fast-check';
import { randomInt } from 'node:crypto';
import { eventually } from '@umpire/testing';
import { describe, expect, it } from 'vitest';
import { hitlRequest, queueMessage, upstreamRequests } from '../../../e2e/src/messages.ts';
import type { Arena } from '../arena.ts';
import { HOSTILE } from '../hostile.ts';
import { inLanes } from '../lanes.ts';
import { hostileValue, mutationOf } from '../mutate.ts';
import { declaredRoutes, isGuarded, type Route } from '../routes.ts';

const seed = Number(process.env['UMPIRE_SEED'] ?? randomInt(2 ** 31));
const RUNS = Number(process.env['UMPIRE_FUZZ_RUNS'] ?? 300);

const samples = upstreamRequests() ?? [];
const interaction = JSON.stringify({ type: 'hitl_interaction', payload: { interaction_id: 'fuzz', pipeline_name: 'p', step_name: 's', data: { a: 1 } }, interaction: { pattern: 'approval', quorum: { at_least: 2 }, assignees: { users: ['a', 'b'] }, levels: [{ after_seconds: 5, assignees: { groups: ['g'] } }], reminders: [1], resume: { data: {}, callback_url: 'https://x.example/' }, ui_schema: { fields: [{ name: 'decision', type: 'radio', options: ['a', 'b'] }] } } });
const messages = fc.oneof(
  fc.constantFrom(hitlRequest('fuzz-bare'), queueMessage(hitlRequest('fuzz-wrapped')), interaction, '{"type":"hitl_cancel","payload":{"request_id":"fuzz","detail":"x"}}'),
  ...(samples.length === 0 ? [] : [fc.constantFrom(...samples)]),
);

/** Every case, a few at a time. @returns what went wrong, each with what it was */
async function each<T>(arbitrary: fc.Arbitrary<T>, runs: number, attempt: (one: T, index: number) => Promise<string | null>): Promise<string[]> {
  const cases = fc.sample(arbitrary, { seed, numRuns: runs });
  return inLanes(cases, async (one, index) => {
    const fault = await attempt(one, index);
    return fault === null ? null : `case ${index}: ${fault}`;
  });
}

const NAMES = ['limit', 'after', 'cursor', 'since', 'until', 'wait', 'text', 'state', 'sort', 'reason', 'kind', 'hours', 'user_id', 'request_id', 'what', 'min_age', 'assignee', 'active'];
const FIELDS = ['interaction_id', 'user_input', 'user_id', 'items', 'to', 'users', 'groups', 'roles', 'seconds', 'until', 'text', 'detail', 'name', 'members', 'url', 'secret', 'headers', 'events', 'id', 'match', 'interaction', 'enforce', 'key', 'type', 'payload', 'task_id', 'decision_value', 'reviewer_id', 'kind', 'owner', '__proto__'];

const requestTo = (route: Route) => fc.record({
  path: fc.constant(route),
  params: fc.array(fc.oneof(fc.constantFrom<string>(...HOSTILE), fc.string({ unit: 'grapheme', maxLength: 40 }), fc.uuid()), { minLength: 3, maxLength: 3 }),
  query: fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.oneof(fc.constantFrom<string>(...HOSTILE), fc.string({ maxLength: 20 }), fc.integer().map(String))), { maxLength: 3 }),
  body: fc.oneof(fc.dictionary(fc.constantFrom(...FIELDS), hostileValue, { maxKeys: 5 }), fc.jsonValue()),
  headers: fc.dictionary(fc.constantFrom('if-match', 'idempotency-key', 'x-forwarded-for', 'traceparent', 'accept', 'origin', 'cookie'), fc.oneof(fc.constantFrom('*', '"1"', 'W/"1"', '""', '00-0-0-0', 'umpire_session=x'), fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[^ -~]/g, ''))), { maxKeys: 2 }),
});

export function fuzzing(at: () => Arena): void {
  describe(`whatever comes (UMPIRE_SEED=${seed})`, () => {
    it('posted to intake is accepted, or refused with its reasons', async () => {
      const { stack, keys } = at();
      const faults = await each(mutationOf(messages), RUNS, async (body) => {
        const response = await fetch(`${stack.origin}/api/escalations`, { method: 'POST', headers: { authorization: `Bearer ${keys.producer}`, 'content-type': 'application/json' }, body });
        const answer = (await response.json()) as { code?: string; errors?: unknown[] };
        if (response.status === 202) return null;
        if (response.status >= 500 || response.status < 400 || !answer.code) return `${response.status} ${JSON.stringify(answer).slice(0, 300)} for ${body.toString('base64').slice(0, 2_000)}`;
        return response.status === 422 && !answer.errors?.length ? `422 without a reason: ${JSON.stringify(answer)}` : null;
      });
      expect(faults).toEqual([]);
    });

    it('published over NATS gets a verdict, and is a dead letter with its reasons where it is refused', async () => {
      const { stack } = at();
      const { nats } = await stack.producer();
      const verdicts = new Map<string, any>();
      nats.subscribe(`${stack.connection.nats.producer.inbox_prefix}.fuzz.*`, { callback: (_, message) => void verdicts.set(message.subject.split('.').at(-1)!, message.json()) });
      const cases = fc.sample(fc.tuple(mutationOf(messages), fc.constantFrom('review', 'cancel'), fc.constantFrom('low_confidence', 'custom_rule')), { seed: seed + 1, numRuns: RUNS });
      cases.forEach(([body, verb, reason], index) => {
        const headers = natsHeaders();
        headers.set('Umpire-Reply-To', `${stack.connection.nats.producer.inbox_prefix}.fuzz.${index}`);
        nats.publish(`hitl.default.${verb}.${reason}`, body, { headers });
      });
      await eventually('a verdict for each', () => verdicts.size === cases.length, 60_000).catch(() => undefined);
      expect(cases.flatMap(([body], index) => (verdicts.has(String(index)) ? [] : [`case ${index}: ${body.toString('base64')}`]))).toEqual([]);
      expect([...verdicts.values()].filter(({ status, errors }) => status === 'rejected' && !(errors?.length > 0))).toEqual([]);
      await nats.close();
    });

    it('asked of any route is answered, never with a fault of ours', async () => {
      const { stack, stranger } = at();
      const routes = declaredRoutes();
      const faults: string[] = [];
      const perRoute = Math.max(4, Math.ceil((RUNS * 2) / routes.length));
      for (const route of routes) {
        faults.push(...await each(requestTo(route), perRoute, async ({ params, query, body, headers }) => {
          let at = 0;
          const path = route.path.replace(/:[a-z_]+/g, () => encodeURIComponent(params[at++]!.toWellFormed()).replaceAll('.', '%2E') || 'x');
          const url = `${stack.origin}${path}?${new URLSearchParams(query).toString()}`;
          const bodied = route.method !== 'GET' && route.method !== 'DELETE';
          const key = path.startsWith('/hitl/') && route.method === 'POST' ? stranger.alice : stranger.admin;
          const response = await fetch(url, { method: route.method, redirect: 'manual', headers: { ...(isGuarded(route) ? { authorization: `Bearer ${key}` } : {}), ...headers, ...(bodied ? { 'content-type': 'application/json' } : {}) }, ...(bodied ? { body: JSON.stringify(body) } : {}) });
          const text = await response.text();
          return response.status >= 500 ? `${response.status} ${route.method} ${url} ${JSON.stringify(body)} ${JSON.stringify(headers)}: ${text.slice(0, 300)}` : null;
        }));
      }
      expect(faults).toEqual([]);
    });

    it('said by a socket is answered or ends it', async () => {
      const { keys } = at();
      const said = fc.sample(fc.oneof(fc.constantFrom<string>(...HOSTILE), fc.json(), fc.tuple(fc.constantFrom('subscribe', 'unsubscribe', 'ping', '__proto__'), hostileValue).map(([type, interaction_id]) => JSON.stringify({ type, interaction_id }))), { seed, numRuns: 90 });
      const socket = await at().socket('alice', { authorization: `Bearer ${keys.alice}` });
      for (const text of said) socket.ws.send(text);
      socket.ws.send('{"type":"ping"}');
      await eventually('an answer', () => socket.closed() !== null || socket.frames.some((frame) => frame.type === 'pong'));
      socket.ws.close();
    });

    it('leaves the product as it was', async () => {
      const { stack, keys } = at();
      expect((await fetch(`${stack.origin}/readyz`)).status).toBe(200);
      expect((await stack.get('/hitl/escalations', keys.admin)).status).toBe(200);
      // Nobody was started anew: a crash would be in the launcher's log.
      expect(await at().deaths()).toEqual([]);
    });
  });
}
