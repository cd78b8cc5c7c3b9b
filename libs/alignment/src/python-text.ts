import { isJsonNode, readJson, writeJson, type JsonNode, type JsonObject } from '@umpire/contract';

/** How deep a decision value may nest; the reader's own upper limit. */
const DEEPEST = 512;

/**
 * Python's `str()` of a JSON value: `True`, `1`, `1.0`, `low`, `['low', 'high']`. The rules compare decisions by it.
 *
 * @param value a node of `readJson`, whose numbers keep the difference between 1 and 1.0, or a plain value, which is read
 *   as its JSON text would be (so the number 1 is an integer).
 * @throws TypeError for a value that has no JSON form.
 */
export function pythonText(value: unknown): string {
  const node = asNode(value);
  return node.kind === 'string' ? node.value : repr(node);
}

/** The value as a node; plain values (with nodes inside or not) go through their JSON text. */
export function asNode(value: unknown): JsonNode {
  return isJsonNode(value) ? value : readJson(writeJson(value), { maxDepth: DEEPEST });
}

function repr(node: JsonNode): string {
  switch (node.kind) {
    case 'null':
      return 'None';
    case 'boolean':
      return node.value ? 'True' : 'False';
    case 'number':
      return numberText(node.text);
    case 'string':
      return stringRepr(node.value);
    case 'array':
      return `[${node.items.map(repr).join(', ')}]`;
    case 'object':
      return dictRepr(node);
  }
}

/** A duplicate member takes the place of the first and the value of the last, as in a Python dictionary. */
function dictRepr(node: JsonObject): string {
  const members = new Map(node.members.map((member) => [member.name, member.value]));
  return `{${Array.from(members, ([name, value]) => `${stringRepr(name)}: ${repr(value)}`).join(', ')}}`;
}

function numberText(text: string): string {
  if (/[.eE]/.test(text)) {
    return floatRepr(Number(text));
  }
  return text === '-0' ? '0' : text;
}

/** Python's `repr(float)`: the shortest digits that round trip, like JavaScript's, but with its own use of exponents. */
function floatRepr(value: number): string {
  if (!Number.isFinite(value)) {
    return value > 0 ? 'inf' : '-inf';
  }
  if (value === 0) {
    return Object.is(value, -0) ? '-0.0' : '0.0';
  }
  const [mantissa = '', power = ''] = Math.abs(value).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  const exponent = Number(power);
  const sign = value < 0 ? '-' : '';
  if (exponent < -4 || exponent >= 16) {
    return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  if (exponent < 0) {
    return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  }
  const integer = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${integer}.${digits.slice(exponent + 1) || '0'}`;
}

/** Control, format, surrogate, private and unassigned characters, and separators other than the space. */
const UNPRINTABLE = /[\p{C}\p{Z}]/u;

/** Python's `repr(str)`. What is printable follows this platform's Unicode version, as it does in Python. */
function stringRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let body = '';
  for (const character of text) {
    if (character === quote || character === '\\') {
      body += `\\${character}`;
    } else if (character === ' ' || !UNPRINTABLE.test(character)) {
      body += character;
    } else {
      body += NAMED_ESCAPES.get(character) ?? escapedCodePoint(character.codePointAt(0) ?? 0);
    }
  }
  return quote + body + quote;
}

const NAMED_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

function escapedCodePoint(code: number): string {
  const hex = code.toString(16);
  if (code <= 0xff) {
    return `\\x${hex.padStart(2, '0')}`;
  }
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
