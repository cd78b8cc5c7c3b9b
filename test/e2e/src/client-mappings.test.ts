import {
  applyToolApproval, approvalKey, askOnce, fromHumanInterrupt, fromToolApproval, showcaseRespond, toHumanResponse, toolCallDigest, UmpireClient, type HumanInterrupt, type ToolApprovalItem,
} from '@umpire/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from './stack.ts';

let stack: Stack;
let producer: UmpireClient;
let alice: UmpireClient;
let bob: UmpireClient;

beforeAll(async () => {
  stack = await Stack.start('all');
  const { keys } = stack.connection;
  [producer, alice, bob] = [keys.producer, keys.reviewers.alice, keys.reviewers.bob].map((key) => new UmpireClient({ url: stack.origin, key })) as [UmpireClient, UmpireClient, UmpireClient];
});
afterAll(() => stack.stop());

const place = { pipelineName: 'agent', stepName: 'tools', interaction: { assignees: { users: ['alice'] } } };

describe('LangGraph\'s human interrupt', () => {
  const interrupt: HumanInterrupt = {
    action_request: { action: 'send_email', args: { to: 'ann@example.com', copies: 2 } },
    config: { allow_ignore: true, allow_respond: true, allow_edit: true, allow_accept: true },
    description: 'Please review the mail',
  };
  const ask = (key: string, more: object = {}) => askOnce(producer, fromHumanInterrupt(interrupt, { ...place, interaction: { ...place.interaction, ...more } }), { key });

  it('is decided by a person who edits', async () => {
    const { interaction_id } = await ask('thread-1');
    expect((await ask('thread-1')).interaction_id).toBe(interaction_id);
    const item = await alice.get(interaction_id);
    expect(item).toMatchObject({ prompt: 'Please review the mail', options: ['accept', 'edit', 'response', 'ignore'], data: { action_request: interrupt.action_request } });
    expect(item.ui_schema.fields.map(({ name, default: given }) => [name, given])).toEqual([['decision', undefined], ['args.to', 'ann@example.com'], ['args.copies', '2'], ['response', undefined]]);
    await alice.respond(interaction_id, { decision: 'edit', 'args.to': 'bo@example.com', 'args.copies': '3' });
    expect(toHumanResponse(interrupt, await producer.waitForOutcome(interaction_id))).toEqual({ type: 'edit', args: { action: 'send_email', args: { to: 'bo@example.com', copies: 3 } } });
  });

  it('is no consent when the time is over, unless it was said what then', async () => {
    const silent = await ask('thread-2', { timeout_seconds: 0.2 });
    expect(toHumanResponse(interrupt, await producer.waitForOutcome(silent.interaction_id))).toBeNull();
    const ignored = await ask('thread-3', { timeout_seconds: 0.2, default_action: 'ignore' });
    expect(toHumanResponse(interrupt, await producer.waitForOutcome(ignored.interaction_id))).toEqual({ type: 'ignore', args: null });
  });
});

describe('a tool call of OpenAI Agents', () => {
  it('runs once, for what was approved', async () => {
    const item: ToolApprovalItem = { rawItem: { type: 'function_call', callId: 'call_1', name: 'refund', arguments: '{"amount":5}' }, agent: { name: 'Clerk' } };
    const { interaction_id } = await askOnce(producer, fromToolApproval(item, place), { key: approvalKey(item) });
    await alice.respond(interaction_id, { decision: 'approve' });
    const approved: unknown[] = [];
    const state = { approve: (one: ToolApprovalItem) => void approved.push(one), reject: () => undefined };
    expect(applyToolApproval(state, item, await producer.waitForOutcome(interaction_id))).toBe('approved');
    expect(approved).toEqual([item]);
    const permit = { consumer_id: 'run-1', action_digest: toolCallDigest(item) };
    expect(await producer.consume(interaction_id, permit)).toMatchObject({ status: 'consumed' });
    await expect(producer.consume(interaction_id, { ...permit, consumer_id: 'run-2' })).rejects.toMatchObject({ code: 'already_consumed' });
    const other = { ...item, rawItem: { ...item.rawItem, arguments: '{"amount":500}' } };
    await expect(producer.consume(interaction_id, { ...permit, action_digest: toolCallDigest(other) })).rejects.toMatchObject({ code: 'digest_mismatch' });
  });
});

describe('the upstream showcase\'s form', () => {
  const handler = () => showcaseRespond((request) => new UmpireClient({ url: stack.origin, key: request.headers.get('authorization')!.slice('Bearer '.length) }));
  const post = async (path: string, key: string, body: unknown) => {
    const response = await handler()(new Request(`http://showcase${path}`, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: JSON.stringify(body) }));
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('decides here, in the name of the person whose credential it is', async () => {
    const keys = stack.connection.keys.reviewers;
    await producer.interact({ interaction_id: 'show/1', pipeline_name: 'p', step_name: 's', data: {}, interaction: { pattern: 'review', assignees: { users: ['alice', 'bob'] } } });
    const path = `/api/hitl/${encodeURIComponent('show/1')}/respond`;
    expect(await post(path, keys.alice, { human_input: { decision: 'approve' }, responded_by: 'bob' })).toMatchObject({ status: 403 });
    expect(await post(path, keys.alice, { human_input: {} })).toMatchObject({ status: 422, body: { errors: [{ path: 'user_input.decision' }] } });
    expect(await post(path, keys.alice, { human_input: { decision: 'approve' }, responded_by: 'alice' })).toEqual({
      status: 200, body: { status: 'success', message: 'Response recorded and pipeline resumed', interaction_id: 'show/1', execution_id: null },
    });
    expect(await post(path, keys.bob, { human_input: { decision: 'reject' } })).toMatchObject({ status: 400, body: { code: 'already_settled', outcome: { verdict: 'approve' } } });
    expect(await post('/api/hitl/nobody/respond', keys.bob, { human_input: {} })).toMatchObject({ status: 404 });
    expect(await post('/api/hitl/cleanup-expired', keys.bob, {})).toMatchObject({ status: 404 });
    expect(await post(path, keys.bob, { human_input: 'yes' })).toMatchObject({ status: 422 });
    expect((await bob.get('show/1')).outcome).toMatchObject({ decided_by: ['alice'] });
  });
});
