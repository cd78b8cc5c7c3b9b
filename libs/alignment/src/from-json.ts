import { member, stringMember, toValue, type AgentDecision, type JsonNode } from '@umpire/contract';
import type { DecisionSchema } from './decision-schema.ts';
import { AlignmentError } from './errors.ts';

/**
 * Agent decisions of a JSON array. Decision values stay nodes, so that 1 and 1.0 and large integers stay apart; the rest
 * are plain values.
 *
 * @throws AlignmentError `invalid_decision` when it is no array of objects with a value each. The engine checks the rest.
 */
export function decisionsFromJson(node: JsonNode | undefined): AgentDecision[] {
  if (node?.kind !== 'array') {
    throw new AlignmentError('invalid_decision', 'decisions must be an array');
  }
  return node.items.map((item, index) => {
    const value = member(item, 'decision_value');
    if (value === undefined) {
      throw new AlignmentError('invalid_decision', `decision ${index} must be an object with a decision_value`);
    }
    // The engine reads each field with a check of its own: the cast claims nothing that it relies on.
    return { ...(toValue(item) as unknown as AgentDecision), decision_value: value };
  });
}

/** The schema in JSON: `{"type": "boolean" | "categorical" | "scalar" | "freeform", …}`; other types are kept by name. */
export function schemaFromJson(node: JsonNode | undefined): DecisionSchema {
  const type = stringMember(node, 'type') ?? '';
  switch (type) {
    case 'boolean':
    case 'freeform':
      return { type };
    case 'categorical': {
      const categories = member(node, 'categories');
      const names = categories?.kind === 'array' ? categories.items.map((item) => String(toValue(item))) : [];
      return { type, categories: names, allow_multiple: flag(member(node, 'allow_multiple')) };
    }
    case 'scalar':
      return { type, min_value: number(member(node, 'min_value'), 0), max_value: number(member(node, 'max_value'), 1) };
    default:
      return { type: 'other', name: type };
  }
}

function flag(node: JsonNode | undefined): boolean {
  return node?.kind === 'boolean' && node.value;
}

function number(node: JsonNode | undefined, otherwise: number): number {
  return node?.kind === 'number' ? Number(node.text) : otherwise;
}
