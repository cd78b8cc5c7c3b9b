import type { ErrorCode, FieldError } from '@umpire/contract';
import { fieldErrors } from '@umpire/runtime';

/** A document may be bad in ten thousand places; an answer and a dead letter that list them must stay publishable. */
const MOST = 100;
const LONGEST_PATH = 256;
const LONGEST_MESSAGE = 300;

/** @returns the first hundred errors, with bounded texts, and one that says how many there were. */
export function boundErrors(errors: FieldError[]): FieldError[] {
  const bounded = errors.slice(0, MOST).map(({ path, code, message }) => ({ path: cut(path, LONGEST_PATH), code, message: cut(message, LONGEST_MESSAGE) }));
  if (errors.length > MOST) bounded.push({ path: '', code: 'too_many_errors', message: `only the first ${MOST} of ${errors.length} errors are listed` });
  return bounded;
}

function cut(text: string, length: number): string {
  return (text.length <= length ? text : `${text.slice(0, length - 1)}…`).toWellFormed();
}

const UNREADABLE = new Set(['invalid_json', 'invalid_utf8', 'too_deep']);

/** @returns the one code that stands for a list of errors: the special ones only where all agree on it. */
export function codeOf(errors: readonly FieldError[]): ErrorCode {
  const codes = new Set(errors.map((error) => error.code));
  if (errors.some((error) => UNREADABLE.has(error.code))) return 'malformed_json';
  if (codes.has('too_large')) return 'too_large';
  if (codes.size !== 1) return 'invalid';
  return codes.has('reason_mismatch') ? 'reason_mismatch' : codes.has('unsupported') ? 'unsupported' : 'invalid';
}

type Issue = Parameters<typeof fieldErrors>[0][number] & { code?: unknown; keys?: unknown };

/** An unknown field is named by its own path: a rule that is not known here must not look accepted. */
export function schemaErrors(issues: readonly Issue[], prefix: readonly string[]): FieldError[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...(issue.path ?? [])];
    if (issue.code !== 'unrecognized_keys' || !Array.isArray(issue.keys)) return fieldErrors([{ ...issue, path }]);
    return issue.keys.flatMap((key: unknown) => fieldErrors([{ path: [...path, String(key)], message: 'is not known' }]).map((error) => ({ ...error, code: 'unsupported' })));
  });
}
