import type { JsonNode } from '@umpire/contract';
import { asNode } from './python-text.ts';

/** What kind of value the agents decide on. */
export interface BooleanSchema {
  readonly type: 'boolean';
}

export interface CategoricalSchema {
  readonly type: 'categorical';
  readonly categories: readonly string[];
  /** Decisions are lists of categories. They are compared as texts either way, so `['a', 'b']` is not `['b', 'a']`. */
  readonly allow_multiple?: boolean;
}

export interface ScalarSchema {
  readonly type: 'scalar';
  readonly min_value: number;
  readonly max_value: number;
}

export interface FreeFormSchema {
  readonly type: 'freeform';
}

/** A kind that the engine does not know: compared as text, and the most confident agent's value is taken. */
export interface OtherSchema {
  readonly type: 'other';
  readonly name: string;
}

export type DecisionSchema = BooleanSchema | CategoricalSchema | ScalarSchema | FreeFormSchema | OtherSchema;

/** The schema's name in a summary's metadata, as upstream calls its classes. */
export function schemaTypeName(schema: DecisionSchema): string {
  switch (schema.type) {
    case 'boolean':
      return 'BooleanDecisionSchema';
    case 'categorical':
      return 'CategoricalDecisionSchema';
    case 'scalar':
      return 'ScalarDecisionSchema';
    case 'freeform':
      return 'FreeFormDecisionSchema';
    case 'other':
      return schema.name;
  }
}

/** Whether an agent may answer this value: a boolean, one of the categories (or a list of them), a number in range. */
export function fitsSchema(value: unknown, schema: DecisionSchema): boolean {
  const node = asNode(value);
  switch (schema.type) {
    case 'boolean':
      return node.kind === 'boolean';
    case 'categorical': {
      const chosen = node.kind === 'array' && schema.allow_multiple === true ? node.items : [node];
      return chosen.every((item: JsonNode) => item.kind === 'string' && schema.categories.includes(item.value));
    }
    case 'scalar':
      return node.kind === 'number' && Number(node.text) >= schema.min_value && Number(node.text) <= schema.max_value;
    default:
      return true;
  }
}
