import { isJsonNode, type JsonNode } from '../json/nodes.ts';
import { member } from '../json/values.ts';

/** Reads plain values and nodes of `readJson` alike, so that one validator serves both without a conversion. */
export type JsonKind = JsonNode['kind'] | 'missing' | 'other';

export function kindOf(value: unknown): JsonKind {
  if (isJsonNode(value)) {
    return value.kind;
  }
  switch (typeof value) {
    case 'undefined':
      return 'missing';
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value as 'string';
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'array' : 'object';
    default:
      return 'other';
  }
}

/** The named member of what `kindOf` calls an object; undefined if it has none of its own. */
export function memberOf(value: unknown, name: string): unknown {
  if (isJsonNode(value)) {
    return member(value, name);
  }
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

/** The items of what `kindOf` calls an array. */
export function itemsOf(value: unknown): readonly unknown[] {
  if (isJsonNode(value)) {
    return value.kind === 'array' ? value.items : [];
  }
  return Array.isArray(value) ? value : [];
}

/** The text of what `kindOf` calls a string. */
export function textOf(value: unknown): string {
  if (isJsonNode(value)) {
    return value.kind === 'string' ? value.value : '';
  }
  return typeof value === 'string' ? value : '';
}

/** The double of what `kindOf` calls a number. */
export function numberOf(value: unknown): number {
  if (isJsonNode(value)) {
    return value.kind === 'number' ? Number(value.text) : Number.NaN;
  }
  return typeof value === 'number' ? value : Number.NaN;
}
