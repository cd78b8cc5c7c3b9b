import fc from 'fast-check';
import { HOSTILE } from './hostile.ts';

const TOKENS = ['null', 'true', '{}', '[]', '""', '1e999', '-0', '12345678901234567890123', '\\u0000', '\\ud800', '\u0000', '"__proto__":', '{"a":', '[', ']', '}', ',', ':', '"', '\\', '\ufeff', '\u00ff'];

/** One change of bytes: where (as a share of the length), what. */
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }), length: fc.nat({ max: 40 }), kind: fc.constantFrom('flip', 'cut', 'repeat', 'insert', 'end'), token: fc.constantFrom(...TOKENS), bit: fc.nat({ max: 7 }),
});

function changed(bytes: Buffer, { at, length, kind, token, bit }: typeof change extends fc.Arbitrary<infer One> ? One : never): Buffer {
  const from = Math.min(bytes.length - 1, Math.floor(at * bytes.length));
  if (from < 0) return Buffer.from(token);
  if (kind === 'flip') {
    const copy = Buffer.from(bytes);
    copy[from]! ^= 1 << bit;
    return copy;
  }
  if (kind === 'end') return bytes.subarray(0, from);
  const middle = kind === 'cut' ? Buffer.alloc(0) : kind === 'repeat' ? Buffer.concat([bytes.subarray(from, from + length), bytes.subarray(from, from + length)]) : Buffer.from(token);
  return Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(kind === 'insert' ? from : from + length)]);
}

export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(fc.constantFrom<unknown>(...HOSTILE), fc.jsonValue({ maxDepth: 3 }), fc.constantFrom<unknown>(null, true, -1, 1e308, 2 ** 53, '', [], {}, [[]], 'x'.repeat(3_000)));

/** A value of the document, somewhere in it, becomes another: by the path that the numbers pick. */
function replaced(value: unknown, picks: number[], put: unknown): unknown {
  const [pick, ...rest] = picks;
  if (pick === undefined || typeof value !== 'object' || value === null) return put;
  const keys = Object.keys(value);
  if (keys.length === 0) return put;
  const key = keys[pick % keys.length]!;
  const inner = replaced((value as Record<string, unknown>)[key], rest, put);
  return Array.isArray(value) ? value.map((one, index) => (String(index) === key ? inner : one)) : { ...value, [key]: inner };
}

/** Bytes, changed a few times. */
export const mutatedBytes = (originals: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> =>
  fc.tuple(originals, fc.array(change, { minLength: 1, maxLength: 4 })).map(([bytes, changes]) => changes.reduce(changed, bytes));

/** Where the document holds a text, a number, a truth or null. */
function leaves(value: unknown, path: string[] = []): string[][] {
  return typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name])) : [path];
}

/** The leaf that the number picks becomes another of its kind: the form stays, so that it is read to its end. */
function alike(document: unknown, [pick, text, share]: [number, string, number]): unknown {
  const all = leaves(document);
  const path = all[pick % Math.max(1, all.length)] ?? [];
  const change = (value: unknown, rest: string[]): unknown => {
    const [name, ...deeper] = rest;
    if (name === undefined) return typeof value === 'number' ? share : typeof value === 'boolean' ? !value : text;
    const inner = change((value as Record<string, unknown>)[name], deeper);
    return Array.isArray(value) ? value.map((one, index) => (String(index) === name ? inner : one)) : { ...(value as object), [name]: inner };
  };
  return change(document, path);
}

/** A JSON text changed in its bytes a few times, or with some values of the document replaced: by anything, or by others of their kind. */
export const mutationOf = (texts: fc.Arbitrary<string>): fc.Arbitrary<Buffer> =>
  fc.oneof(
    mutatedBytes(texts.map((text) => Buffer.from(text))),
    fc.tuple(texts, fc.array(fc.tuple(fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 5 }), hostileValue), { minLength: 1, maxLength: 3 }))
      .map(([text, puts]) => Buffer.from(JSON.stringify(puts.reduce<unknown>((value, [picks, put]) => replaced(value, picks, put), JSON.parse(text))))),
    fc.tuple(texts, fc.array(fc.tuple(fc.nat(), fc.constantFrom<string>(...HOSTILE), fc.double({ min: 0, max: 1, noNaN: true })), { minLength: 1, maxLength: 3 }))
      .map(([text, changes]) => Buffer.from(JSON.stringify(changes.reduce<unknown>(alike, JSON.parse(text))))),
  );
