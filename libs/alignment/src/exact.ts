/**
 * Means and deviations that are rounded once, at the end, as Python's `statistics` does it. Summing doubles step by step
 * is off in the last place, and then a mean that should equal a threshold falls on its wrong side.
 */

/**
 * The mean of doubles, correctly rounded. Infinities and NaN follow plain arithmetic.
 *
 * @throws RangeError for no values.
 */
export function mean(values: readonly number[]): number {
  if (values.length === 0) {
    throw new RangeError('the mean of nothing');
  }
  if (!values.every(Number.isFinite)) {
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  }
  const parts = values.map(mantissaAndExponent);
  const lowest = Math.min(...parts.map((part) => part.exponent));
  const sum = parts.reduce((total, part) => total + (part.mantissa << BigInt(part.exponent - lowest)), 0n);
  const count = BigInt(values.length);
  return lowest >= 0 ? quotient(sum << BigInt(lowest), count) : quotient(sum, count << BigInt(-lowest));
}

/**
 * The sample standard deviation of integers, correctly rounded.
 *
 * @throws RangeError for fewer than two values.
 */
export function sampleDeviation(counts: readonly number[]): number {
  if (counts.length < 2) {
    throw new RangeError('a sample needs two values');
  }
  const n = BigInt(counts.length);
  const integers = counts.map(BigInt);
  const sum = integers.reduce((total, count) => total + count, 0n);
  const squares = integers.reduce((total, count) => total + count * count, 0n);
  return squareRoot(n * squares - sum * sum, n * (n - 1n));
}

/** The double nearest to a fraction, ties to even. The denominator is positive. */
function quotient(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) {
    return 0;
  }
  const magnitude = numerator < 0n ? -numerator : numerator;
  let power = bitLength(magnitude) - bitLength(denominator);
  if (scaled(magnitude, -power) < scaled(denominator, power)) {
    power--;
  }
  // The weight of the last bit that a double of this size has; it does not shrink below that of the subnormal numbers.
  const unit = Math.max(power - 52, -1074);
  const dividend = scaled(magnitude, -unit);
  const divisor = scaled(denominator, unit);
  let units = dividend / divisor;
  const twice = 2n * (dividend % divisor);
  if (twice > divisor || (twice === divisor && (units & 1n) === 1n)) {
    units += 1n;
  }
  const value = Number(units) * 2 ** unit;
  return numerator < 0n ? -value : value;
}

/** The double nearest to the square root of a fraction: an integer root with enough bits, its last one made sticky. */
function squareRoot(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) {
    return 0;
  }
  const shift = Math.floor((bitLength(numerator) - bitLength(denominator) - 109) / 2);
  const dividend = scaled(numerator, -2 * shift);
  const divisor = scaled(denominator, 2 * shift);
  const root = integerRoot(dividend / divisor);
  const sticky = root * root * divisor === dividend ? root : root | 1n;
  return quotient(scaled(sticky, shift), scaled(1n, -shift));
}

function integerRoot(value: bigint): bigint {
  if (value < 2n) {
    return value;
  }
  // Newton's steps from above fall until they reach the floor of the root.
  let root = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) {
      return root;
    }
    root = next;
  }
}

/** `value × 2^power` for a positive power, the value itself otherwise: fractions are scaled on the side that grows. */
function scaled(value: bigint, power: number): bigint {
  return power > 0 ? value << BigInt(power) : value;
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}

/** A finite double as `mantissa × 2^exponent`, exactly. */
function mantissaAndExponent(value: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const field = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const magnitude = field === 0 ? fraction : fraction | 0x10000000000000n;
  return { mantissa: bits >> 63n === 1n ? -magnitude : magnitude, exponent: (field === 0 ? 1 : field) - 1075 };
}
