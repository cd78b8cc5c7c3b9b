/**
 * One spelling for each number: `[-]<digits>e<exp>` without outer zeros, zero as `0` in any form. So 30, 30.0 and 3e1
 * are equal while large integers stay apart. Works on the text alone: nothing is rounded and no exponent is expanded.
 *
 * @param text a number by RFC 8259's grammar.
 */
export function canonicalNumber(text: string): string {
  const short = SMALL_INTEGERS.get(text);
  if (short !== undefined) {
    return short;
  }
  const negative = text.charCodeAt(0) === 0x2d;
  const exponentAt = text.search(/[eE]/);
  const mantissaEnd = exponentAt < 0 ? text.length : exponentAt;
  const pointAt = text.indexOf('.');
  const start = negative ? 1 : 0;
  const integer = text.slice(start, pointAt < 0 ? mantissaEnd : pointAt);
  const fraction = pointAt < 0 ? '' : text.slice(pointAt + 1, mantissaEnd);
  const all = integer + fraction;

  let from = 0;
  while (all.charCodeAt(from) === 0x30) {
    from++;
  }
  if (from === all.length) {
    return '0';
  }
  let to = all.length;
  while (all.charCodeAt(to - 1) === 0x30) {
    to--;
  }
  const shift = all.length - to - fraction.length;
  const exponent = exponentAt < 0 ? String(shift) : addExponent(text.slice(exponentAt + 1), shift);
  return `${negative ? '-' : ''}${all.slice(from, to)}e${exponent}`;
}

const CHUNK = 15;
const CHUNK_SIZE = 1e15;

/**
 * Decimal exponent text plus a small number. Past a double's exact range only the last fifteen digits are computed with:
 * BigInt would take a tenth of a second for an exponent that fills a request.
 */
function addExponent(exponent: string, shift: number): string {
  if (exponent.length <= CHUNK) {
    return String(Number(exponent) + shift);
  }
  const negative = exponent.startsWith('-');
  const digits = withoutLeadingZeros(exponent.slice(/[+-]/.test(exponent.charAt(0)) ? 1 : 0));
  if (digits.length <= CHUNK) {
    return String((negative ? -Number(digits) : Number(digits)) + shift);
  }
  let head = digits.slice(0, -CHUNK);
  let tail = Number(digits.slice(-CHUNK)) + (negative ? -shift : shift);
  if (tail >= CHUNK_SIZE) {
    head = increment(head);
    tail -= CHUNK_SIZE;
  } else if (tail < 0) {
    head = decrement(head);
    tail += CHUNK_SIZE;
  }
  return (negative ? '-' : '') + withoutLeadingZeros(head + String(tail).padStart(CHUNK, '0'));
}

/** The digits from the first that is not zero on; at least one. */
function withoutLeadingZeros(digits: string): string {
  let from = 0;
  while (from < digits.length - 1 && digits.charCodeAt(from) === 0x30) {
    from++;
  }
  return digits.slice(from);
}

function increment(digits: string): string {
  let at = digits.length;
  while (at > 0 && digits.charCodeAt(at - 1) === 0x39) {
    at--;
  }
  const carried = at === 0 ? '1' : digits.slice(0, at - 1) + String(Number(digits.charAt(at - 1)) + 1);
  return carried + '0'.repeat(digits.length - at);
}

/** Of digits that are not all zero. */
function decrement(digits: string): string {
  let at = digits.length;
  while (digits.charCodeAt(at - 1) === 0x30) {
    at--;
  }
  return digits.slice(0, at - 1) + String(Number(digits.charAt(at - 1)) - 1) + '9'.repeat(digits.length - at);
}

const SMALL_INTEGERS: ReadonlyMap<string, string> = new Map(
  Array.from({ length: 10 }, (_, digit) => [String(digit), digit === 0 ? '0' : `${digit}e0`] as const),
);
