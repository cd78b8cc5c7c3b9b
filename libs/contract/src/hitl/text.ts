/**
 * White space as upstream (Python's `str.strip` and `str.split`) knows it: unlike JavaScript's `\s` it has U+001C to
 * U+001F and U+0085, and not U+FEFF.
 */
const SPACE = '\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const BETWEEN = new RegExp(`[${SPACE}]+`);

/** Matches a text that is more than white space. */
export const NOT_BLANK = new RegExp(`[^${SPACE}]`);

/** Python's `text.strip()`. */
export function trimText(text: string): string {
  // Not a regular expression: `\s+$` takes quadratic time on long runs of white space inside a text.
  let start = 0;
  let end = text.length;
  while (start < end && !NOT_BLANK.test(text.charAt(start))) {
    start++;
  }
  while (end > start && !NOT_BLANK.test(text.charAt(end - 1))) {
    end--;
  }
  return text.slice(start, end);
}

/** Python's `text.split()`: the words between white space, none for a blank text. */
export function splitWords(text: string): string[] {
  return text.split(BETWEEN).filter((word) => word !== '');
}

/**
 * Python's `f"{value:.2f}"`. `toFixed` rounds ties up where Python takes the even neighbour; a double lies exactly between
 * two hundredths only if it is an odd number of eighths.
 */
export function twoDecimals(value: number): string {
  const eighths = value * 8;
  if (!Number.isInteger(eighths) || eighths % 2 === 0) {
    return value.toFixed(2);
  }
  const below = Math.floor(value * 100);
  const even = below % 2 === 0 ? below : below + 1;
  return (even / 100).toFixed(2);
}
