import { describe, expect, it } from 'vitest';
import { searchDocument, searchQuery, wordsOf } from './search-words.ts';

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
  it('keep namespaces apart by a lexeme that no text can hold', () => {
    expect(searchDocument('team-a', ['@default x', null, undefined, 'Y'])).toBe('@team-a default x y');
    expect(searchQuery('team-a', '@default')).toBe("'@team-a' & 'default':*");
  });

  it('ask for every word, the last as a beginning if it is long enough', () => {
    expect(searchQuery('default', 'Loan appl')).toBe("'@default' & 'loan' & 'appl':*");
    expect(searchQuery('default', 'to be')).toBe("'@default' & 'to' & 'be'");
    expect(searchQuery('default', '\u5be9')).toBe("'@default' & '\u5be9':*");
    expect(searchQuery('default', "a'b\\c")).toBe("'@default' & 'a' & 'b' & 'c'");
    expect(searchQuery('default', '?!')).toBeNull();
    expect(searchQuery('default', Array.from({ length: 50 }, (_, i) => `w${i}`).join(' '))!.split('&')).toHaveLength(9);
  });
});
