import type { FieldError, Rules, UiField, UiSchema } from '@umpire/contract';
import { ABSTAIN } from './quorum.ts';

/** What a person answered, in the form's own fields; whatever else they sent is kept apart and never merged. */
export type Answer = { ok: true; response: Record<string, unknown>; unknown: Record<string, unknown> } | { ok: false; errors: FieldError[] };

/** Provenance that only the server sets: no form may ask for it, no answer may carry it. */
export const RESERVED_FIELDS: ReadonlySet<string> = new Set(['timeout_applied']);

type Check = { value: unknown } | { code: string; message: string };

/**
 * Checks an answer against its form on the server and names every field at fault (`user_input.<name>`). A form without fields
 * takes any object: there is nothing to check it against. Optional fields left empty are left out of `response`.
 */
export function validateAnswer(ui_schema: UiSchema, user_input: Record<string, unknown>): Answer {
  const errors: FieldError[] = [];
  const response: [string, unknown][] = [];
  const free = ui_schema.fields.length === 0;
  const names = new Set(ui_schema.fields.map(field => field.name));
  for (const field of ui_schema.fields) {
    const given = Object.hasOwn(user_input, field.name) ? user_input[field.name] : undefined;
    const check = checkField(field, given);
    if ('code' in check) errors.push({ path: `user_input.${field.name}`, ...check });
    else if (check.value !== undefined) response.push([field.name, check.value]);
  }
  if (errors.length) return { ok: false, errors };
  const others = Object.entries(user_input).filter(([key]) => !names.has(key));
  const taken = free ? others.filter(([key]) => !RESERVED_FIELDS.has(key)) : [];
  const apart = free ? others.filter(([key]) => RESERVED_FIELDS.has(key)) : others;
  return { ok: true, response: Object.fromEntries([...response, ...taken]), unknown: Object.fromEntries(apart) };
}

function checkField(field: UiField, given: unknown): Check {
  const empty = given === undefined || given === null || (typeof given === 'string' && given.trim() === '');
  if (empty) return field.required ? { code: 'required', message: 'an answer is required' } : { value: undefined };
  switch (field.type) {
    case 'number':
      return checkNumber(field, given);
    case 'checkbox':
      if (typeof given !== 'boolean') return { code: 'type', message: 'must be true or false' };
      return field.required && !given ? { code: 'must_be_true', message: 'must be ticked' } : { value: given };
    case 'radio':
    case 'select':
      return checkChoice(field, given);
    case 'hidden':
      return { value: given };
    default:
      return checkText(field, given);
  }
}

function checkText(field: UiField, given: unknown): Check {
  if (typeof given !== 'string') return { code: 'type', message: 'must be text' };
  const length = [...given].length;
  if (field.min_length !== undefined && length < field.min_length) return { code: 'min_length', message: `must have at least ${field.min_length} characters` };
  if (field.max_length !== undefined && length > field.max_length) return { code: 'max_length', message: `must have at most ${field.max_length} characters` };
  if (field.options?.length) return checkChoice(field, given);
  return { value: given };
}

function checkChoice(field: UiField, given: unknown): Check {
  const values = (field.options ?? []).map(option => (typeof option === 'string' ? option : option.value));
  if (typeof given === 'string' && values.includes(given)) return { value: given };
  return { code: 'option', message: `must be one of: ${values.join(', ')}` };
}

function checkNumber(field: UiField, given: unknown): Check {
  if (typeof given !== 'number' || !Number.isFinite(given)) return { code: 'type', message: 'must be a number' };
  if (field.min !== undefined && given < field.min) return { code: 'min', message: `must be at least ${field.min}` };
  if (field.max !== undefined && given > field.max) return { code: 'max', message: `must be at most ${field.max}` };
  if (field.step !== undefined && !onStep(given, field.min ?? 0, field.step)) return { code: 'step', message: `must be in steps of ${field.step}` };
  return { value: given };
}

/** Steps are decimal (0.1), numbers are binary: 0.3 is on the step although 0.3 / 0.1 is 2.9999999999999996. */
function onStep(value: number, base: number, step: number): boolean {
  const steps = (value - base) / step;
  return Math.abs(steps - Math.round(steps)) <= 1e-9 * Math.max(1, Math.abs(steps));
}

/** The word for an answer whose form asks for no judgement (`input`, `manual`, `refinement`). */
export const SUBMITTED = 'submitted';

/** The verdict that an answer stands for: what it says in the verdict field, else that something was submitted. */
export function verdictOf(rules: Rules, response: Record<string, unknown>): string {
  const value = Object.hasOwn(response, rules.verdict_field) ? response[rules.verdict_field] : undefined;
  if (typeof value === 'string' && value !== '') return rules.options.length || value !== ABSTAIN ? value : SUBMITTED;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return SUBMITTED;
}
