import { parseHitlRequest, type HITLRequest } from '@umpire/contract';
import { describe, expect, it } from 'vitest';
import { cancelMessage, escalationMessage, interactionMessage } from './messages.ts';

const text = '{"request_id":"r","escalation_reason":"low_confidence","metadata":{"n":12345678901234567890,"x":1.50}}';
const value: HITLRequest = {
  request_id: 'r', task_id: 't', alignment_state: 'hard_disagreement', alignment_score: 0.5, escalation_reason: 'hard_disagreement', summary: 's',
  agent_decisions: [{ agent_name: 'a', decision_value: true, confidence: 1, rationale: 'r' }], dissenting_agents: [], created_at: '2026-01-15T10:30:00.123456', metadata: {},
};
const refused = (code: string) => expect.objectContaining({ name: 'UmpireError', code });

describe('an escalation\'s message', () => {
  it('carries a text byte for byte', () => {
    expect(escalationMessage(` ${text}\n`, { quorum: 'all' })).toEqual({
      requestId: 'r', reason: 'low_confidence', body: `{"type":"hitl_escalation","payload":${text},"routing_key":"review.low_confidence","interaction":{"quorum":"all"}}`,
    });
  });

  it('is the same of a value and of a document that was read', () => {
    const parsed = parseHitlRequest(JSON.stringify(value));
    expect(parsed.ok && escalationMessage(parsed.document)).toEqual(escalationMessage(value));
    expect(JSON.parse(escalationMessage(value).body)).toEqual({ type: 'hitl_escalation', payload: value, routing_key: 'review.hard_disagreement' });
  });

  it.each([
    ['no JSON', '{', 'malformed_json'], ['no id', '{"escalation_reason":"custom_rule"}', 'invalid'], ['another reason', text.replace('low_confidence', 'mood'), 'invalid'],
    ['an id that none can have', text.replace('"r"', '"\\u0000"'), 'invalid'], ['a whole message', `{"type":"hitl_escalation","payload":${text}}`, 'invalid'],
    ['too much', text.replace('1.50', `"${'x'.repeat(256 * 1024)}"`), 'too_large'],
  ])('is not made of %s', (_, given, code) => {
    expect(() => escalationMessage(given)).toThrow(refused(code));
  });
});

describe('a question\'s message', () => {
  const question = { pipeline_name: 'p', step_name: 's', data: { a: 1 } };

  it('always has an id, so that it may be repeated', () => {
    const made = interactionMessage(question);
    expect(JSON.parse(made.body)).toEqual({ type: 'hitl_interaction', payload: { interaction_id: made.requestId, ...question } });
    expect(interactionMessage(question).requestId).not.toBe(made.requestId);
    expect(interactionMessage({ ...question, interaction_id: 'mine', escalation_reason: 'low_confidence' })).toMatchObject({ requestId: 'mine', reason: 'low_confidence' });
  });

  it('leaves out what is not there, and refuses what has no JSON form', () => {
    expect(interactionMessage({ ...question, interaction_id: 'i', metadata: undefined }).body).toBe('{"type":"hitl_interaction","payload":{"interaction_id":"i","pipeline_name":"p","step_name":"s","data":{"a":1}}}');
    expect(() => interactionMessage({ ...question, data: { when: new Date(0) } })).toThrow(TypeError);
  });

  it('is taken back by its id', () => {
    expect(cancelMessage('i', { detail: 'solved' })).toEqual({ requestId: 'i', reason: 'custom_rule', body: '{"type":"hitl_cancel","payload":{"request_id":"i","detail":"solved"}}' });
  });
});
