import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, canonicalNumber, readJson, type OmitPattern } from './index.ts';

describe('canonicalNumber', () => {
  test.each([
    ['0', '0'],
    ['-0', '0'],
    ['0.0', '0'],
    ['0e5', '0'],
    ['-0.000E+99999999999999999999', '0'],
    ['3', '3e0'],
    ['30', '3e1'],
    ['30.0', '3e1'],
    ['3e1', '3e1'],
    ['0.3E2', '3e1'],
    ['-1.50', '-15e-1'],
    ['100e-2', '1e0'],
    ['0.00120', '12e-4'],
    ['9007199254740993', '9007199254740993e0'],
    ['9007199254740992', '9007199254740992e0'],
    ['1e999999999999', '1e999999999999'],
    ['1e99999999999999999999999', '1e99999999999999999999999'],
    ['10e-99999999999999999999999', '1e-99999999999999999999998'],
    ['1.5e+00000000000000000000001', '15e0'],
  ])('%s is %s', (text, expected) => {
    expect(canonicalNumber(text)).toBe(expected);
  });

  test('keeps the value of every double', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = canonicalNumber(String(value));
        expect(Number(text)).toBe(value === 0 ? 0 : value);
        expect(text).toMatch(/^(0|-?[1-9]([0-9]*[1-9])?e-?[0-9]+)$/);
      }),
    );
  });

  test('adds to exponents of any length as BigInt would', () => {
    const digit = fc.constantFrom(...'0000123499999');
    const exponent = fc.tuple(fc.constantFrom('', '+', '-'), fc.string({ unit: digit, minLength: 1, maxLength: 40 }));
    fc.assert(
      fc.property(exponent, fc.nat(400), fc.nat(400), ([sign, digits], zeros, places) => {
        const power = (sign === '-' ? -BigInt(digits) : BigInt(digits)) + BigInt(zeros);
        expect(canonicalNumber(`7${'0'.repeat(zeros)}e${sign}${digits}`)).toBe(`7e${power}`);
        expect(canonicalNumber(`0.${'0'.repeat(places)}7E${sign}${digits}`)).toBe(`7e${power - BigInt(zeros + places + 1)}`);
      }),
      { numRuns: 2000 },
    );
  });

  test('is one text for any spelling of the same decimal', () => {
    const spelling = fc.record({ digits: fc.bigInt({ min: 1n, max: 10n ** 25n }), exponent: fc.integer({ min: -400, max: 400 }), zeros: fc.nat(5) });
    fc.assert(
      fc.property(spelling, ({ digits, exponent, zeros }) => {
        const plain = canonicalNumber(`${digits}e${exponent}`);
        expect(canonicalNumber(`${digits}${'0'.repeat(zeros)}E${exponent - zeros}`)).toBe(plain);
        expect(canonicalNumber(`0.${'0'.repeat(zeros)}${digits}e${exponent + zeros + String(digits).length}`)).toBe(plain);
        expect(canonicalNumber(`${digits}.${'0'.repeat(zeros + 1)}e${exponent}`)).toBe(plain);
      }),
    );
  });
});

describe('canonicalJson', () => {
  test('sorts by UTF-16 units, where U+1F600 stands before U+FB33', () => {
    // RFC 8785, 3.2.3.
    const text = '{"\\u20ac":1,"\\r":2,"\\ufb33":3,"1":4,"\\ud83d\\ude00":5,"\\u0080":6,"\\u00f6":7}';
    expect(canonicalJson(readJson(text))).toBe('{"\\r":2e0,"1":4e0,"\u0080":6e0,"ö":7e0,"€":1e0,"😀":5e0,"\ufb33":3e0}');
  });

  test('escapes as RFC 8785 does, and writes lone surrogates in lower case', () => {
    expect(canonicalJson(readJson('"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/\\u007f"'))).toBe(
      `"€$\\u000f\\nA'B\\"\\\\\\\\\\"/\u007f"`,
    );
    expect(canonicalJson(readJson('"\\uD800x\\uDBFF"'))).toBe('"\\ud800x\\udbff"');
    expect(canonicalJson(readJson('"\ud800"'))).toBe('"\\ud800"');
    expect(canonicalJson('\udfff')).toBe('"\\udfff"');
  });

  test('lets the last duplicate win, wherever it stands', () => {
    expect(canonicalJson(readJson('{"b":1,"a":2,"b":{"c":3,"c":4},"a":5}'))).toBe('{"a":5e0,"b":{"c":4e0}}');
  });

  test('leaves out by pattern, and only at its place', () => {
    const omit: OmitPattern = {
      members: new Map<string, OmitPattern | true>([
        ['t', true],
        ['list', { items: { members: new Map([['t', true]]) } }],
      ]),
    };
    const text = '{"t":1,"list":[{"t":1,"u":{"t":2}}],"other":{"t":3}}';
    expect(canonicalJson(readJson(text), { omit })).toBe('{"list":[{"u":{"t":2e0}}],"other":{"t":3e0}}');
    expect(canonicalJson(JSON.parse(text), { omit })).toBe('{"list":[{"u":{"t":2e0}}],"other":{"t":3e0}}');
    expect(canonicalJson(readJson('{"list":{"t":1}}'), { omit })).toBe('{"list":{"t":1e0}}');
  });

  test('is the same for a node, for its plain value, and for any order of members', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), fc.infiniteStream(fc.nat(7)), (value, order) => {
        const canonical = canonicalJson(value);
        expect(canonicalJson(readJson(JSON.stringify(value)))).toBe(canonical);
        expect(canonicalJson(shuffled(value, order))).toBe(canonical);
        expect(JSON.parse(canonical)).toEqual(JSON.parse(JSON.stringify(value, (_, v: unknown) => (v === 0 ? 0 : v))));
      }),
    );
  });

  test('agrees with a text of the same canonical form read again', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), (text) => {
        const canonical = canonicalJson(readJson(text));
        expect(canonicalJson(readJson(canonical))).toBe(canonical);
      }),
    );
  });

  test('takes nodes inside of plain values, but no look-alikes', () => {
    expect(canonicalJson({ raw: readJson('12345678901234567890.0') })).toBe('{"raw":1234567890123456789e1}');
    expect(canonicalJson({ kind: 'number', text: '1', start: 0, end: 1 })).toBe('{"end":1e0,"kind":"number","start":0,"text":"1"}');
  });

  test('leaves out undefined members and keeps a member named __proto__', () => {
    expect(canonicalJson({ a: undefined, b: 1n })).toBe('{"b":1e0}');
    expect(canonicalJson(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1e0}}');
    expect(canonicalJson(readJson('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1e0}}');
  });

  test.each([[Number.NaN], [Number.POSITIVE_INFINITY], [undefined], [[undefined]], [new Date(0)], [() => 1]])('refuses %s', (value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  });

  test('refuses a cycle instead of overflowing the stack', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => canonicalJson(cycle)).toThrow(RangeError);
  });
});

function shuffled(value: unknown, order: Iterator<number>): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => shuffled(item, order));
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const entries = Object.entries(value).map(([name, child]) => [Number(order.next().value), name, shuffled(child, order)] as const);
  return Object.fromEntries(entries.toSorted((a, b) => a[0] - b[0]).map(([, name, child]) => [name, child]));
}
