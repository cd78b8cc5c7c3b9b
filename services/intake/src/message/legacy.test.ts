import { validateHitlRequest, type Reason } from '@umpire/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes, hitlRequest, humanReviewRequest, text } from '../../test/samples.ts';
import type { PolicyFinder } from './read-message.ts';
import { readMessage } from './read-message.ts';
import type { Origin } from './origin.ts';

const NOW = Date.UTC(2031, 1, 3, 4, 5, 6);
const on = (reason: Reason = 'hard_disagreement', now = NOW): Origin => ({ namespace: 'default', subject: { verb: 'review', reason }, submission: 'HITL_REVIEW:7@1', interactionId: () => 'made-here', now: () => now });
const posted = (now = NOW): Origin => ({ ...on(), subject: null, now: () => now });
const noPolicy: PolicyFinder = () => null;

function read(message: unknown, origin: Origin = on(), policy = noPolicy) {
  const result = readMessage(bytes(message), origin, policy);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  if (result.item.type === 'cancel') throw new Error('not a cancel');
  return { ...result, item: result.item, stored: JSON.parse(text(result.payload)) as Record<string, unknown> };
}
const errorsOf = (message: unknown, origin: Origin = on()) => {
  const result = readMessage(bytes(message), origin, noPolicy);
  return result.ok ? [] : result.errors.map(({ path, code }) => `${path} ${code}`);
};

describe('a deprecated HumanReviewRequest', () => {
  it('is read as the HITLRequest that it means, bare and as a queue message', () => {
    const bare = read(humanReviewRequest());
    expect(bare).toMatchObject({ deprecated: 'HumanReviewRequest', item: { type: 'escalation', reason: 'hard_disagreement', task_id: 'beleg/2031/4 Ø', rules: { pattern: 'input', priority: 'high', prompt: 'Say which one is right.' } } });
    expect(validateHitlRequest(bare.stored).ok).toBe(true);
    expect(bare.stored).toMatchObject({ request_id: bare.item.request_id, created_at: '2031-02-03T04:05:06.000Z', metadata: { team: 'audit', evaluation_request_id: 'eval-7' } });
    const wrapped = read({ type: 'hitl_escalation', payload: humanReviewRequest(), routing_key: 'review.hard_disagreement' }, posted());
    expect({ ...wrapped.item, submission: '' }).toEqual({ ...bare.item, submission: '' });
  });

  it('is not what has an id of today’s', () => {
    expect(read(hitlRequest({ evaluation_result: {} }))).not.toHaveProperty('deprecated');
  });

  it('has the time that its deadline leaves, and is the same content however late it is sent again', () => {
    const message = humanReviewRequest({ deadline: '2031-02-03T05:05:06' });
    const [first, later, over] = [read(message), read(message, on('hard_disagreement', NOW + 1_800_000)), read(message, on('hard_disagreement', NOW + 7_200_000))];
    expect([first, later, over].map(({ item }) => item.rules.timeout_seconds)).toEqual([3600, 1800, 0.001]);
    expect(new Set([first, later, over].map(({ item }) => item.content_digest)).size).toBe(1);
    expect(read(humanReviewRequest({ deadline: '2099-01-01T00:00:00Z' })).item.rules.timeout_seconds).toBe(366 * 24 * 3600);
    expect(read(humanReviewRequest({ deadline: 'tomorrow noon' }))).toMatchObject({ item: { rules: { timeout_seconds: 3600 } }, stored: { metadata: { deadline: 'tomorrow noon' } } });
    expect(read(humanReviewRequest({ deadline: 'tomorrow noon' })).item.content_digest).not.toBe(first.item.content_digest);
  });

  it('lets the block beside it count more, and the policy where that insists', () => {
    const message = { type: 'hitl_escalation', payload: humanReviewRequest({ deadline: '2031-02-03T05:05:06Z' }), interaction: { priority: 'low', timeout_seconds: 60, assignees: { users: ['ann'] } } };
    expect(read(message).item.rules).toMatchObject({ pattern: 'input', priority: 'low', timeout_seconds: 60, assignees: { users: ['ann'] } });
    const policy: PolicyFinder = (subject) => {
      expect(subject).toMatchObject({ kind: 'escalation', reason: 'hard_disagreement' });
      return { id: 'p', version: 3, interaction: { pattern: 'review', timeout_seconds: 90 }, enforce: ['pattern', 'timeout_seconds'] };
    };
    expect(read(message, on(), policy).item).toMatchObject({ policy: { id: 'p', version: 3 }, rules: { pattern: 'review', timeout_seconds: 90 } });
  });

  it('names every field at fault by the path of the old form', () => {
    expect(errorsOf(humanReviewRequest({ task_id: ' ' }, { alignment_score: 7, dissenting_agents: ['nobody'] })).sort()).toEqual([
      'evaluation_result.alignment_summary.alignment_score out_of_range', 'evaluation_result.alignment_summary.dissenting_agents[0] unknown_agent', 'task_id blank',
    ]);
    expect(errorsOf({ type: 'hitl_escalation', payload: humanReviewRequest({ disagreement_summary: '' }), interaction: 7 })).toEqual(['payload.disagreement_summary blank']);
    expect(errorsOf({ type: 'hitl_escalation', payload: humanReviewRequest(), interaction: 7 })).toEqual(['interaction invalid_type']);
  });

  it('belongs on the subject of the reason that it means', () => {
    const soft = humanReviewRequest({}, { state: 'soft_disagreement' });
    expect(read(soft, posted()).item.reason).toBe('low_confidence');
    expect(read(soft, on('low_confidence')).stored['escalation_reason']).toBe('low_confidence');
    expect(errorsOf(soft)).toEqual(['evaluation_result.alignment_summary.state reason_mismatch']);
  });

  it('is read or refused, whatever stands in it', () => {
    const members = fc.constantFrom(...Object.keys(humanReviewRequest()), 'agent_decisions', 'alignment_summary', 'request_id');
    fc.assert(fc.property(members, fc.jsonValue(), fc.jsonValue(), (name, value, block) => {
      const old = humanReviewRequest();
      const within = name in old ? { ...old, [name]: value } : { ...old, evaluation_result: { ...(old['evaluation_result'] as object), [name]: value } };
      for (const message of [within, { type: 'hitl_escalation', payload: within, interaction: block }]) {
        const result = readMessage(bytes(message), on(), noPolicy);
        if (!result.ok) expect(result.errors.length).toBeGreaterThan(0);
        else expect(result.item.request_id).not.toBe('');
        JSON.stringify(result);
      }
    }), { numRuns: 500 });
  });
});
