import { headers as natsHeaders } from '@nats-io/transport-node';
import { idToken } from '@umpire/contract';
import { eventually } from '@umpire/testing';
import { describe, expect, it } from 'vitest';
import type { Arena } from '../arena.ts';
import { DOCUMENTS, HOSTILE } from '../../../../libs/testing/test/hostile.ts';
import { inLanes } from '../lanes.ts';

/** What a delivery may carry: ours, the endpoint's own, and what HTTP adds. */
const HEADERS = new Set(['host', 'connection', 'content-type', 'content-length', 'user-agent', 'x-event-type', 'webhook-id', 'webhook-timestamp', 'webhook-signature', 'traceparent', 'accept', 'x-own']);

export function hostileText(at: () => Arena): void {
  describe('texts that mean something to somebody', () => {
    it('stay what they are, as id, name, data and metadata, all the way to a signed webhook and an outcome', async () => {
      const { stack, keys, receiver } = at();
      expect((await stack.post('/webhooks/endpoints', keys.admin, { url: `${receiver.origin}/hostile`, headers: { 'X-Own': 'kept' }, events: ['hitl_escalation_required'] })).status).toBe(201);
      await Promise.all(HOSTILE.map(async (text) => {
        const payload = { interaction_id: text, pipeline_name: text.trim() || 'p', step_name: text.trim() || 's', data: { [text]: text }, metadata: { [text]: text } };
        const posted = await stack.post('/api/escalations', keys.producer, { type: 'hitl_interaction', payload, interaction: { prompt: text.trim() || 'p', assignees: { users: ['alice'] } } });
        expect([text, posted.status, posted.body.request_id]).toEqual([text, 202, text]);
        const path = `/hitl/escalations/~${idToken(text)}`;
        const item = await stack.get(path, keys.alice);
        expect([text, item.status, item.body.interaction_id, JSON.stringify(item.body.data)]).toEqual([text, 200, text, JSON.stringify({ [text]: text })]);
        expect(item.headers.get('set-cookie')).toBeNull();
        expect((await stack.post(`${path}/comment`, keys.alice, { text: text.trim() || 'x' })).status).toBe(200);
        const decided = await stack.respond(text, { decision: 'approve', comment: text });
        expect([text, decided.status]).toEqual([text, 200]);
        expect((await stack.get(`/hitl/status/~${idToken(text)}?wait=5`, keys.producer)).body).toMatchObject({ status: 'completed' });
      }));
      await eventually('every webhook', () => receiver.received.filter(({ path }) => path === '/hostile').length >= HOSTILE.length, 60_000);
      const delivered = receiver.received.filter(({ path }) => path === '/hostile');
      expect(new Set(delivered.map(({ text }) => JSON.parse(text).escalation.request_id ?? JSON.parse(text).request_id ?? JSON.parse(text).escalation.payload?.interaction_id))).toEqual(new Set(HOSTILE));
      expect(delivered.flatMap(({ headers }) => Object.keys(headers)).filter((name) => !HEADERS.has(name))).toEqual([]);
    });

    it('are looked for, listed by and refused as words, never as anything else', async () => {
      const { stack, keys } = at();
      const before = (await stack.get('/hitl/escalations?limit=200', keys.admin)).body.items.length;
      const queries = HOSTILE.map(encodeURIComponent).flatMap((word) => [`text=${word}`, `assignee=${word}`, `assignee_role=${word}`, `policy=${word}`, `task_id=${word}`, `sort=${word}`, `after=${word}`, `state=${word}`, `limit=${word}`, `${word}=1`]);
      expect(await inLanes(queries, async (query) => {
        const { status } = await stack.get(`/hitl/escalations?${query}`, keys.admin);
        return status < 500 ? null : `${query}: ${status}`;
      })).toEqual([]);
      // Searches that would be dear if their length or number of words decided the cost.
      const dear = ['a', 'aa*', 'e '.repeat(127), 'the '.repeat(64), '\u0301'.repeat(250), '\u5be9'.repeat(256), `${'x'.repeat(255)}y`, '! & | : * ( ) < - >', "'a':* & 'b':*"];
      for (const text of dear) expect([text, (await stack.get(`/hitl/escalations?text=${encodeURIComponent(text)}`, keys.admin)).status]).toEqual([text, expect.toSatisfy((status: number) => status === 200 || status === 422)]);
      expect((await stack.get('/hitl/escalations?limit=200', keys.admin)).body.items.length).toBe(before);
    });
  });

  describe('documents that no reader may trip over', () => {
    it.each(Object.keys(DOCUMENTS))('%s: refused on every route that takes one, and a dead letter over NATS', async (name) => {
      const { stack, keys } = at();
      const body = DOCUMENTS[name]!;
      const doors: [string, string, string][] = [
        ['POST', '/api/escalations', keys.producer], ['POST', '/hitl/respond', keys.alice], ['POST', '/hitl/bulk/respond', keys.alice], ['POST', '/hitl/escalations/x/comment', keys.alice], ['POST', '/session', ''],
        ['POST', '/policies', keys.admin], ['POST', '/policies/simulate', keys.admin], ['POST', '/webhooks/endpoints', keys.admin], ['PUT', '/webhooks/callbacks', keys.admin], ['POST', '/identity/groups', keys.admin], ['POST', '/identity/keys', keys.admin],
      ];
      for (const [method, path, key] of doors) {
        const response = await fetch(`${stack.origin}${path}`, { method, headers: { ...(key === '' ? {} : { authorization: `Bearer ${key}` }), 'content-type': 'application/json' }, body });
        expect([path, response.status, ((await response.json()) as { code: string }).code]).toEqual([path, expect.toSatisfy((status: number) => status >= 400 && status < 500), expect.any(String)]);
      }
      const { nats } = await stack.producer();
      const set = natsHeaders();
      const inbox = `${stack.connection.nats.producer.inbox_prefix}.document.${Object.keys(DOCUMENTS).indexOf(name)}`;
      set.set('Umpire-Reply-To', inbox);
      const answers = nats.subscribe(inbox, { max: 1 });
      nats.publish('hitl.default.review.low_confidence', body, { headers: set });
      for await (const answer of answers) expect(answer.json<any>()).toMatchObject({ status: 'rejected', errors: expect.arrayContaining([expect.objectContaining({ code: expect.any(String) })]) });
      await nats.close();
    });
  });
}
