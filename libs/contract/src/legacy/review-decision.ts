import type { FieldError } from '../errors.ts';
import { FieldErrors } from '../hitl/field-errors.ts';
import { kindOf, memberOf } from '../hitl/json-view.ts';
import { trimText } from '../hitl/text.ts';
import { isJsonNode, type JsonValue } from '../json/nodes.ts';
import { toValue } from '../json/values.ts';

/** A deprecated review decision as an answer. It names a task: it answers the task's only pending escalation, if there is one. */
export interface MappedReviewDecision {
  readonly taskId: string;
  /** The reviewer as the old form names it; who really answers is told by the credential. */
  readonly userId: string;
  /** Body of the answer. The decision stands under the verdict field; what is null in the old form is left out. */
  readonly userInput: { readonly [name: string]: JsonValue };
}

export type ReviewDecisionMapping =
  | { readonly ok: true; readonly mapped: MappedReviewDecision }
  | { readonly ok: false; readonly errors: FieldError[] };

/** True for a body that can only be a HumanReviewDecision: today's answers name an `interaction_id`. */
export function isHumanReviewDecision(input: unknown): boolean {
  return memberOf(input, 'interaction_id') === undefined && memberOf(input, 'reviewer_id') !== undefined && memberOf(input, 'task_id') !== undefined;
}

/**
 * Maps a deprecated HumanReviewDecision to an answer. Pure.
 *
 * @param input a node of `readJson` or a plain value.
 * @param verdictField the field of the form that holds the verdict.
 */
export function mapHumanReviewDecision(input: unknown, verdictField = 'decision'): ReviewDecisionMapping {
  if (kindOf(input) !== 'object') {
    return { ok: false, errors: [{ path: '', code: 'invalid_type', message: 'must be an object' }] };
  }
  const errors = new FieldErrors();
  const taskId = errors.text(input, '', 'task_id');
  const userId = errors.text(input, '', 'reviewer_id');
  const decision = memberOf(input, 'decision_value');
  if (decision === undefined) {
    errors.add('decision_value', 'required', 'is missing');
  }
  if (!isAbsent(memberOf(input, 'confidence'))) {
    errors.unit(input, '', 'confidence');
  }
  errors.duration(input, '', 'review_time_ms');
  for (const name of ['rationale', 'feedback']) {
    if (!isAbsent(memberOf(input, name)) && kindOf(memberOf(input, name)) !== 'string') {
      errors.add(name, 'invalid_type', 'must be a string');
    }
  }
  if (taskId === undefined || userId === undefined || errors.list.length > 0) {
    return { ok: false, errors: errors.list };
  }
  return { ok: true, mapped: { taskId, userId: trimText(userId), userInput: answer(input, verdictField, decision) } };
}

function answer(input: unknown, verdictField: string, decision: unknown): { [name: string]: JsonValue } {
  const userInput: { [name: string]: JsonValue } = {};
  for (const name of ['confidence', 'rationale', 'review_time_ms', 'feedback', 'metadata']) {
    const value = memberOf(input, name);
    if (!isAbsent(value)) {
      userInput[name] = plain(value);
    }
  }
  userInput[verdictField] = plain(decision);
  return userInput;
}

function isAbsent(value: unknown): boolean {
  return kindOf(value) === 'missing' || kindOf(value) === 'null';
}

function plain(value: unknown): JsonValue {
  return isJsonNode(value) ? toValue(value) : (value as JsonValue);
}
