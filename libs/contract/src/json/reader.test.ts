import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUtf8, JsonSyntaxError, member, rawText, readJson, stringMember, toValue, type JsonNode } from './index.ts';

function failure(input: string | Uint8Array, maxDepth?: number): JsonSyntaxError {
  try {
    readJson(input, { maxDepth });
  } catch (error) {
    if (error instanceof JsonSyntaxError) {
      return error;
    }
    throw error;
  }
  throw new Error('was accepted');
}

describe('readJson', () => {
  test('gives what JSON.parse gives', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), fc.constantFrom(0, 1, 2), (text, indent) => {
        const source = JSON.stringify(JSON.parse(text), null, indent);
        expect(toValue(readJson(source))).toEqual(JSON.parse(source));
        expect(toValue(readJson(encodeUtf8(source)))).toEqual(JSON.parse(source));
      }),
    );
  });

  test('accepts and refuses exactly what JSON.parse does', () => {
    const pieces = fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '"', '\\', '\\u00e9', '\\uD8', '\\n', '1', '-', '0', '.5', 'e', '+3', 'true', 'nul', 'null', ' ', '\t', '\u00a0', '\u0001', 'ü', '😀');
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 7 }), (parts) => {
        const text = parts.join('');
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expect(failure(text).offset).toBeLessThanOrEqual(text.length);
          return;
        }
        accepted++;
        expect(toValue(readJson(text))).toEqual(expected);
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(50);
  });

  test('lets any node be cut out of the text and read again', () => {
    const check = (node: JsonNode, text: string): void => {
      expect(toValue(readJson(rawText(node, text)))).toEqual(toValue(node));
      for (const child of node.kind === 'array' ? node.items : node.kind === 'object' ? node.members.map((entry) => entry.value) : []) {
        check(child, text);
      }
    };
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary', maxDepth: 4 }), (text) => {
        const spaced = JSON.stringify(JSON.parse(text), null, 1);
        check(readJson(spaced), spaced);
      }),
    );
  });

  test('keeps number text, order and duplicates', () => {
    const text = ' {"b": 1.0, "a":[9007199254740993, -0, 1E400] ,"b":2}\n';
    const node = readJson(text);
    expect(node.kind === 'object' && node.members.map((entry) => entry.name)).toEqual(['b', 'a', 'b']);
    const list = member(node, 'a');
    expect(list?.kind === 'array' && list.items.map((item) => item.kind === 'number' && item.text)).toEqual(['9007199254740993', '-0', '1E400']);
    expect(list && rawText(list, text)).toBe('[9007199254740993, -0, 1E400]');
    expect(toValue(node)).toEqual({ b: 2, a: [9007199254740992, -0, Number.POSITIVE_INFINITY] });
    expect(stringMember(node, 'a')).toBeUndefined();
    expect(member(list, 'b')).toBeUndefined();
  });

  test('never touches a prototype', () => {
    const value = toValue(readJson('{"__proto__":{"polluted":true},"constructor":1}')) as Record<string, unknown>;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test.each([
    ['', 0, 'unexpected end of text'],
    ['{"a":1,}', 7, 'expected a member name'],
    ['[1 2]', 3, "expected ',' or ']'"],
    ['{"a" 1}', 5, "expected ':'"],
    ['{"a":1 "b":2}', 7, "expected ',' or '}'"],
    ['"a\nb"', 2, 'control character in a string'],
    ['"\\n\u0000"', 3, 'control character in a string'],
    ['"abc', 4, 'unterminated string'],
    ['"a\\', 2, 'invalid escape'],
    ['"\\x"', 1, 'invalid escape'],
    ['"\\u12g4"', 1, 'invalid \\u escape'],
    ['01', 1, 'unexpected text after the value'],
    ['-', 1, 'unexpected end of text'],
    ['1.', 2, 'expected a digit'],
    ['1e+', 3, 'expected a digit'],
    ['nan', 0, 'unexpected character'],
    ['[1]]', 3, 'unexpected text after the value'],
    ['\ufeff1', 0, 'byte order mark'],
  ])('refuses %j at %i: %s', (text, offset, reason) => {
    const error = failure(text);
    expect(error.code).toBe('invalid_json');
    expect(error.offset).toBe(offset);
    expect(error.message).toBe(`${reason} at offset ${offset}`);
  });

  test.each([
    [[0x22, 0xff, 0x22], 1],
    [[0x22, 0xc0, 0x80, 0x22], 1],
    [[0x22, 0x61, 0xed, 0xa0, 0x80, 0x22], 2],
    [[0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], 1],
    [[0x22, 0xc3, 0xbc, 0xf0, 0x8f, 0xbf, 0xbf, 0x22], 3],
    [[0x22, 0xf0, 0x9f, 0x98, 0x80, 0xe2, 0x82], 5],
    [[0x22, 0xe0, 0x9f, 0x80, 0x22], 1],
  ])('refuses the bytes %j', (bytes, offset) => {
    expect(failure(Uint8Array.from(bytes))).toMatchObject({ code: 'invalid_utf8', offset });
  });

  test('refuses a byte order mark in bytes', () => {
    expect(failure(Uint8Array.from([0xef, 0xbb, 0xbf, 0x31])).message).toBe('byte order mark at offset 0');
  });

  test('holds the depth limit and cannot be driven past the stack', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(toValue(readJson(nested(64)))).toBeInstanceOf(Array);
    expect(failure(nested(65))).toMatchObject({ code: 'too_deep', offset: 64 });
    expect(failure('{"a":'.repeat(100_000))).toMatchObject({ code: 'too_deep' });
    expect(failure('[[]]', 1)).toMatchObject({ code: 'too_deep', offset: 1 });
    expect(toValue(readJson('[[],[],{}]', { maxDepth: 2 }))).toEqual([[], [], {}]);
    expect(() => readJson('1', { maxDepth: 100_000 })).toThrow(RangeError);
    expect(() => readJson('1', { maxDepth: Number.NaN })).toThrow(RangeError);
  });
});
