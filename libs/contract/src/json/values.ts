import type { JsonNode, JsonValue } from './nodes.ts';

/**
 * The plain value of a node, as `JSON.parse` would give it: the last of duplicate members wins, `__proto__` is an
 * ordinary own property, and numbers are doubles (so 2^53 + 1 and 1.0 lose their text: keep the node where that matters).
 */
export function toValue(node: JsonNode): JsonValue {
  switch (node.kind) {
    case 'null':
      return null;
    case 'boolean':
    case 'string':
      return node.value;
    case 'number':
      return Number(node.text);
    case 'array':
      return node.items.map(toValue);
    case 'object': {
      const value: { [name: string]: JsonValue } = {};
      for (const { name, value: child } of node.members) {
        setMember(value, name, toValue(child));
      }
      return value;
    }
  }
}

/** Sets an own property whatever its name: plain assignment of `__proto__` would change the prototype instead. */
export function setMember<T>(target: { [name: string]: T }, name: string, value: T): void {
  if (name === '__proto__') {
    Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
  } else {
    target[name] = value;
  }
}

/** The text that the node was read from, unchanged. `text` must be the text given to `readJson`. */
export function rawText(node: JsonNode, text: string): string {
  return text.slice(node.start, node.end);
}

/** The value of the named member, the last one if it stands more than once; undefined if there is none or no object. */
export function member(node: JsonNode | undefined, name: string): JsonNode | undefined {
  if (node?.kind !== 'object') {
    return undefined;
  }
  const { members } = node;
  for (let i = members.length - 1; i >= 0; i--) {
    const candidate = members[i];
    if (candidate?.name === name) {
      return candidate.value;
    }
  }
  return undefined;
}

/** The string of the named member; undefined if it is missing or not a string. */
export function stringMember(node: JsonNode | undefined, name: string): string | undefined {
  const value = member(node, name);
  return value?.kind === 'string' ? value.value : undefined;
}
