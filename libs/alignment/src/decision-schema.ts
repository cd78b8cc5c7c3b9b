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
