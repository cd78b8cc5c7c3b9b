import { headers as natsHeaders } from '@nats-io/transport-node';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { idToken, REASONS } from '@umpire/contract';
import { eventually } from '@umpire/testing';
import { describe, expect, it } from 'vitest';
import { realMessages, seed } from '../../../../libs/testing/test/fuzz.ts';
import { readDeadLetters } from '../../../e2e/src/operator.ts';
import type { Arena } from '../arena.ts';
import { HOSTILE } from '../../../../libs/testing/test/hostile.ts';
import { inLanes } from '../lanes.ts';
import { hostileValue, mutationOf } from '../../../../libs/testing/test/mutate.ts';
import { declaredRoutes, isGuarded, type Route } from '../routes.ts';

const RUNS = Number(process.env['UMPIRE_FUZZ_RUNS'] ?? 300);

/** Every case, a few at a time. @returns what went wrong, each with what it was */
async function each<T>(arbitrary: fc.Arbitrary<T>, runs: number, attempt: (one: T, index: number) => Promise<string | null>): Promise<string[]> {
  const cases = fc.sample(arbitrary, { seed, numRuns: runs });
  return inLanes(cases, async (one, index) => {
    const fault = await attempt(one, index);
    return fault === null ? null : `case ${index}: ${fault}`;
  });
}

const NAMES = ['limit', 'after', 'cursor', 'since', 'until', 'wait', 'text', 'state', 'sort', 'reason', 'kind', 'hours', 'user_id', 'request_id', 'what', 'min_age', 'assignee', 'active'];
/** At the ends of what databases keep, and beyond. */
const TIMES: string[] = ['2026-01-01T00:00:00Z', '0000-01-01T00:00:00Z', '0001-01-01T00:00:00+14:00', '9999-12-31T23:59:59-12:00', '2026-01-01T00:00:00+23:59', '2026-02-30T00:00:00Z'];
const FIELDS = ['interaction_id', 'user_input', 'user_id', 'items', 'to', 'users', 'groups', 'roles', 'seconds', 'until', 'text', 'detail', 'name', 'members', 'url', 'secret', 'headers', 'events', 'id', 'match', 'interaction', 'enforce', 'key', 'type', 'payload', 'task_id', 'decision_value', 'reviewer_id', 'kind', 'owner', '__proto__'];

const requestTo = (route: Route) => fc.record({
  path: fc.constant(route),
  params: fc.array(fc.oneof(fc.constantFrom<string>(...HOSTILE), fc.string({ unit: 'grapheme', maxLength: 40 }), fc.uuid()), { minLength: 3, maxLength: 3 }),
  query: fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.oneof(fc.constantFrom<string>(...HOSTILE), fc.string({ maxLength: 20 }), fc.integer().map(String), fc.constantFrom(...TIMES))), { maxLength: 3 }),
  body: fc.oneof(fc.dictionary(fc.constantFrom(...FIELDS), hostileValue, { maxKeys: 5 }), fc.jsonValue()),
  headers: fc.dictionary(fc.constantFrom('if-match', 'idempotency-key', 'x-forwarded-for', 'traceparent', 'accept', 'origin', 'cookie'), fc.oneof(fc.constantFrom('*', '"1"', 'W/"1"', '""', '00-0-0-0', 'umpire_session=x'), fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[^ -~]/g, ''))), { maxKeys: 2 }),
});

export function fuzzing(at: () => Arena): void {
  describe(`whatever comes (UMPIRE_SEED=${seed})`, () => {
    it('posted to intake is accepted, or refused with its reasons', async () => {
      const { stack, keys } = at();
      const faults = await each(mutationOf(realMessages), RUNS, async (body) => {
        const response = await fetch(`${stack.origin}/api/escalations`, { method: 'POST', headers: { authorization: `Bearer ${keys.producer}`, 'content-type': 'application/json' }, body });
        const answer = (await response.json()) as { code?: string; errors?: unknown[] };
        if (response.status === 202) return null;
        if (response.status >= 500 || response.status < 400 || !answer.code) return `${response.status} ${JSON.stringify(answer).slice(0, 300)} for ${body.toString('base64').slice(0, 2_000)}`;
        return response.status === 422 && !answer.errors?.length ? `422 without a reason: ${JSON.stringify(answer)}` : null;
      });
      expect(faults).toEqual([]);
    });

    it('published over NATS ends stored, or as a dead letter with its reasons, each of them; and the producer is told which', async () => {
      const { stack, keys } = at();
      const { nats } = await stack.producer();
      const verdicts = new Map<number, any>();
      nats.subscribe(`${stack.connection.nats.producer.inbox_prefix}.fuzz.*`, { callback: (_, message) => void verdicts.set(Number(message.subject.split('.').at(-1)), message.json()) });
      const cases = fc.sample(fc.tuple(mutationOf(realMessages), fc.nat({ max: 4 }), fc.constantFrom(...REASONS)), { seed: seed + 1, numRuns: RUNS }).map(([body, stray, any]): [Buffer, string, string] => {
        // Where it belongs, four times of five: else no message would get further than its subject.
        const text = body.toString();
        const said = REASONS.find((reason) => text.includes(`"escalation_reason":"${reason}"`) || text.includes(`"escalation_reason": "${reason}"`));
        return [body, text.includes('hitl_cancel') === (stray > 0) ? 'cancel' : 'review', stray > 0 && said ? said : any];
      });
      cases.forEach(([body, verb, reason], index) => {
        const headers = natsHeaders();
        headers.set('Umpire-Reply-To', `${stack.connection.nats.producer.inbox_prefix}.fuzz.${index}`);
        nats.publish(`hitl.default.${verb}.${reason}`, body, { headers });
      });
      await eventually('a verdict for each', () => verdicts.size === cases.length, 60_000).catch(() => undefined);
      expect(cases.flatMap(([body], index) => (verdicts.has(index) ? [] : [`case ${index}: ${body.toString('base64')}`]))).toEqual([]);
      await nats.close();
      // Whatever the producer was told: what became of the message is looked for where it must be.
      const letters = new Map((await readDeadLetters(stack)).map((letter) => [`${letter.subject} ${letter.original}`, letter]));
      const counts = { stored: 0, cancels: 0, deadLetters: 0 };
      const faults = await inLanes(cases, async ([body, verb, reason], index) => {
        const verdict = verdicts.get(index);
        const what = `case ${index}: ${JSON.stringify(verdict)} for ${body.toString('base64')}`;
        if (verdict.status === 'rejected' || verdict.status === 'conflict') {
          const letter = letters.get(`hitl.default.${verb}.${reason} ${body.toString('base64')}`);
          counts.deadLetters += 1;
          const reasoned = letter && letter.errors.length > 0 && letter.errors.every(({ code, message }) => code !== '' && message !== '') && letter.digest === createHash('sha256').update(body).digest('hex');
          return reasoned ? null : `no dead letter with reasons: ${what} ${JSON.stringify(letter?.errors)}`;
        }
        counts[verdict.status === 'stored' ? 'stored' : 'cancels'] += 1;
        // A tombstone waits for its escalation: there is nothing to be seen of it yet.
        if (verdict.status === 'tombstoned') return null;
        const { status } = await stack.get(`/hitl/escalations/~${idToken(verdict.request_id)}`, keys.admin);
        return status === 200 ? null : `not stored (${status}): ${what}`;
      });
      expect(faults).toEqual([]);
      console.log(`[attacks] mutated messages over NATS: ${JSON.stringify(counts)} of ${cases.length}`);
      expect([counts.stored > 0, counts.deadLetters > 0]).toEqual([true, true]);
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

    it('asked for a time that no database keeps is answered or refused', async () => {
      const { stack, stranger } = at();
      const asked = declaredRoutes().filter(({ method, path }) => isGuarded({ method, path }) && (method === 'GET' || /recover/.test(path)))
        .flatMap(({ method, path }) => TIMES.flatMap((time) => [`since=${encodeURIComponent(time)}`, `until=${encodeURIComponent(time)}`].map((query): [string, string] => [method, `${path.replace(/:[a-z_]+/g, '00000000-0000-4000-8000-000000000000')}?${query}`])));
      expect(asked.length).toBeGreaterThan(200);
      expect(await inLanes(asked, async ([method, path]) => {
        const { status, text } = await stack.request(method, path, stranger.admin);
        return status < 500 ? null : `${method} ${path}: ${status} ${text}`;
      })).toEqual([]);
      // Cursors are anybody's to write.
      const cursors = TIMES.flatMap((time) => [[time, 'x'], ['age', time, 'x'], ['deadline', time, 'x'], ['priority', 1, time, 'x'], [time, '00000000-0000-4000-8000-000000000000'], [time, 'x', 'deadline', 0]]).map((place) => Buffer.from(JSON.stringify(place)).toString('base64url'));
      const lists = ['/hitl/escalations?sort=age', '/hitl/escalations?sort=deadline', '/hitl/escalations?sort=priority', '/hitl/pending/alice?', '/hitl/reads?', '/timers?', '/identity/keys?', '/identity/delegations?'];
      expect(await inLanes(lists.flatMap((list) => cursors.map((cursor) => `${list}&after=${cursor}`)), async (path) => {
        const { status, text } = await stack.get(path, stranger.admin);
        return status < 500 ? null : `${path}: ${status} ${text}`;
      })).toEqual([]);
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
