import { describe, expect, it } from 'vitest';
import { searchDocument, searchQuery, wordsOf, wordsQuery } from './search-words.ts';

describe('words', () => {
  it.each([
    ['Two agents disagree, hard.', ['two', 'agents', 'disagree', 'hard']],
    ['hitl-loan/2024/17-af4ecf7b', ['hitl', 'loan', '2024', '17', 'af4ecf7b']],
    ['\u00dcbung GR\u00dcSSE cafe\u0301', ['\u00fcbung', 'gr\u00fcsse', 'caf\u00e9']],
    ['\uff21\uff22\uff23 \u2460', ['abc', '1']],
    ["it's 'quoted' & | ! ( ) : * \\ \u0000", ['it', 's', 'quoted']],
    ['again Again AGAIN', ['again']],
    ['', []],
    ['\ud800 x', ['x']],
  ])('of %j', (text, words) => {
    expect(wordsOf(text, 100)).toEqual(words);
  });

  it('cuts scripts without spaces by their dictionary', () => {
    const words = wordsOf('\u5be9\u67fb\u7d50\u679c\u3092\u78ba\u8a8d\u3059\u308b', 100);
    expect(words.length).toBeGreaterThan(1);
    expect(words.join('')).toBe('\u5be9\u67fb\u7d50\u679c\u3092\u78ba\u8a8d\u3059\u308b');
  });

  it('are bounded in number and length', () => {
    expect(wordsOf('a b c d', 2)).toEqual(['a', 'b']);
    expect(wordsOf('\u{1F1E6}x'.repeat(5) + 'y'.repeat(500), 100).every((word) => [...word].length <= 64)).toBe(true);
  });
});

describe('documents and questions', () => {
  const facets = { pattern: 'review', priority: 'high', policy: null };
  const none = { patterns: [], priorities: [], policy: null };

  it('keep namespaces and facets apart by lexemes that no text can hold', () => {
    expect(searchDocument('team-a', facets, ['@default =input x', null, undefined, 'Y'])).toBe('@team-a =review !high default input x y');
    expect(searchQuery('team-a', wordsQuery('@default'), none)).toBe("'@team-a' & 'default':*");
    const hostile = "o'brien & *\\ \u0000";
    const [, , , policy] = searchDocument('team-a', { ...facets, policy: hostile }, []).split(' ');
    expect(policy).toMatch(/^#[\w-]{43}$/);
    expect(searchQuery('team-a', null, { ...none, policy: hostile })).toBe(`'@team-a' & ('${policy}')`);
  });

  it('ask for every word, the last as a beginning if it is long enough', () => {
    expect(wordsQuery('Loan appl')).toBe("'loan' & 'appl':*");
    expect(wordsQuery('to be')).toBe("'to' & 'be'");
    expect(wordsQuery('\u5be9')).toBe("'\u5be9':*");
    expect(wordsQuery("a'b\\c")).toBe("'a' & 'b' & 'c'");
    expect(wordsQuery('?!')).toBeNull();
    expect(wordsQuery(Array.from({ length: 50 }, (_, i) => `w${i}`).join(' '))!.split('&')).toHaveLength(8);
  });

  it('ask for one of the patterns and one of the priorities', () => {
    expect(searchQuery('default', null, none)).toBeNull();
    expect(searchQuery('default', "'x'", { patterns: ['input', 'review'], priorities: ['low'], policy: null })).toBe("'@default' & ('=input' | '=review') & ('!low') & 'x'");
  });
});
