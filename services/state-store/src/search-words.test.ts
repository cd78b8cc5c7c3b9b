import { describe, expect, it } from 'vitest';
import { allOf, searchDocument, searchTerms, wordsOf, wordTerms } from './search-words.ts';

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
    expect(searchTerms('team-a', wordTerms('@default'), none)).toEqual(["'@team-a'", "'default':*"]);
    const hostile = "o'brien & *\\ \u0000";
    const [, , , policy] = searchDocument('team-a', { ...facets, policy: hostile }, []).split(' ');
    expect(policy).toMatch(/^#[\w-]{43}$/);
    expect(allOf(searchTerms('team-a', [], { ...none, policy: hostile }))).toBe(`'@team-a' & ('${policy}')`);
  });

  it('ask for every word, the last as a beginning if it is long enough', () => {
    expect(allOf(wordTerms('Loan appl'))).toBe("'loan' & 'appl':*");
    expect(allOf(wordTerms('to be'))).toBe("'to' & 'be'");
    expect(allOf(wordTerms('\u5be9'))).toBe("'\u5be9':*");
    expect(allOf(wordTerms("a'b\\c"))).toBe("'a' & 'b' & 'c'");
    expect(wordTerms('?!')).toEqual([]);
    expect(wordTerms(Array.from({ length: 50 }, (_, i) => `w${i}`).join(' '))).toHaveLength(8);
  });

  it('ask for one of the patterns and one of the priorities', () => {
    expect(searchTerms('default', [], none)).toEqual([]);
    expect(allOf(searchTerms('default', ["'x'"], { patterns: ['input', 'review'], priorities: ['low'], policy: null }))).toBe("'@default' & ('=input' | '=review') & ('!low') & 'x'");
  });
});
