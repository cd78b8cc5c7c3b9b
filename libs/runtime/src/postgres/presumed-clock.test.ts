import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PresumedClock } from './connect.ts';

const START = 1_900_000_000_000;
let began: number;
let clock: PresumedClock;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  began = performance.now();
  clock = new PresumedClock();
});
afterEach(() => void vi.useRealTimers());

const pass = (ms: number) => void vi.advanceTimersByTime(ms);
/** What the database's clock shows by now: truncated, as it is read. */
const shown = () => Math.floor(START + 0.7 + (performance.now() - began));
/** Reads it, and the answer is under way for so long. */
function read(underWayMs: number): void {
  const now = shown();
  pass(underWayMs);
  clock.learn(now);
}

describe('PresumedClock', () => {
  it('presumes nothing before it was read', () => {
    expect(clock.presume()).toBeNull();
  });

  it('goes on from what was read, and is never ahead of it', () => {
    read(3);
    expect(clock.presume()).toBe(shown() - 4);
    for (const ms of [0.2, 0.2, 0.7, 5.25, 250, 9_000]) {
      pass(ms);
      expect(clock.presume()).toBeLessThanOrEqual(shown());
      expect(clock.presume()).toBeGreaterThanOrEqual(shown() - 5);
    }
  });

  it('keeps the reading that was under way for the shortest time', () => {
    read(40);
    expect(clock.presume()).toBe(shown() - 41);
    read(2);
    expect(clock.presume()).toBe(shown() - 3);
    read(40);
    expect(clock.presume()).toBe(shown() - 3);
  });

  it('takes any reading once the best is older than ten seconds', () => {
    read(2);
    pass(9_960);
    read(40);
    expect(clock.presume()).toBe(shown() - 3);
    pass(1);
    read(40);
    expect(clock.presume()).toBe(shown() - 41);
  });

  it('presumes nothing from a reading that is older than ten seconds', () => {
    read(2);
    pass(10_000);
    expect(clock.presume()).toBe(shown() - 3);
    pass(1);
    expect(clock.presume()).toBeNull();
  });

  it('forgets what proved wrong, and takes the next reading however long it was under way', () => {
    clock.learn(START + 3_600_000);
    read(40);
    expect(clock.presume()).toBeGreaterThan(shown());
    clock.forget();
    expect(clock.presume()).toBeNull();
    read(40);
    expect(clock.presume()).toBe(shown() - 41);
  });
});
