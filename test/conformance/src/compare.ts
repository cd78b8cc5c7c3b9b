import { readJson, toValue, type JsonValue } from '@umpire/contract';
import { alignmentVector } from './alignment-vector.ts';

/** How far numbers may be from the expected ones. */
const TOLERANCE = 1e-9;

/** What a vector expects of the engine; the other members are its input, or further forms of the same. */
const EXPECTED = ['summary', 'needs_review', 'synthesis', 'hitl_request', 'error'] as const;

export interface Mismatch {
  readonly path: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** Where two JSON values differ: numbers to 1e-9, everything else exactly, members in any order. */
export function differences(expected: unknown, actual: unknown, path = ''): Mismatch[] {
  if (typeof expected === 'number' && typeof actual === 'number') {
    return Math.abs(expected - actual) <= TOLERANCE ? [] : [{ path, expected, actual }];
  }
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length) {
    return expected.flatMap((item, index) => differences(item, actual[index], `${path}[${index}]`));
  }
  if (isRecord(expected) && isRecord(actual)) {
    const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
    return [...names].flatMap((name) => differences(expected[name], actual[name], path === '' ? name : `${path}.${name}`));
  }
  return expected === actual ? [] : [{ path, expected, actual }];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Runs one line of a vector file. @returns what is not as the line says; nothing for a match. */
export function checkVectorLine(line: string): Mismatch[] {
  const node = readJson(line);
  const vector = toValue(node) as { [name: string]: JsonValue };
  const expected = Object.fromEntries(EXPECTED.flatMap((name) => (vector[name] === undefined ? [] : [[name, vector[name]]])));
  return differences(expected, alignmentVector(node));
}
