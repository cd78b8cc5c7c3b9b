import type { FieldError, Option, Pattern, Reason, UiField, UiSchema } from '@umpire/contract';
import { RESERVED_FIELDS } from './answer.ts';
import type { EscalationState } from './types.ts';

/** What a form has to agree with. */
export type FormTerms = { pattern: Pattern; verdict_field: string; options: Option[] };

/** Patterns that ask for a judgement, and the options they offer unless the request names others. */
export const PATTERN_OPTIONS: Readonly<Partial<Record<Pattern, readonly string[]>>> = {
  review: ['approve', 'reject', 'request_changes'],
  collaborative: ['approve', 'reject'],
  approval: ['approve', 'reject'],
  timed_decision: ['proceed', 'abort', 'modify'],
};

/**
 * The design seed's form for each pattern, without its prefilled judgements (0.9 confidence, an unticked box). `input` has none: its
 * form is the request's own.
 */
export function defaultForm({ pattern, verdict_field, options }: FormTerms, context: { reason: Reason; timeout_seconds: number }): UiSchema {
  const judgement: UiField = { name: verdict_field, type: 'radio', options, required: true };
  switch (pattern) {
    case 'input':
      return { type: 'input', fields: [] };
    case 'review':
      return { type: 'review', fields: [judgement, text('feedback', 'Feedback/Comments'), text('suggested_changes', 'Suggested Changes')] };
    case 'collaborative':
    case 'approval':
      return { type: 'approval', fields: [judgement, text('comments', 'Comments (optional)')] };
    case 'timed_decision':
      return { type: 'urgent_decision', fields: [judgement, { name: 'urgency_acknowledged', type: 'checkbox', label: urgencyLabel(context.timeout_seconds), required: true }] };
    case 'manual':
      return {
        type: 'manual_processing',
        context: `Automated processing failed: ${context.reason}`,
        fields: [
          { ...text('manual_result', 'Manual Processing Result'), required: true },
          { name: 'confidence', type: 'number', label: 'Confidence Level (0-1)', min: 0, max: 1, step: 0.1 },
        ],
      };
    case 'refinement':
      return {
        type: 'iterative_refinement',
        fields: [
          { ...text('refined_result', 'Refine Result'), required: true },
          text('refinement_notes', 'What changes did you make?'),
          { name: 'continue_refining', type: 'checkbox', label: 'Continue to next iteration?', required: false },
        ],
      };
  }
}

function text(name: string, label: string): UiField {
  return { name, type: 'textarea', label, required: false };
}

function urgencyLabel(seconds: number): string {
  const [count, unit] = seconds >= 60 ? [Math.floor(seconds / 60), 'minute'] : [Math.ceil(seconds), 'second'];
  return `I understand this decision expires in ${count} ${unit}${count === 1 ? '' : 's'}`;
}

/**
 * A form as people get it: the verdict field is there, required, and offers exactly the options; nothing but text comes with a
 * default, and the verdict field never does.
 */
export function shapeForm(form: UiSchema, { verdict_field, options }: FormTerms): UiSchema {
  const fields = form.fields.map(field => shapeField(field, verdict_field, options));
  if (options.length && !fields.some(({ name }) => name === verdict_field)) {
    fields.unshift({ name: verdict_field, type: 'radio', options, required: true });
  }
  return { ...form, fields };
}

const CHOICES: ReadonlySet<string> = new Set(['radio', 'select', 'checkbox', 'number']);

function shapeField(field: UiField, verdict_field: string, options: Option[]): UiField {
  const judgement = field.name === verdict_field;
  let shaped = field;
  if (field.default !== undefined && (judgement || CHOICES.has(field.type))) {
    const { default: _dropped, ...rest } = field;
    shaped = rest;
  }
  return judgement && options.length ? { ...shaped, options, required: true } : shaped;
}

/** @returns the faults of a form, each with its path below `path`. */
export function checkForm(form: UiSchema, { verdict_field }: FormTerms, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  form.fields.forEach((field, i) => {
    const at = `${path}.fields[${i}]`;
    const fault = (member: string, code: string, message: string): void => void errors.push({ path: `${at}.${member}`, code, message });
    if (seen.has(field.name)) fault('name', 'duplicate', `another field is named ${field.name}`);
    seen.add(field.name);
    if (RESERVED_FIELDS.has(field.name)) fault('name', 'reserved', `${field.name} is set by the server alone`);
    const choice = field.type === 'radio' || field.type === 'select';
    if (choice && !field.options?.length && field.name !== verdict_field) fault('options', 'required', 'a choice needs options');
    if (field.min !== undefined && field.max !== undefined && field.min > field.max) fault('min', 'range', 'lies above max');
    if (field.min_length !== undefined && field.max_length !== undefined && field.min_length > field.max_length) fault('min_length', 'range', 'lies above max_length');
  });
  return errors;
}

/**
 * The form to show now. A refinement round names its number and starts from the result so far as text (`facts.current_result` while
 * that is still the producer's own); other forms are as the rules have them.
 */
export function formOf(state: EscalationState, facts: { current_result?: unknown } = {}): UiSchema {
  const form = state.rules.ui_schema;
  if (state.rules.pattern !== 'refinement') return form;
  const current = state.current_result ?? facts.current_result;
  return {
    ...form,
    iteration: state.iteration,
    fields: form.fields.map(field => {
      if (field.name !== 'refined_result') return field;
      const label = `${field.label ?? 'Refine Result'} (Iteration ${state.iteration})`;
      if (current === undefined) return { ...field, label };
      return { ...field, label, default: typeof current === 'string' ? current : JSON.stringify(current, null, 2) };
    }),
  };
}
