import { readJson } from '@umpire/contract';
import { describe, expect, test } from 'vitest';
import { pythonText } from './python-text.ts';

describe('pythonText', () => {
  test.each([
    ['true', 'True'],
    ['null', 'None'],
    ['1', '1'],
    ['1.0', '1.0'],
    ['1e0', '1.0'],
    ['-0', '0'],
    ['-0.0', '-0.0'],
    ['9007199254740993', '9007199254740993'],
    ['1e16', '1e+16'],
    ['1234567890123456.0', '1234567890123456.0'],
    ['0.0001', '0.0001'],
    ['0.00001', '1e-05'],
    ['1.5e300', '1.5e+300'],
    ['-2.5e-7', '-2.5e-07'],
    ['100.0', '100.0'],
    ['1e400', 'inf'],
    ['"low"', 'low'],
    ['["low","high"]', "['low', 'high']"],
    ['[]', '[]'],
    ['{"a":[1,2.50,null],"b":{}}', "{'a': [1, 2.5, None], 'b': {}}"],
    ['{"a":1,"b":2,"a":3}', "{'a': 3, 'b': 2}"],
    [`["it's"]`, `["it's"]`],
    [`["it's \\"so\\""]`, `['it\\'s "so"']`],
    ['["\\\\ \\n\\t\\u0000\\u007f\\u00a0\\u200b審ü😀"]', "['\\\\ \\n\\t\\x00\\x7f\\xa0\\u200b審ü😀']"],
    ['["\\ud800\\udbff\\udc00"]', "['\\ud800\\U0010fc00']"],
  ])('%s is %s', (json, expected) => {
    expect(pythonText(readJson(json))).toBe(expected);
  });

  test('reads plain values as their JSON text', () => {
    expect(pythonText(1)).toBe('1');
    expect(pythonText(1.5)).toBe('1.5');
    expect(pythonText(['a', { b: [true, readJson('1.0')] }])).toBe("['a', {'b': [True, 1.0]}]");
    expect(() => pythonText(undefined)).toThrow(TypeError);
  });
});
