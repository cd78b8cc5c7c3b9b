import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mean, pythonText, sampleDeviation } from '@umpire/alignment';
import { readJson, splitWords, trimText, twoDecimals } from '@umpire/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fingerprint } from './index.ts';
import { pythonIsThere, runPython } from './python.ts';
import { sharedLines } from './shared-data.ts';

const RUNS = 2000;

/** White space of all kinds, letters whose case changes in odd ways, quotes, and characters that Python escapes. */
const oddCharacters = fc.constantFrom(
  ...' \t\n\v\f\r\u001c\u001d\u001e\u001f\u0085\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u200b\u180e',
  ...`aZ'"\\İıßẞΣσςΑ.\u0301\u00ad\u0345審Ǆǅ`,
  ...'😀\u{1f1e9}\u{10400}\u{e0001}\u{f0000}\u007f\u0000',
);
const anyCharacter = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((character) => !/\p{Cn}/u.test(character));
const text = fc.string({ unit: fc.oneof({ arbitrary: oddCharacters, weight: 3 }, { arbitrary: anyCharacter, weight: 1 }), maxLength: 12 });

const numberText = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? '-0.0' : String(value).includes('.') ? String(value) : `${value}`)),
  fc.tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: -30, max: 30 })).map(([digits, power]) => `${digits}e${power}`),
  fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(String),
  fc.constantFrom('-0', '0', '-0.0', '1.0', '1e16', '9999999999999998.0', '1e-4', '0.00001', '1e22', '1.7976931348623157e308', '5e-324', '100000000000000000000.0', '1e400'),
);

const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    numberText,
    text.map((value) => JSON.stringify(value)),
    fc.constantFrom('true', 'false', 'null'),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    fc.array(fc.tuple(fc.oneof(fc.constantFrom('a', 'b'), text), tie('value')), { maxLength: 4 }).map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(',')}}`),
  ),
})).value;

/** Asks Python about each input. A null answer means that its Unicode version does not know a character of the input. */
function ask(op: string, inputs: readonly unknown[]): unknown[] {
  const lines = runPython('reference.py', [], inputs.map((input) => `{"op": "${op}", "input": ${jsonOf(input)}}\n`).join(''));
  expect(lines).toHaveLength(inputs.length);
  return lines.map((line) => JSON.parse(line) as unknown);
}

/** JSON in which every number of an array is a float for Python, since ours are. */
function jsonOf(input: unknown): string {
  return Array.isArray(input) ? `[${input.map((item) => floatText(Number(item))).join(',')}]` : JSON.stringify(input);
}

/** Compares our answers with Python's; at least nine in ten must have been comparable. */
function agree<Input>(op: string, inputs: readonly Input[], ours: (input: Input) => unknown): void {
  const answers = ask(op, inputs);
  let compared = 0;
  for (const [index, input] of inputs.entries()) {
    const answer = answers[index];
    if (answer !== null && !(typeof answer === 'string' && /\p{Cn}/u.test(answer))) {
      expect({ input, answer: ours(input) }).toEqual({ input, answer });
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(inputs.length * 0.9);
}

describe.skipIf(!pythonIsThere)("Python's own answers", () => {
  const doubles = fc.oneof(
    fc.integer({ min: 0, max: 100 }).map((value) => value / 100),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }),
  );

  test('str() of JSON values', () => {
    agree('str', fc.sample(jsonText, { numRuns: RUNS, seed: 1 }), (input) => pythonText(readJson(input)));
  });

  test('split, strip and lower', () => {
    const texts = fc.sample(text, { numRuns: RUNS, seed: 2 });
    agree('split', texts, splitWords);
    agree('strip', texts, trimText);
    agree('lower', texts, (input) => input.toLowerCase());
    agree('long_words', texts, (input) => [...new Set(splitWords(input.toLowerCase()).filter((word) => [...word].length > 3))].toSorted(byCodePoint));
  });

  test('every character of the first planes, lowered and split', () => {
    const points = Array.from({ length: 0x20000 }, (_, code) => code).filter((code) => code < 0xd800 || code > 0xdfff);
    const characters = points.map((code) => `a${String.fromCodePoint(code)}b`).filter((character) => !/\p{Cn}/u.test(character));
    const chunks = Array.from({ length: Math.ceil(characters.length / 64) }, (_, index) => characters.slice(index * 64, index * 64 + 64));
    for (const [op, ours] of [['lower', (input: string) => input.toLowerCase()], ['split', splitWords]] as const) {
      const answers = ask(op, chunks.map((chunk) => chunk.join('|')));
      for (const [index, chunk] of chunks.entries()) {
        if (answers[index] !== null) {
          expect(ours(chunk.join('|'))).toEqual(answers[index]);
        }
      }
      expect(answers.filter((answer) => answer !== null).length).toBeGreaterThan(chunks.length * 0.8);
    }
  });

  test('means and deviations, to the last bit', () => {
    const lists = fc.sample(fc.array(doubles, { minLength: 1, maxLength: 9 }), { numRuns: RUNS, seed: 3 });
    agree('mean', lists, (input) => pythonText(readJson(floatText(mean(input)))));
    const counts = fc.sample(fc.array(fc.oneof(fc.nat(8), fc.nat(1_000_000)), { minLength: 2, maxLength: 9 }), { numRuns: RUNS, seed: 4 });
    agree('stdev', counts, (input) => pythonText(readJson(floatText(sampleDeviation(input)))));
  });

  test('two decimals', () => {
    const values = fc.sample(fc.oneof(doubles, fc.integer({ min: 0, max: 999 }).map((value) => value / 8), fc.integer({ min: 0, max: 9999 }).map((value) => value / 1000)), { numRuns: RUNS, seed: 5 });
    agree('fixed', values.filter((value) => Math.abs(value) < 1e15), twoDecimals);
  });
});

describe.skipIf(!pythonIsThere)('the Python script for ids', () => {
  const fingerprints = (lines: readonly string[]): unknown[] => {
    const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
    try {
      const file = join(folder, 'documents.jsonl');
      writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
      return runPython('umpire_ids.py', [file]).map((line) => JSON.parse(line) as unknown);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  test('agrees on documents of every kind', () => {
    const lines = fc.sample(document(), { numRuns: RUNS / 4, seed: 6 });
    expect(fingerprints(lines)).toEqual(lines.map(fingerprint));
  });

  test('agrees on what upstream wrote', () => {
    const lines = ['hitl-requests.jsonl', 'human-review-requests.jsonl', 'alignment-vectors.jsonl'].flatMap(sharedLines);
    expect(fingerprints(lines)).toEqual(lines.map(fingerprint));
  });
});

/** JSON texts with the members that ids and digests treat specially, duplicates, odd numbers and lone surrogates among them. */
function document(): fc.Arbitrary<string> {
  const name = fc.oneof(
    fc.constantFrom('request_id', 'created_at', 'task_id', 'agent_decisions', 'metadata', 'processing_time_ms', 'evaluation_result', '__proto__', '\ud83d', '\ufb33', '😀'),
    text,
  );
  const numbers = fc.oneof(numberText, fc.constantFrom('1e999999999999', '-1E-99999999999999999999', '0e99999999999999999999999', `1e${'9'.repeat(5000)}`, `1.5e-1${'0'.repeat(4400)}`));
  const value = fc.letrec<{ value: string; object: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      numbers,
      fc.oneof(text.map((content) => JSON.stringify(content)), fc.constantFrom('"\\ud800"', '"\\uDBFF\\u0041"', '"\\/\\u00fC"')),
      fc.constantFrom('true', 'null'),
      fc.array(tie('value'), { maxLength: 3 }).map((items) => `[ ${items.join(' , ')}]`),
      tie('object'),
    ),
    object: fc.array(fc.tuple(name, tie('value')), { maxLength: 5 }).map((members) => `{${members.map(([key, child]) => `${JSON.stringify(key)}:${child}`).join(',')}}`),
  }));
  return value.object;
}

/** Python's `repr` of a float has a point or an exponent; ours is asked for the same. */
function floatText(value: number): string {
  const plain = String(value);
  return /[.e]/.test(plain) ? plain : `${Object.is(value, -0) ? '-0' : plain}.0`;
}

/** Python sorts texts by code points, JavaScript by UTF-16 units. */
function byCodePoint(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  const index = left.findIndex((character, position) => character !== right[position]);
  if (index < 0) {
    return left.length - right.length;
  }
  return (left[index]?.codePointAt(0) ?? 0) - (right[index]?.codePointAt(0) ?? -1);
}
