import { UmpireError } from '@umpire/contract';
import { describe, expect, it } from 'vitest';
import { etagOf, readIfMatch } from './if-match.ts';

describe('If-Match', () => {
  it.each([
    [undefined, undefined],
    ['*', '*'],
    [' * ', '*'],
    ['"3"', [3]],
    ['"3", "12"', [3, 12]],
    // Weak tags and tags that are none of ours match nothing.
    ['W/"3"', []],
    ['"abc", "7"', [7]],
    ['"03"', []],
    ['"99999999999"', []],
  ])('reads %j', (header, expected) => {
    expect(readIfMatch(header)).toEqual(expected);
  });

  it.each(['3', '"3" "4"', '', '"3",', '"unclosed'])('refuses %j', (header) => {
    expect(() => readIfMatch(header)).toThrow(UmpireError);
  });

  it('reads what ETag gives', () => {
    expect(readIfMatch(etagOf(17))).toEqual([17]);
  });
});
