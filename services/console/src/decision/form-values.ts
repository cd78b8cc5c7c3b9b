import type { EscalationItem } from '@umpire/client';
import type { Draft } from '../drafts.ts';

export type UiField = EscalationItem['ui_schema']['fields'][number];
export type Values = Record<string, unknown>;

const CHOICES: ReadonlySet<string> = new Set(['radio', 'select', 'checkbox', 'number']);

export const valueOf = (option: NonNullable<UiField['options']>[number]): string => (typeof option === 'string' ? option : option.value);
export const labelOf = (option: NonNullable<UiField['options']>[number]): string => (typeof option === 'string' ? option : option.label);
export const fieldId = (requestId: string, name: string): string => `field-${requestId.length}-${name}`.replace(/[^\w-]/g, '_');

/** What the form starts with: the draft, else the texts that it comes with. A judgement never starts filled in. */
export function startValues(item: EscalationItem, draft: Draft | null): { values: Values; older: boolean } {
  const defaults = item.ui_schema.fields.filter((field) => field.default !== undefined && field.name !== item.verdict_field && !CHOICES.has(field.type));
  const values: Values = Object.fromEntries(defaults.map((field) => [field.name, field.default]));
  if (draft === null) return { values, older: false };
  return { values: { ...values, ...draft.values }, older: draft.revision !== item.revision };
}

/** What is sent: the form's fields; a number that is none is sent as it was typed, for the server to name. */
export function answerOf(fields: UiField[], values: Values): Values {
  const given = fields.map((field): [string, unknown] => {
    const value = values[field.name];
    if (field.type === 'number' && typeof value === 'string' && value.trim() !== '') return [field.name, Number.isNaN(Number(value)) ? value : Number(value)];
    return [field.name, value];
  });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined && value !== ''));
}
