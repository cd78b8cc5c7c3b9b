import { REASONS, type Interaction } from '@umpire/contract';
import { resolveRules, type ResolveContext } from '@umpire/domain';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inferInteraction, same } from './policy-inference.ts';

const NONE: ResolveContext = { kind: 'escalation', reason: 'hard_disagreement' };

describe('what a producer must have said', () => {
  it.each<[string, Interaction]>([
    ['nothing', {}],
    ['a time', { timeout_seconds: 90 }],
    ['people', { assignees: { users: ['alice'], groups: ['seniors'] }, quorum: { at_least: 1 } }],
    ['a default', { default_action: 'reject' }],
    ['a pattern whose form tells its time', { pattern: 'timed_decision', timeout_seconds: 40, default_action: 'abort' }],
    ['options', { options: ['yes', { value: 'no', label: 'No!' }], approving: ['yes'] }],
    ['a form of its own', { ui_schema: { fields: [{ name: 'amount', type: 'number', required: true }] } }],
    ['a form that offers options', { ui_schema: { fields: [{ name: 'decision', type: 'select', options: ['a', 'b'] }] }, default_action: 'b' }],
    ['levels and reminders', { levels: [{ after_seconds: 60, assignees: { roles: ['lead'] } }], reminders: [30], on_timeout: 'hold' }],
    ['what only it can know', { prompt: 'Pay?', requested_by: 'pat', revises: 'earlier', review_data: { content: 'x' }, resume: { pipeline_name: 'p', step_name: 's' } }],
  ])('is found again: %s', (_, said) => {
    const rules = resolved(said, NONE);
    const found = inferInteraction(rules, NONE)!;
    expect(resolved(found, NONE)).toEqual(rules);
    if (Object.keys(said).length === 0) expect(found).toEqual({});
  });

  it('leaves to the policy what the policy gave', () => {
    const context: ResolveContext = { ...NONE, policy: { interaction: { timeout_seconds: 120, priority: 'high', assignees: { roles: ['lead'] } }, enforce: ['priority'] } };
    expect(inferInteraction(resolved({ reminders: [60], priority: 'low' }, context), context)).toEqual({ reminders: [60] });
  });

  it('is null where no producer could have said it', () => {
    const context: ResolveContext = { ...NONE, policy: { interaction: { priority: 'high' }, enforce: ['priority'] } };
    expect(inferInteraction(resolved({ priority: 'low' }, NONE), context)).toBeNull();
  });

  it('gives the recorded rules again, whatever was said under whatever policy', () => {
    const some = fc.record({
      pattern: fc.constantFrom('review', 'approval', 'timed_decision', 'manual', 'collaborative', 'refinement'), timeout_seconds: fc.integer({ min: 1, max: 90_000 }), priority: fc.constantFrom('low', 'high', 'critical'),
      assignees: fc.constantFrom({ users: ['alice'] }, { users: ['alice', 'bob'] }, { groups: ['g'] }), quorum: fc.constantFrom('any', 'all', 'majority'), on_timeout: fc.constantFrom('expire', 'hold'),
      reminders: fc.constantFrom([10], [20, 5]), levels: fc.constant([{ after_seconds: 9, assignees: { users: ['dora'] } }]), prompt: fc.string({ maxLength: 5 }), exclude: fc.constant(['mallory']),
      default_action: fc.constantFrom('approve', 'abort'), max_iterations: fc.integer({ min: 1, max: 5 }), options: fc.constantFrom(['approve', 'reject', 'abort'], ['abort', 'go']),
    }, { requiredKeys: [] }) as fc.Arbitrary<Interaction>;
    fc.assert(fc.property(some, fc.option(some), fc.array(fc.constantFrom<keyof Interaction>('timeout_seconds', 'assignees', 'priority')), fc.constantFrom(...REASONS), (said, policy, enforce, reason) => {
      const context: ResolveContext = { kind: 'escalation', reason, ...(policy ? { policy: { interaction: policy, enforce } } : {}) };
      const first = resolveRules(said, context);
      // A policy that does not stand by itself is never taken in.
      fc.pre(first.ok && resolveRules(undefined, context).ok);
      if (!first.ok) return;
      const found = inferInteraction(first.rules, context);
      expect(found).not.toBeNull();
      const again = resolveRules(found!, context);
      expect(again.ok && same(again.rules, first.rules)).toBe(true);
    }), { numRuns: 500 });
  });
});

function resolved(said: Interaction, context: ResolveContext) {
  const found = resolveRules(said, context);
  if (!found.ok) throw new Error(JSON.stringify(found.errors));
  return found.rules;
}
