import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_RETRY_AFTER_MS, parseRetryAfter, retryDelay } from './retry-schedule.ts';

const SCHEDULE = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];

describe('retryDelay', () => {
  it('waits as the schedule says, a fifth off either way, and ends with it', () => {
    SCHEDULE.forEach((seconds, index) => {
      expect(retryDelay(SCHEDULE, index + 1, null, 0)).toBe(seconds * 800);
      expect(retryDelay(SCHEDULE, index + 1, null, 0.5)).toBe(seconds * 1_000);
      expect(retryDelay(SCHEDULE, index + 1, null, 1)).toBe(seconds * 1_200);
    });
    expect(retryDelay(SCHEDULE, SCHEDULE.length + 1, null, 0.5)).toBeNull();
    expect(retryDelay(SCHEDULE, SCHEDULE.length + 1, 60_000, 0.5)).toBeNull();
  });

  it('is never sooner than the receiver asked, within an hour, nor sooner than the schedule', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 0, max: 10_000_000 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (failed, asked, random) => {
        const wait = retryDelay(SCHEDULE, failed, asked, random)!;
        expect(wait).toBeGreaterThanOrEqual(Math.min(asked, MAX_RETRY_AFTER_MS) - 1);
        expect(wait).toBeGreaterThanOrEqual(retryDelay(SCHEDULE, failed, null, random)!);
        expect(wait).toBeLessThanOrEqual(Math.max(MAX_RETRY_AFTER_MS, SCHEDULE[failed - 1]! * 1_000) * 1.2 + 1);
      }),
    );
  });

  it('spreads ten thousand that fail together evenly over four tenths of the wait', () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 10_000; i += 1) tenths[Math.min(9, Math.floor((retryDelay(SCHEDULE, 1, null, Math.random())! - 4_000) / 200))]! += 1;
    // A fair tenth holds 1,000 with a standard deviation of 30: eight of them is never chance.
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(240);
  });
});

describe('parseRetryAfter', () => {
  const now = Date.parse('2026-01-15T10:30:00Z');
  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Thu, 15 Jan 2026 10:31:30 GMT', 90_000],
    ['Thu, 15 Jan 2026 10:00:00 GMT', 0],
    ['-5', null],
    ['1.5', null],
    ['soon', null],
    ['9999999999', null],
    [undefined, null],
  ])('%j is %j', (value, expected) => {
    expect(parseRetryAfter(value, now)).toBe(expected);
  });
});
