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
  for (const [run] of text.normalize('NFKC').toLowerCase().matchAll(WORD)) {
    const parts = NO_SPACES.test(run) ? [...segmenter.segment(run)].map(({ segment }) => segment) : [run];
    for (const part of parts) words.add([...part].slice(0, WORD_LENGTH).join(''));
    if (words.size >= limit) break;
  }
  return [...words].slice(0, limit);
}

/** The namespace as a lexeme that no text can hold. */
const namespaceLexeme = (namespace: string) => `@${namespace}`;

/** What is indexed of an escalation: lexemes with spaces between them. */
export function searchDocument(namespace: string, texts: (string | null | undefined)[]): string {
  const text = texts.filter((part) => part).join(' ');
  return [namespaceLexeme(namespace), ...wordsOf(text, INDEXED_WORDS)].join(' ');
}

/**
 * A question as a `tsquery`: every word is to be there, in any order, the last as a beginning too.
 * @returns null where the question has no word
 */
export function searchQuery(namespace: string, text: string): string | null {
  const words = wordsOf(text, ASKED_WORDS);
  const last = words.length - 1;
  const terms = words.map((word, index) => `'${word}'${index === last && (word.length >= PREFIX_LENGTH || NO_SPACES.test(word)) ? ':*' : ''}`);
  return words.length === 0 ? null : [`'${namespaceLexeme(namespace)}'`, ...terms].join(' & ');
}
