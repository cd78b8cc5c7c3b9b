import { isJsonNode, type JsonNode } from './nodes.ts';

/** As in `canonicalJson`: a cycle in a plain value ends here instead of in a stack overflow. */
const DEEPEST = 600;

/**
 * JSON text of a plain value with nodes of `readJson` inside: nodes keep number text, member order and duplicates.
 * Compact, members in their own order, undefined members left out.
 *
 * @throws TypeError for what has no JSON form; RangeError for a value nested more than 600 deep, cycles included.
 */
export function writeJson(value: unknown): string {
  return isJsonNode(value) ? nodeText(value) : valueText(value, DEEPEST);
}

function nodeText(node: JsonNode): string {
  switch (node.kind) {
    case 'null':
      return 'null';
    case 'boolean':
      return String(node.value);
    case 'number':
      return node.text;
    case 'string':
      return JSON.stringify(node.value);
    case 'array':
      return `[${node.items.map(nodeText).join(',')}]`;
    case 'object':
      return `{${node.members.map((member) => `${JSON.stringify(member.name)}:${nodeText(member.value)}`).join(',')}}`;
  }
}

function valueText(value: unknown, depthLeft: number): string {
  if (typeof value === 'bigint') {
    return String(value);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new TypeError('a number without a JSON form');
  }
  if (typeof value !== 'object' || value === null) {
    const text: string | undefined = JSON.stringify(value);
    if (text === undefined) {
      throw new TypeError(`${typeof value} has no JSON form`);
    }
    return text;
  }
  if (isJsonNode(value)) {
    return nodeText(value);
  }
  if (depthLeft === 0) {
    throw new RangeError('nested too deeply');
  }
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item: unknown) => valueText(item, depthLeft - 1)).join(',')}]`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError('only plain objects have a JSON form');
  }
  const members = Object.entries(value).filter(([, child]) => child !== undefined);
  return `{${members.map(([name, child]) => `${JSON.stringify(name)}:${valueText(child, depthLeft - 1)}`).join(',')}}`;
}
