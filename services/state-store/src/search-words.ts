import { createHash } from 'node:crypto';

/**
 * Words of texts for the search index. Cut here and not by Postgres, so that the database's locale and parser decide nothing:
 * letters, marks and digits of any script, lower-cased; scripts that are written without spaces are cut by their dictionary.
 */
const NO_SPACES = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const WORD = /[\p{L}\p{M}\p{N}]+/gu;
const segmenter = new Intl.Segmenter('en', { granularity: 'word' });

/** Longer words are cut, in the index as in the question, so that they still find each other. */
const WORD_LENGTH = 64;
const INDEXED_WORDS = 400;
const ASKED_WORDS = 8;
/** A beginning shorter than this would match a good part of the index. */
const PREFIX_LENGTH = 3;

/** @returns distinct words in order of appearance, at most `limit` */
export function wordsOf(text: string, limit: number): string[] {
  const words = new Set<string>();
  for (const run of text.normalize('NFKC').toLowerCase().match(WORD) ?? []) {
    const parts = NO_SPACES.test(run) ? [...segmenter.segment(run)].map(({ segment }) => segment) : [run];
    for (const part of parts) words.add(part.length <= WORD_LENGTH ? part : [...part].slice(0, WORD_LENGTH).join(''));
    if (words.size >= limit) break;
  }
  return [...words].slice(0, limit);
}

/** Facts that are looked for like words: lists that few rows fit are found by them. */
export type Facets = { pattern: string; priority: string; policy: string | null };

/** Lexemes that no text can hold, since words are letters and digits alone. */
const lexeme = {
  namespace: (namespace: string) => `@${namespace}`,
  pattern: (pattern: string) => `=${pattern}`,
  priority: (priority: string) => `!${priority}`,
  /** Hashed: an id may be of any length and characters. */
  policy: (policy: string) => `#${createHash('sha256').update(policy).digest('base64url')}`,
};

/** What is indexed of an escalation: lexemes with spaces between them. */
export function searchDocument(namespace: string, { pattern, priority, policy }: Facets, texts: (string | null | undefined)[]): string {
  const text = texts.filter((part) => part).join(' ');
  const facets = [lexeme.namespace(namespace), lexeme.pattern(pattern), lexeme.priority(priority), ...(policy === null ? [] : [lexeme.policy(policy)])];
  return [...facets, ...wordsOf(text, INDEXED_WORDS)].join(' ');
}

/**
 * Words as terms of a `tsquery`: every one is to be there, in any order, the last as a beginning too.
 * @returns none where the text has no word
 */
export function wordTerms(text: string): string[] {
  const words = wordsOf(text, ASKED_WORDS);
  const last = words.length - 1;
  return words.map((word, index) => `'${word}'${index === last && (word.length >= PREFIX_LENGTH || NO_SPACES.test(word)) ? ':*' : ''}`);
}

/**
 * Words and facets within a namespace as terms of a `tsquery`; of several patterns or priorities one is enough.
 * @param words from `wordTerms`
 * @returns none where nothing is asked for
 */
export function searchTerms(namespace: string, words: string[], { patterns, priorities, policy }: { patterns: string[]; priorities: string[]; policy: string | null }): string[] {
  const anyOf = (lexemes: string[]) => (lexemes.length === 0 ? [] : [`(${lexemes.map((one) => `'${one}'`).join(' | ')})`]);
  const terms = [...anyOf(patterns.map(lexeme.pattern)), ...anyOf(priorities.map(lexeme.priority)), ...anyOf(policy === null ? [] : [lexeme.policy(policy)]), ...words];
  return terms.length === 0 ? [] : [`'${lexeme.namespace(namespace)}'`, ...terms];
}

/** @returns the text of the `tsquery` that wants all of the terms */
export const allOf = (terms: string[]): string => terms.join(' & ');
