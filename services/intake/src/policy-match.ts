import { canonicalNumber, member, stringMember, type Interaction, type JsonNode } from '@umpire/contract';
import type { CheckedPolicy, SameTask } from './policy-document.ts';
import type { Facts } from './policy-expression.ts';
import { factsOf, type PolicySubject } from './policy-facts.ts';
import { matchesGlob } from './policy-glob.ts';

/** A version of a policy that is in force, ready to be asked. */
export type ActivePolicy = CheckedPolicy & { id: string; version: number; enabled: boolean };

/** What a policy makes of a message: rules that fill what the producer left open, and win on the fields in `enforce`. */
export type PolicyMatch = { id: string; version: number; interaction: Interaction; enforce: (keyof Interaction)[]; same_task?: SameTask };

/** The first condition that does not hold. `exceeded`: its expression was given up, since it costs too much on this message. */
export type Failure = { path: string; message: string; exceeded?: true };

/** Highest priority first, then by id: the order in which policies are asked. */
export function inOrder(policies: readonly ActivePolicy[]): ActivePolicy[] {
  return policies.toSorted((a, b) => b.document.priority - a.document.priority || (a.id < b.id ? -1 : 1));
}

/** A message to be shown to policies. What they look at is read from it once. */
export class Question {
  readonly subject: PolicySubject;
  private facts: Facts | undefined;

  constructor(subject: PolicySubject) {
    this.subject = subject;
  }

  /** @returns why the policy does not take it, or null if it does */
  ask({ document: { match }, expression, enabled }: ActivePolicy): Failure | null {
    if (!enabled) return { path: 'enabled', message: 'the policy is disabled' };
    const { kind, reason, payload } = this.subject;
    if (match.kind !== undefined && match.kind !== kind) return { path: 'match.kind', message: `it is an ${kind}` };
    if (match.reasons && !match.reasons.includes(reason)) return { path: 'match.reasons', message: `its reason is ${reason}` };
    const failure = taskFailure(match.task_id, payload) ?? metadataFailure(match.metadata, payload);
    if (failure || !expression) return failure;
    const evaluated = expression.evaluate((this.facts ??= factsOf(this.subject)));
    return evaluated.holds ? null : { path: 'match.when', message: evaluated.why, ...(evaluated.exceeded ? { exceeded: true } : {}) };
  }
}

export function matchOf({ id, version, document }: ActivePolicy): PolicyMatch {
  const { interaction, enforce, same_task } = document;
  return { id, version, interaction, enforce, ...(same_task ? { same_task } : {}) };
}

type Match = ActivePolicy['document']['match'];

function taskFailure(wanted: Match['task_id'], payload: JsonNode): Failure | null {
  if (wanted === undefined) return null;
  const task = stringMember(payload, 'task_id');
  if (task === undefined) return { path: 'match.task_id', message: 'it names no task' };
  return [wanted].flat().some((pattern) => matchesGlob(pattern, task)) ? null : { path: 'match.task_id', message: 'its task fits no pattern' };
}

function metadataFailure(wanted: Match['metadata'], payload: JsonNode): Failure | null {
  if (wanted === undefined) return null;
  const metadata = member(payload, 'metadata');
  for (const [name, values] of Object.entries(wanted)) {
    const found = member(metadata, name);
    if (found === undefined) return { path: `match.metadata.${name}`, message: 'its metadata have no such member' };
    // Of a list, such as the areas of a disagreement, one item is enough.
    const items = found.kind === 'array' ? found.items : [found];
    if (!items.some((item) => [values].flat().some((value) => isSame(item, value)))) return { path: `match.metadata.${name}`, message: 'it has another value' };
  }
  return null;
}

function isSame(node: JsonNode, value: string | number | boolean | null): boolean {
  switch (node.kind) {
    case 'null':
      return value === null;
    case 'number':
      return typeof value === 'number' && canonicalNumber(node.text) === canonicalNumber(String(value));
    case 'string':
    case 'boolean':
      return node.value === value;
    case 'array':
    case 'object':
      return false;
  }
}
