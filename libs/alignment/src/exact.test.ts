import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mean, sampleDeviation } from './exact.ts';

describe('mean', () => {
  test('rounds once, where summing step by step rounds wrong', () => {
    expect((0.1 + 0.2 + 0.3) / 3).not.toBe(0.2);
    expect(mean([0.1, 0.2, 0.3])).toBe(0.2);
    expect(mean([1e16, 1, -1e16])).toBe(1 / 3);
    expect(mean([0.1, 0.1, 0.1])).toBe(0.1);
  });

  test('takes ties to the even neighbour', () => {
    const ulp = 2 ** -52;
    expect(mean([1, 1 + ulp])).toBe(1);
    expect(mean([1 + ulp, 1 + 2 * ulp])).toBe(1 + 2 * ulp);
  });

  test('holds at the ends of the range', () => {
    expect(mean([Number.MAX_VALUE, Number.MAX_VALUE])).toBe(Number.MAX_VALUE);
    expect(mean([5e-324, 5e-324])).toBe(5e-324);
    expect(mean([5e-324, 0])).toBe(0);
    expect(mean([5e-324, 1e-323])).toBe(1e-323);
    expect(mean([2 ** -1022, 5e-324])).toBe(2 ** -1023);
    expect(mean([0, -0])).toBe(0);
    expect(mean([Number.POSITIVE_INFINITY, 1])).toBe(Number.POSITIVE_INFINITY);
  });

  test('does not depend on the order, keeps within the values, and gives back what is equal', () => {
    const value = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 8 }), (values) => {
        const middle = mean(values);
        expect(mean(values.toReversed())).toBe(middle);
        expect(middle).toBeGreaterThanOrEqual(Math.min(...values));
        expect(middle).toBeLessThanOrEqual(Math.max(...values));
        const [first = 0] = values;
        expect(mean(values.map(() => first))).toBe(first === 0 ? 0 : first);
      }),
    );
  });

  test('of nothing is refused', () => {
    expect(() => mean([])).toThrow(RangeError);
  });
});

describe('sampleDeviation', () => {
  test.each([
    [[1, 3], Math.SQRT2],
    [[2, 4, 4, 4, 5, 5, 7, 9], 2.138089935299395],
    [[5, 5, 5], 0],
    [[0, 8], Math.sqrt(32)],
    [[0, 4], Math.sqrt(8)],
  ])('of %j is %d', (counts, expected) => {
    expect(sampleDeviation(counts)).toBe(expected);
  });

  test('squared is the variance', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 2, maxLength: 9 }), (counts) => {
        const middle = counts.reduce((sum, count) => sum + count, 0) / counts.length;
        const variance = counts.reduce((sum, count) => sum + (count - middle) ** 2, 0) / (counts.length - 1);
        expect(sampleDeviation(counts) ** 2).toBeCloseTo(variance, 6);
      }),
    );
  });

  test('of one value is refused', () => {
    expect(() => sampleDeviation([1])).toThrow(RangeError);
  });
});
