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

/** Decimal exponent text plus a small number; exponents past a double's exact range go through BigInt. */
function addExponent(exponent: string, shift: number): string {
  if (exponent.length <= 15) {
    return String(Number(exponent) + shift);
  }
  const negative = exponent.startsWith('-');
  const magnitude = BigInt(exponent.replace(/^[+-]/, ''));
  return String((negative ? -magnitude : magnitude) + BigInt(shift));
}

const SMALL_INTEGERS: ReadonlyMap<string, string> = new Map(
  Array.from({ length: 10 }, (_, digit) => [String(digit), digit === 0 ? '0' : `${digit}e0`] as const),
);
