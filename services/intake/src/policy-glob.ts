/** Longer ids are nobody's: what matching costs is bounded by this and the pattern's length. */
const LONGEST_TEXT = 4_096;

/**
 * Whether a text fits a pattern in which `*` stands for any run of characters, `?` for one, and everything else for itself.
 * One pass with one place to go back to: no pattern makes it slow.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  if (text.length > LONGEST_TEXT) return false;
  let at = 0;
  let wanted = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    if (pattern[wanted] === '*') {
      star = wanted++;
      resume = at;
    } else if (wanted < pattern.length && (pattern[wanted] === '?' || pattern[wanted] === text[at])) {
      wanted += 1;
      at += 1;
    } else if (star >= 0) {
      wanted = star + 1;
      at = ++resume;
    } else return false;
  }
  while (pattern[wanted] === '*') wanted += 1;
  return wanted === pattern.length;
}
