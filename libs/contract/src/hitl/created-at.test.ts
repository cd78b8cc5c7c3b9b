import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCreatedAt } from './created-at.ts';

describe('parseCreatedAt', () => {
  test.each([
    ['2026-01-15T10:30:00.123456', '2026-01-15T10:30:00.123Z'],
    ['2026-01-15T10:30:00', '2026-01-15T10:30:00.000Z'],
    ['2026-01-15 10:30', '2026-01-15T10:30:00.000Z'],
    ['2026-01-15T10:30:00.5Z', '2026-01-15T10:30:00.500Z'],
    ['2026-01-15T10:30:00,999999+05:30', '2026-01-15T05:00:00.999Z'],
    ['2026-01-15t00:30:00-0100', '2026-01-15T01:30:00.000Z'],
    ['2026-01-15T10:30:00+02', '2026-01-15T08:30:00.000Z'],
    ['2024-02-29T23:59:59.999999z', '2024-02-29T23:59:59.999Z'],
    ['0001-01-01T00:00:00', '0001-01-01T00:00:00.000Z'],
    ['1969-12-31T23:59:59.999', '1969-12-31T23:59:59.999Z'],
  ])('%s is %s', (text, expected) => {
    expect(parseCreatedAt(text)).toBe(Date.parse(expected));
  });

  test.each([
    '', '2026-01-15', '2026-02-29T00:00:00', '1900-02-29T00:00', '2026-04-31T00:00', '2026-13-01T00:00', '2026-00-01T00:00', '2026-01-00T00:00', '0000-01-01T00:00',
    '2026-01-15T24:00', '2026-01-15T10:60', '2026-01-15T10:30:60', '2026-01-15T10:30:00.', '2026-01-15T10:30:00+24:00', '2026-01-15T10:30:00+01:60',
    '2026-1-15T10:30:00', ' 2026-01-15T10:30:00', '2026-01-15T10:30:00Zx', 'tomorrow noon', '1768473000', '２026-01-15T10:30:00',
  ])('%j is no time', (text) => {
    expect(parseCreatedAt(text)).toBeNull();
  });

  test('reads every instant that the platform writes, naive ones as UTC', () => {
    const instants = fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true });
    fc.assert(
      fc.property(instants, fc.integer({ min: 0, max: 999_999 }), (instant, rest) => {
        const text = instant.toISOString();
        expect(parseCreatedAt(text)).toBe(instant.getTime());
        expect(parseCreatedAt(text.replace('Z', String(rest)))).toBe(instant.getTime());
        expect(parseCreatedAt(text.replace('Z', '-03:30'))).toBe(instant.getTime() + 210 * 60_000);
      }),
    );
  });
});
