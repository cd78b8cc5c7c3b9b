import type { Assignees, FieldError, Interaction, Option, Pattern, Quorum, Reason, Rules, UiSchema } from '@umpire/contract';
import { checkRules, valuesOf } from './checks.ts';
import { PATTERN_OPTIONS, checkForm, defaultForm, shapeForm } from './forms.ts';

export type ResolveContext = {
  kind: 'escalation' | 'interaction';
  reason: Reason;
  policy?: { interaction: Interaction; enforce: (keyof Interaction)[] };
  /** Lets `resume.reply_subject` be checked against the namespace's own subjects. */
  namespace?: string;
};

export type Resolved = { ok: true; rules: Rules } | { ok: false; errors: FieldError[] };

const DEFAULT_TIMEOUT: Partial<Record<Pattern, number>> = { collaborative: 24 * 3600, timed_decision: 300 };
const DEFAULT_QUORUM: Partial<Record<Pattern, Quorum>> = { collaborative: 'consensus', approval: 'all' };

/**
 * What the escalation will be decided by: what the request says, the policy where it is silent or the policy insists (`enforce`), the
 * defaults of design.md for the rest. What cannot be honoured is an error with its path under `interaction`.
 */
export function resolveRules(interaction: Interaction | undefined, context: ResolveContext): Resolved {
  const said = interaction ? explicit(interaction) : {};
  const theirs = context.policy ? explicit(context.policy.interaction) : {};
  const barred = context.policy ? insistedOn(said, theirs, context.policy.enforce) : NOTHING;
  const own = without(said, barred);
  const verdict_field = own.verdict_field ?? theirs.verdict_field ?? 'decision';
  const errors = contradictions(own, verdict_field);
  const asked = without(implied(own, verdict_field), barred);
  const merged = { ...fitting(implied(theirs, verdict_field), asked, barred), ...asked };
  const pattern = merged.pattern ?? impliedPattern(merged, verdict_field);
  const options = optionsOf(merged, pattern, verdict_field);
  const terms = { pattern, verdict_field, options };
  if (merged.ui_schema) errors.push(...checkForm(merged.ui_schema, terms, 'interaction.ui_schema'));
  const rules = fill(merged, terms, context.reason);
  errors.push(...checkRules(rules, merged, context.namespace));
  return errors.length ? { ok: false, errors } : { ok: true, rules };
}

/** Without members that are present but undefined, which would hide the policy's. */
function explicit(interaction: Interaction): Interaction {
  return Object.fromEntries(Object.entries(interaction).filter(([, value]) => value !== undefined));
}

/**
 * Fields that are the policy's alone. One that it insists on without giving it is one that no request may set; what follows from an
 * insisted field (a form's options, a default action's effect) is insisted on with it.
 */
function insistedOn(said: Interaction, theirs: Interaction, enforce: (keyof Interaction)[]): ReadonlySet<string> {
  const barred = new Set<string>(enforce);
  const field = theirs.verdict_field ?? said.verdict_field ?? 'decision';
  if (barred.has('ui_schema') && formOptions(theirs.ui_schema, field)) barred.add('options');
  if (barred.has('default_action') && theirs.default_action !== undefined) barred.add('on_timeout');
  return barred;
}

const NOTHING: ReadonlySet<string> = new Set();

function without(interaction: Interaction, barred: ReadonlySet<string>): Interaction {
  return barred.size ? Object.fromEntries(Object.entries(interaction).filter(([key]) => !barred.has(key))) : interaction;
}

/** A form that offers options says what the options are, and a default action says what happens at the deadline. */
function implied(source: Interaction, verdict_field: string): Interaction {
  const offered = formOptions(source.ui_schema, verdict_field);
  return {
    ...source,
    ...(source.options === undefined && offered ? { options: offered } : {}),
    ...(source.on_timeout === undefined && source.default_action !== undefined ? { on_timeout: 'default' as const } : {}),
  };
}

/** A policy fills gaps, it does not break what fits: its verdicts are left out where the request offers other options. */
function fitting(theirs: Interaction, asked: Interaction, barred: ReadonlySet<string>): Interaction {
  if (!asked.options) return theirs;
  const values = valuesOf(asked.options);
  const { approving, default_action, on_timeout, ...rest } = theirs;
  const unfitApproval = approving?.some(value => !values.includes(value)) && !barred.has('approving');
  const unfitDefault = default_action !== undefined && !values.includes(default_action) && !barred.has('default_action');
  return {
    ...rest,
    ...(approving && !unfitApproval ? { approving } : {}),
    ...(default_action !== undefined && !unfitDefault ? { default_action } : {}),
    ...(on_timeout && !(unfitDefault && on_timeout === 'default') ? { on_timeout } : {}),
  };
}

function contradictions(own: Interaction, verdict_field: string): FieldError[] {
  const offered = formOptions(own.ui_schema, verdict_field);
  if (!own.options || !offered) return [];
  const named = valuesOf(own.options);
  const shown = valuesOf(offered);
  if (named.length === shown.length && named.every(value => shown.includes(value))) return [];
  return [{ path: 'interaction.options', code: 'contradiction', message: `differ from those of the form's field ${verdict_field}` }];
}

function formOptions(form: UiSchema | undefined, verdict_field: string): Option[] | undefined {
  const field = form?.fields.find(({ name }) => name === verdict_field);
  return field?.options?.length ? field.options : undefined;
}

/** A request that brings a form of its own which asks for no judgement is after input; everything else is a review. */
function impliedPattern(merged: Interaction, verdict_field: string): Pattern {
  const fields = merged.ui_schema?.fields ?? [];
  const judged = fields.some(({ name }) => name === verdict_field) || merged.options !== undefined || merged.approving !== undefined || merged.default_action !== undefined;
  return fields.length && !judged ? 'input' : 'review';
}

function optionsOf(merged: Interaction, pattern: Pattern, verdict_field: string): Option[] {
  if (merged.options) return merged.options;
  const field = merged.ui_schema?.fields.find(({ name }) => name === verdict_field);
  if (field && field.type !== 'radio' && field.type !== 'select') return [];
  return [...(PATTERN_OPTIONS[pattern] ?? (field ? PATTERN_OPTIONS.review! : []))];
}

type Terms = { pattern: Pattern; verdict_field: string; options: Option[] };

function fill(merged: Interaction, terms: Terms, reason: Reason): Rules {
  const { pattern, options } = terms;
  const timeout_seconds = merged.timeout_seconds ?? DEFAULT_TIMEOUT[pattern] ?? 3600;
  const approving = merged.approving ?? (valuesOf(options).includes('approve') ? ['approve'] : []);
  const rules: Rules = {
    ...terms,
    ui_schema: formFor(merged.ui_schema, terms, { reason, timeout_seconds }),
    approving,
    assignees: names(merged.assignees ?? { roles: ['reviewer'] }),
    quorum: merged.quorum ?? DEFAULT_QUORUM[pattern] ?? 'any',
    veto: merged.veto ?? [],
    exclude: merged.exclude ?? [],
    priority: merged.priority ?? 'normal',
    timeout_seconds,
    on_timeout: merged.on_timeout ?? 'expire',
    reminders: merged.reminders ?? [],
    levels: (merged.levels ?? []).map(({ after_seconds, assignees }) => ({ after_seconds, assignees: names(assignees) })),
    max_iterations: merged.max_iterations ?? 3,
  };
  return withGiven(rules, merged);
}

/** Fields that have no default: there if somebody gave them. */
function withGiven(rules: Rules, merged: Interaction): Rules {
  for (const key of ['prompt', 'review_data', 'requested_by', 'default_action', 'revises', 'action_digest', 'resume'] as const) {
    if (merged[key] !== undefined) Object.assign(rules, { [key]: merged[key] });
  }
  return rules;
}

function formFor(given: UiSchema | undefined, terms: Terms, context: { reason: Reason; timeout_seconds: number }): UiSchema {
  if (given?.fields.length) return shapeForm({ type: terms.pattern, ...given }, terms);
  const form = shapeForm(defaultForm(terms, context), terms);
  return given ? { ...form, ...given, fields: form.fields } : form;
}

function names({ users = [], groups = [], roles = [] }: Assignees): Rules['assignees'] {
  return { users, groups, roles };
}
