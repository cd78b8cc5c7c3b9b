import { describe, expect, it } from 'vitest';
import { applyToolApproval, approvalKey, fromHumanInterrupt, fromToolApproval, toHumanResponse, toolCallDigest, type HumanInterrupt, type ToolApprovalItem } from '../index.ts';

const place = { pipelineName: 'agent', stepName: 'tools' };
const completed = (verdict: string | null, response: unknown = {}) => ({ state: 'completed' as const, verdict, response });
const open = [{ state: 'expired' as const, verdict: null, response: null }, { state: 'cancelled' as const, verdict: null, response: null }];

describe('LangGraph\'s human interrupt', () => {
  const interrupt: HumanInterrupt = {
    action_request: { action: 'send_email', args: { to: 'ann@example.com', cc: ['bo@example.com'], urgent: false } },
    config: { allow_ignore: true, allow_respond: true, allow_edit: true, allow_accept: true },
    description: 'Please review the mail',
  };

  it('is a question with a field for each argument', () => {
    expect(fromHumanInterrupt(interrupt, { ...place, interaction: { assignees: { users: ['alice'] } } })).toEqual({
      pipeline_name: 'agent', step_name: 'tools', data: { ...interrupt },
      interaction: {
        pattern: 'review', prompt: 'Please review the mail', options: ['accept', 'edit', 'response', 'ignore'], approving: ['accept', 'edit'], assignees: { users: ['alice'] },
        ui_schema: {
          type: 'human_interrupt',
          fields: [
            { name: 'decision', type: 'radio', options: ['accept', 'edit', 'response', 'ignore'], required: true },
            { name: 'args.to', type: 'textarea', label: 'to', default: 'ann@example.com' },
            { name: 'args.cc', type: 'textarea', label: 'cc', default: '[\n  "bo@example.com"\n]' },
            { name: 'args.urgent', type: 'textarea', label: 'urgent', default: 'false' },
            { name: 'response', type: 'textarea', label: 'Response' },
          ],
        },
      },
    });
  });

  it('offers what it allows, and nothing else', () => {
    const config = { allow_ignore: true, allow_respond: false, allow_edit: false, allow_accept: false };
    const { interaction } = fromHumanInterrupt({ ...interrupt, config, description: undefined }, place);
    expect(interaction).toMatchObject({ options: ['ignore'], approving: [], prompt: 'Approve send_email?', ui_schema: { fields: [{ name: 'decision' }] } });
    expect(() => fromHumanInterrupt({ ...interrupt, config: { ...config, allow_ignore: false } }, place)).toThrow(expect.objectContaining({ code: 'unsupported' }));
    const args = Object.fromEntries(Array.from({ length: 91 }, (_, index) => [`a${index}`, index]));
    expect(() => fromHumanInterrupt({ ...interrupt, action_request: { action: 'x', args } }, place)).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  it.each([
    ['accept', {}, { type: 'accept', args: null }],
    ['ignore', { response: 'no' }, { type: 'ignore', args: null }],
    ['response', { response: 'ask her first' }, { type: 'response', args: 'ask her first' }],
    ['response', {}, { type: 'response', args: '' }],
    ['edit', { 'args.to': '17', 'args.cc': '["x"]', 'args.urgent': 'rather' }, { type: 'edit', args: { action: 'send_email', args: { to: '17', cc: ['x'], urgent: 'rather' } } }],
    ['edit', {}, { type: 'edit', args: interrupt.action_request }],
  ])('goes on with the answer %s %j', (verdict, response, expected) => {
    expect(toHumanResponse(interrupt, completed(verdict, { decision: verdict, ...response }))).toEqual(expected);
  });

  it.each(open)('has no response where nobody decided: $state', (outcome) => {
    expect(toHumanResponse(interrupt, outcome)).toBeNull();
    expect(() => toHumanResponse(interrupt, completed('burn'))).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });
});

describe('a tool call of OpenAI Agents', () => {
  const call: ToolApprovalItem = { rawItem: { type: 'function_call', callId: 'call_1', name: 'refund', arguments: '{"amount":5}' }, agent: { name: 'Clerk' }, toolName: 'refund' };

  it('is a question with a digest of exactly this call', () => {
    const question = fromToolApproval(call, place);
    expect(question.data).toEqual({ agent: 'Clerk', tool: 'refund', call_id: 'call_1', arguments: { amount: 5 } });
    expect(question.interaction).toMatchObject({ pattern: 'approval', quorum: 'any', prompt: 'May Clerk call refund?', action_digest: toolCallDigest(call) });
    expect(toolCallDigest({ ...call, rawItem: { ...call.rawItem, arguments: '{"amount":6}' } })).not.toBe(toolCallDigest(call));
    expect(approvalKey(call)).toBe('call_1');
  });

  it.each([
    ['a hosted call', { type: 'hosted_tool_call', id: 'h1', name: 'web_search', arguments: 'not json' }, { tool: 'web_search', call_id: 'h1', arguments: 'not json' }],
    ['a shell call', { type: 'shell_call', callId: 's1', action: { commands: ['ls'] } }, { tool: 'shell_call', call_id: 's1', arguments: { action: { commands: ['ls'] } } }],
  ])('may be %s', (_, rawItem, expected) => {
    expect(fromToolApproval({ rawItem, agent: { name: 'Clerk' } }, place).data).toMatchObject(expected);
  });

  it('without an id cannot be asked once', () => {
    expect(() => approvalKey({ rawItem: { type: 'shell_call' }, agent: { name: 'Clerk' } })).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  it('is approved or rejected in the run\'s state, and left alone where nobody decided', () => {
    const said: unknown[] = [];
    const state = { approve: (item: ToolApprovalItem) => void said.push(['approve', item]), reject: (item: ToolApprovalItem, options?: object) => void said.push(['reject', item, options]) };
    expect(applyToolApproval(state, call, completed('approve'))).toBe('approved');
    expect(applyToolApproval(state, call, completed('reject', { message: 'too much' }))).toBe('rejected');
    expect(applyToolApproval(state, call, completed('reject'))).toBe('rejected');
    for (const outcome of open) expect(applyToolApproval(state, call, outcome)).toBe('undecided');
    expect(said).toEqual([['approve', call], ['reject', call, { message: 'too much' }], ['reject', call, {}]]);
  });
});
