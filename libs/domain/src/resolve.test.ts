import { interactionSchema } from '@umpire/contract';
import type { Interaction } from '@umpire/contract';
import { describe, expect, it } from 'vitest';
import { Case, HOUR, rulesOf } from '../test/fixtures.ts';
import { formOf, resolveRules } from './index.ts';
import type { ResolveContext } from './index.ts';

const context: ResolveContext = { kind: 'escalation', reason: 'low_confidence' };

function errorsOf(interaction: Interaction, more: Partial<ResolveContext> = {}): [string, string][] {
  const resolved = resolveRules(interactionSchema.parse(interaction), { ...context, ...more });
  return resolved.ok ? [] : resolved.errors.map(({ path, code }) => [path, code]);
}

function withPolicy(interaction: Interaction | undefined, policy: Interaction, enforce: (keyof Interaction)[] = []): ReturnType<typeof resolveRules> {
  return resolveRules(interaction, { ...context, policy: { interaction: policy, enforce } });
}

describe('defaults', () => {
  it('of a message that says nothing: any reviewer, a review, one hour, then expiry', () => {
    expect(rulesOf(undefined)).toEqual({
      pattern: 'review',
      verdict_field: 'decision',
      options: ['approve', 'reject', 'request_changes'],
      ui_schema: {
        type: 'review',
        fields: [
          { name: 'decision', type: 'radio', options: ['approve', 'reject', 'request_changes'], required: true },
          { name: 'feedback', type: 'textarea', label: 'Feedback/Comments', required: false },
          { name: 'suggested_changes', type: 'textarea', label: 'Suggested Changes', required: false },
        ],
      },
      approving: ['approve'],
      assignees: { users: [], groups: [], roles: ['reviewer'] },
      quorum: 'any',
      veto: [],
      exclude: [],
      priority: 'normal',
      timeout_seconds: 3600,
      on_timeout: 'expire',
      reminders: [],
      levels: [],
      max_iterations: 3,
    });
  });

  const people = { assignees: { users: ['alice', 'bob'] } };
  it.each([
    ['review', 'review', 'any', 3600, ['decision', 'feedback', 'suggested_changes'], ['approve', 'reject', 'request_changes']],
    ['approval', 'approval', 'all', 3600, ['decision', 'comments'], ['approve', 'reject']],
    ['collaborative', 'approval', 'consensus', 86_400, ['decision', 'comments'], ['approve', 'reject']],
    ['timed_decision', 'urgent_decision', 'any', 300, ['decision', 'urgency_acknowledged'], ['proceed', 'abort', 'modify']],
    ['manual', 'manual_processing', 'any', 3600, ['manual_result', 'confidence'], []],
    ['refinement', 'iterative_refinement', 'any', 3600, ['refined_result', 'refinement_notes', 'continue_refining'], []],
    ['input', 'input', 'any', 3600, [], []],
  ] as const)('of %s', (pattern, type, quorum, timeout_seconds, fields, options) => {
    const rules = rulesOf({ pattern, ...people });
    expect(rules).toMatchObject({ pattern, quorum, timeout_seconds, options, on_timeout: 'expire', ui_schema: { type } });
    expect(rules.ui_schema.fields.map(({ name }) => name)).toEqual(fields);
    expect(rules.ui_schema.fields.filter(field => 'default' in field)).toEqual([]);
  });

  it('ask for input where the form asks for no judgement, and for a review otherwise', () => {
    expect(rulesOf({ ui_schema: { fields: [{ name: 'amount', type: 'number' }] } }).pattern).toBe('input');
    expect(rulesOf({ ui_schema: { fields: [{ name: 'decision', type: 'radio', options: ['a', 'b'] }] } })).toMatchObject({ pattern: 'review', options: ['a', 'b'], approving: [] });
    expect(rulesOf({ ui_schema: { fields: [{ name: 'amount', type: 'number' }] }, options: ['yes', 'no'] }).pattern).toBe('review');
    expect(rulesOf({ assignees: { users: ['alice'] } }).pattern).toBe('review');
    expect(rulesOf({ ui_schema: { fields: [] } }).ui_schema.fields).toHaveLength(3);
  });

  it('say how long an urgent decision is open', () => {
    const label = (timeout_seconds?: number): unknown => rulesOf({ pattern: 'timed_decision', timeout_seconds }).ui_schema.fields[1]!.label;
    expect([label(), label(60), label(30)]).toEqual([
      'I understand this decision expires in 5 minutes',
      'I understand this decision expires in 1 minute',
      'I understand this decision expires in 30 seconds',
    ]);
  });

  it('take a default action for what happens at the deadline', () => {
    expect(rulesOf({ default_action: 'reject' }).on_timeout).toBe('default');
    expect(rulesOf({ default_action: 'reject', on_timeout: 'hold' }).on_timeout).toBe('hold');
  });
});

describe('forms', () => {
  it('get their verdict field, required and with exactly the options', () => {
    const rules = rulesOf({ pattern: 'approval', assignees: { users: ['a'] }, options: [{ value: 'approve', label: 'Yes' }, 'reject'], ui_schema: { fields: [{ name: 'why', type: 'text' }] } });
    expect(rules.ui_schema).toEqual({ type: 'approval', fields: [{ name: 'decision', type: 'radio', options: [{ value: 'approve', label: 'Yes' }, 'reject'], required: true }, { name: 'why', type: 'text' }] });
    const own = rulesOf({ verdict_field: 'choice', ui_schema: { type: 'mine', fields: [{ name: 'choice', type: 'select', default: 'approve' }] } });
    expect(own.ui_schema).toEqual({ type: 'mine', fields: [{ name: 'choice', type: 'select', options: ['approve', 'reject', 'request_changes'], required: true }] });
  });

  it('keep defaults in text fields only', () => {
    const fields = ['text', 'textarea', 'rich', 'number', 'radio', 'select', 'checkbox', 'hidden'].map(type => ({ name: type, type, options: ['a'], default: 'a' }));
    const rules = rulesOf({ pattern: 'input', ui_schema: { fields } });
    expect(rules.ui_schema.fields.filter(field => field.default !== undefined).map(({ name }) => name)).toEqual(['text', 'textarea', 'rich', 'hidden']);
  });

  it('of a refinement show the round and the result so far', () => {
    const it = new Case({ pattern: 'refinement' });
    expect(formOf(it.state, { current_result: { a: [1] } }).fields[0]).toEqual({ name: 'refined_result', type: 'textarea', label: 'Refine Result (Iteration 1)', required: true, default: '{\n  "a": [\n    1\n  ]\n}' });
    expect(formOf(it.state).fields[0]).not.toHaveProperty('default');
    it.answer('alice', { refined_result: 'better', continue_refining: true });
    expect(formOf(it.state, { current_result: 'old' })).toMatchObject({ iteration: 2, fields: [{ label: 'Refine Result (Iteration 2)', default: 'better' }, {}, {}] });
    const plain = new Case(undefined);
    expect(formOf(plain.state)).toBe(plain.state.rules.ui_schema);
  });
});

describe('refused before anything is stored', () => {
  const users = { assignees: { users: ['alice', 'bob'] } };
  it.each<[string, Interaction, [string, string][]]>([
    ['a default without an action', { on_timeout: 'default' }, [['interaction.default_action', 'required']]],
    ['a default outside the options', { default_action: 'proceed' }, [['interaction.default_action', 'outside_options']]],
    ['a default where there are no options', { pattern: 'input', default_action: 'skip' }, [['interaction.default_action', 'outside_options']]],
    ['abstaining by default', { options: ['approve', 'abstain'], default_action: 'abstain' }, [['interaction.default_action', 'abstain']]],
    ['all over the default role', { quorum: 'all' }, [['interaction.quorum', 'bare_role']]],
    ['majority over a role', { quorum: 'majority', assignees: { roles: ['lead'] } }, [['interaction.quorum', 'bare_role']]],
    ['consensus over people and a role', { quorum: 'consensus', assignees: { users: ['a'], roles: ['lead'] } }, [['interaction.quorum', 'bare_role']]],
    ['the counted default of a pattern over a role', { pattern: 'approval' }, [['interaction.quorum', 'bare_role']]],
    ['a role in a level of what is counted', { quorum: 'all', ...users, levels: [{ after_seconds: 1, assignees: { roles: ['lead'] } }] }, [['interaction.levels[0].assignees.roles', 'bare_role']]],
    ['more answers than people', { quorum: { at_least: 3 }, ...users }, [['interaction.quorum', 'too_few']]],
    ['more answers than people after four-eyes', { quorum: { at_least: 2 }, ...users, requested_by: 'bob' }, [['interaction.quorum', 'too_few']]],
    ['nobody', { assignees: { users: [] } }, [['interaction.assignees', 'required']]],
    ['everybody excluded', { ...users, exclude: ['alice'], requested_by: 'bob' }, [['interaction.assignees', 'all_excluded']]],
    ['an option twice', { options: ['approve', { value: 'approve', label: 'Yes' }] }, [['interaction.options', 'duplicate']]],
    ['options that differ from the form', { options: ['yes', 'no'], ui_schema: { fields: [{ name: 'decision', type: 'radio', options: ['yes', 'maybe'] }] } }, [['interaction.options', 'contradiction']]],
    ['approving outside the options', { approving: ['proceed'] }, [['interaction.approving', 'outside_options']]],
    ['approving by abstaining', { options: ['approve', 'abstain'], approving: ['abstain'] }, [['interaction.approving', 'abstain']]],
    ['approving with a form that asks for no verdict', { pattern: 'input', approving: ['yes'], ui_schema: { fields: [{ name: 'x', type: 'text' }] } }, [['interaction.approving', 'no_verdict']]],
    ['a veto with nothing to veto', { options: ['a', 'b'], ...users, veto: ['bob'] }, [['interaction.veto', 'nothing_to_veto']]],
    ['a stranger\'s veto', { ...users, veto: ['mallory'] }, [['interaction.veto', 'not_assigned']]],
    ['a refinement by many', { pattern: 'refinement', quorum: 'all', ...users }, [['interaction.quorum', 'unsupported']]],
    ['levels out of order', { levels: [{ after_seconds: 60, assignees: { users: ['a'] } }, { after_seconds: 60, assignees: { users: ['b'] } }] }, [['interaction.levels[1].after_seconds', 'order']]],
    ['an empty level', { levels: [{ after_seconds: 60, assignees: {} }] }, [['interaction.levels[0].assignees', 'required']]],
    ['a choice without options', { ui_schema: { fields: [{ name: 'x', type: 'select' }] } }, [['interaction.ui_schema.fields[0].options', 'required']]],
    ['two fields of one name', { ui_schema: { fields: [{ name: 'x', type: 'text' }, { name: 'x', type: 'text' }] } }, [['interaction.ui_schema.fields[1].name', 'duplicate']]],
    ['a form that asks for provenance', { ui_schema: { fields: [{ name: 'timeout_applied', type: 'checkbox' }] } }, [['interaction.ui_schema.fields[0].name', 'reserved']]],
    ['min above max', { ui_schema: { fields: [{ name: 'x', type: 'number', min: 2, max: 1 }, { name: 'y', type: 'text', min_length: 2, max_length: 1 }] } }, [['interaction.ui_schema.fields[0].min', 'range'], ['interaction.ui_schema.fields[1].min_length', 'range']]],
    ['everything at once', { on_timeout: 'default', quorum: 'all', approving: ['x'] }, [['interaction.approving', 'outside_options'], ['interaction.default_action', 'required'], ['interaction.quorum', 'bare_role']]],
  ])('%s', (_what, interaction, errors) => {
    expect(errorsOf(interaction)).toEqual(errors);
  });

  it.each([
    ['hitl.default.reply.x', []],
    ['hitl.default.reply.x.y', []],
    ['hitl.default.reply', [['interaction.resume.reply_subject', 'outside_prefix']]],
    ['hitl.default.reply.>', [['interaction.resume.reply_subject', 'outside_prefix']]],
    ['hitl.default.reply..x', [['interaction.resume.reply_subject', 'outside_prefix']]],
    ['hitl.other.reply.x', [['interaction.resume.reply_subject', 'outside_prefix']]],
    ['hitl.default.review.low_confidence', [['interaction.resume.reply_subject', 'outside_prefix']]],
  ])('a reply to %s: %j', (reply_subject, errors) => {
    expect(errorsOf({ resume: { reply_subject } }, { namespace: 'default' })).toEqual(errors);
  });

  it('not: what only looks odd', () => {
    expect(errorsOf({ quorum: { at_least: 5 }, assignees: { groups: ['credit'] } })).toEqual([]);
    expect(errorsOf({ quorum: 'all', assignees: { groups: ['credit'] }, veto: ['carol'] })).toEqual([]);
    expect(errorsOf({ quorum: { at_least: 2 }, assignees: { users: ['a'] }, levels: [{ after_seconds: 5, assignees: { users: ['b'] } }] })).toEqual([]);
    expect(errorsOf({ default_action: 'proceed', on_timeout: 'hold' })).toEqual([]);
    expect(errorsOf({ exclude: ['alice'] })).toEqual([]);
    expect(errorsOf({ reminders: [7200] })).toEqual([]);
  });
});

describe('a policy', () => {
  const rules = (resolved: ReturnType<typeof resolveRules>): unknown => (resolved.ok ? resolved.rules : resolved.errors);

  it('fills what the request leaves out', () => {
    expect(rules(withPolicy({ prompt: 'Well?', timeout_seconds: undefined }, { assignees: { groups: ['senior'] }, timeout_seconds: 60, prompt: 'Please' }))).toMatchObject({ prompt: 'Well?', timeout_seconds: 60, assignees: { groups: ['senior'], roles: [] } });
  });

  it('wins on the fields that it enforces, absent ones too', () => {
    expect(rules(withPolicy({ assignees: { users: ['friend'] }, timeout_seconds: 5 }, { assignees: { groups: ['senior'] }, timeout_seconds: 60 }, ['assignees']))).toMatchObject({ assignees: { users: [], groups: ['senior'] }, timeout_seconds: 5 });
    expect(rules(withPolicy({ default_action: 'approve' }, {}, ['default_action']))).toMatchObject({ on_timeout: 'expire' });
    expect(rules(withPolicy({ default_action: 'approve' }, {}, ['default_action']))).not.toHaveProperty('default_action');
    expect(rules(withPolicy({ on_timeout: 'hold' }, { default_action: 'reject' }, ['default_action']))).toMatchObject({ on_timeout: 'default', default_action: 'reject' });
    expect(rules(withPolicy({ verdict_field: 'x' }, {}, ['verdict_field']))).toMatchObject({ verdict_field: 'decision' });
  });

  it('does not break a request whose options are its own', () => {
    const policy: Interaction = { options: ['approve', 'reject', 'abstain'], approving: ['approve'], default_action: 'reject' };
    expect(rules(withPolicy({ options: ['yes', 'no'] }, policy))).toMatchObject({ options: ['yes', 'no'], approving: [], on_timeout: 'expire' });
    expect(rules(withPolicy({ options: ['approve', 'reject'] }, policy))).toMatchObject({ approving: ['approve'], on_timeout: 'default', default_action: 'reject' });
    expect(rules(withPolicy({ ui_schema: { fields: [{ name: 'decision', type: 'radio', options: ['yes', 'no'] }] } }, policy))).toMatchObject({ options: ['yes', 'no'] });
    expect(rules(withPolicy({ options: ['yes', 'no'] }, policy, ['default_action']))).toMatchObject([{ path: 'interaction.default_action' }]);
  });

  it('that insists on its form insists on its options', () => {
    const ui_schema = { fields: [{ name: 'decision', type: 'radio', options: ['ship', 'hold'] }] };
    expect(rules(withPolicy({ options: ['yes', 'no'] }, { ui_schema, approving: ['ship'] }, ['ui_schema']))).toMatchObject({ options: ['ship', 'hold'], approving: ['ship'] });
    expect(rules(withPolicy({ ui_schema: { fields: [{ name: 'decision', type: 'radio', options: ['yes'] }] } }, { options: ['ship', 'hold'] }, ['options']))).toMatchObject({ options: ['ship', 'hold'], ui_schema: { fields: [{ options: ['ship', 'hold'] }] } });
  });

  it('does not turn a request\'s own default action into something else', () => {
    expect(rules(withPolicy({ default_action: 'reject' }, { on_timeout: 'hold' }))).toMatchObject({ on_timeout: 'default' });
    expect(rules(withPolicy({ default_action: 'reject' }, { on_timeout: 'hold' }, ['on_timeout']))).toMatchObject({ on_timeout: 'hold' });
  });
});

describe('everything that rules allow', () => {
  it('opens with a deadline', () => {
    for (const pattern of ['input', 'review', 'manual', 'refinement', 'timed_decision'] as const) {
      const it = new Case({ pattern });
      expect(it.after(24 * HOUR).do({ type: 'clock', kind: 'deadline', ordinal: 0, generation: 1 }).events).toHaveLength(1);
    }
  });
});
