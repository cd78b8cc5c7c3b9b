import { canonicalNumber, JsonSyntaxError, readJson, UmpireError, type FieldError, type JsonNode } from '@umpire/contract';

/** Nesting that every later reader of ours (event, webhook, console) can follow. */
const MAX_DEPTH = 64;

/**
 * A JSON body as a plain value that is what was sent: UTF-8, nested at most 64 deep, and without a number that JavaScript would
 * change (1e400, or an integer above 2^53): such a value is better sent as text. `__proto__` members are dropped.
 * @throws UmpireError `malformed_json`, or `invalid` with the path of each number that cannot be kept
 */
export function readBody(bytes: Uint8Array): unknown {
  let node: JsonNode;
  try {
    node = readJson(bytes, { maxDepth: MAX_DEPTH });
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new UmpireError('malformed_json', `the body is not JSON: ${error.message}`);
    throw error;
  }
  const errors = inexactNumbers(node);
  if (errors.length > 0) throw new UmpireError('invalid', 'some numbers cannot be kept as they were sent; send them as text', { errors });
  return JSON.parse(new TextDecoder().decode(bytes), (key, value: unknown) => (key === '__proto__' ? undefined : value));
}

/** @returns a fault for each number whose value a double does not hold, at most 100. */
export function inexactNumbers(node: JsonNode, path = '', errors: FieldError[] = []): FieldError[] {
  if (errors.length >= 100) return errors;
  if (node.kind === 'number') {
    const value = Number(node.text);
    if (!Number.isFinite(value) || canonicalNumber(String(value)) !== canonicalNumber(node.text)) {
      errors.push({ path, code: 'inexact_number', message: `${node.text.slice(0, 40)} would be changed; send it as text` });
    }
  } else if (node.kind === 'array') node.items.forEach((item, index) => inexactNumbers(item, `${path}[${index}]`, errors));
  else if (node.kind === 'object') for (const { name, value } of node.members) inexactNumbers(value, path ? `${path}.${name}` : name, errors);
  return errors;
}
