import type { FieldError } from '../errors.ts';
import { isReason } from '../reasons.ts';
import { parseCreatedAt } from './created-at.ts';
import { FieldErrors } from './field-errors.ts';
import { kindOf, memberOf, textOf } from './json-view.ts';
import { requestIdProblem } from './request-id.ts';
import { trimText } from './text.ts';

export type Validation = { readonly ok: true } | { readonly ok: false; readonly errors: FieldError[] };

/**
 * Checks a HITLRequest against the contract's structure and its semantic rules (at least one decision, dissenting agents
 * among the agents, score and confidences within 0 and 1, no blank texts). Strings are trimmed for the checks only.
 *
 * @param input a node of `readJson` or a plain value; nothing is converted or changed.
 * @returns every failing field, with a path such as `agent_decisions[2].confidence`.
 */
export function validateHitlRequest(input: unknown): Validation {
  if (kindOf(input) !== 'object') {
    return { ok: false, errors: [{ path: '', code: 'invalid_type', message: 'must be an object' }] };
  }
  const errors = new FieldErrors();
  checkRequestId(errors, input);
  errors.text(input, '', 'task_id');
  errors.text(input, '', 'alignment_state');
  errors.unit(input, '', 'alignment_score');
  checkReason(errors, input);
  errors.text(input, '', 'summary');
  const names = checkDecisions(errors, input);
  checkDissenters(errors, input, names);
  checkCreatedAt(errors, input);
  errors.object(input, '', 'metadata');
  return errors.list.length === 0 ? { ok: true } : { ok: false, errors: errors.list };
}

/** Checks one agent's decision as `validateHitlRequest` does, with paths from the decision on. */
export function validateAgentDecision(input: unknown): Validation {
  if (kindOf(input) !== 'object') {
    return { ok: false, errors: [{ path: '', code: 'invalid_type', message: 'must be an object' }] };
  }
  const errors = new FieldErrors();
  checkDecision(errors, input, '');
  return errors.list.length === 0 ? { ok: true } : { ok: false, errors: errors.list };
}

function checkRequestId(errors: FieldErrors, input: unknown): void {
  const id = errors.text(input, '', 'request_id');
  const problem = id === undefined ? null : requestIdProblem(id);
  if (problem !== null) {
    errors.add('request_id', 'invalid_id', problem);
  }
}

function checkReason(errors: FieldErrors, input: unknown): void {
  const reason = errors.text(input, '', 'escalation_reason');
  if (reason !== undefined && !isReason(reason)) {
    errors.add('escalation_reason', 'not_allowed', 'must be one of the four escalation reasons');
  }
}

function checkCreatedAt(errors: FieldErrors, input: unknown): void {
  const text = errors.text(input, '', 'created_at');
  if (text !== undefined && parseCreatedAt(text) === null) {
    errors.add('created_at', 'invalid_format', 'must be an ISO 8601 date and time');
  }
}

/** @returns the trimmed names of the agents. */
function checkDecisions(errors: FieldErrors, input: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  const decisions = errors.array(input, '', 'agent_decisions');
  if (decisions?.length === 0) {
    errors.add('agent_decisions', 'too_few', 'must hold at least one decision');
  }
  for (const [index, decision] of (decisions ?? []).entries()) {
    const path = `agent_decisions[${index}]`;
    if (kindOf(decision) !== 'object') {
      errors.add(path, 'invalid_type', 'must be an object');
      continue;
    }
    const name = checkDecision(errors, decision, `${path}.`);
    if (name !== undefined) {
      names.add(trimText(name));
    }
  }
  return names;
}

function checkDecision(errors: FieldErrors, decision: unknown, prefix: string): string | undefined {
  const name = errors.text(decision, prefix, 'agent_name');
  errors.text(decision, prefix, 'role_type', { optional: true });
  if (memberOf(decision, 'decision_value') === undefined) {
    errors.add(`${prefix}decision_value`, 'required', 'is missing');
  }
  errors.unit(decision, prefix, 'confidence');
  errors.text(decision, prefix, 'rationale');
  errors.texts(decision, prefix, 'evidence', { optional: true });
  errors.duration(decision, prefix, 'processing_time_ms');
  errors.object(decision, prefix, 'metadata', { optional: true });
  return name;
}

function checkDissenters(errors: FieldErrors, input: unknown, names: ReadonlySet<string>): void {
  const dissenters = errors.texts(input, '', 'dissenting_agents') ?? [];
  for (const [index, item] of dissenters.entries()) {
    if (kindOf(item) === 'string' && !names.has(trimText(textOf(item)))) {
      errors.add(`dissenting_agents[${index}]`, 'unknown_agent', 'names no agent of agent_decisions');
    }
  }
}
