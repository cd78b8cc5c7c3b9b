import { describe, expect, it } from 'vitest';
import { KeptFigures, type Keeping } from './kept-figures.ts';

/** Computing that takes as long as is said, and counts itself. */
function figures(keeping: Keeping = { quickMs: 250, times: 20, mostMs: Number.POSITIVE_INFINITY, staleTimes: 5 }) {
  let now = 0;
  let count = 0;
  const kept = new KeptFigures<number>(keeping, () => now);
  return { kept, pass: (ms: number) => (now += ms), taking: (ms: number) => () => Promise.resolve((now += ms)).then(() => (count += 1)) };
}

describe('kept figures', () => {
  it('are computed anew each time as long as that is quick', async () => {
    const { kept, taking } = figures();
    expect([await kept.get('a', taking(249)), await kept.get('a', taking(249))]).toEqual([1, 2]);
  });

  it('are kept for twenty times as long as they took, each by their key', async () => {
    const { kept, pass, taking } = figures();
    expect([await kept.get('a', taking(1_000)), await kept.get('a', taking(1_000)), await kept.get('b', taking(1_000))]).toEqual([1, 1, 2]);
    pass(18_000);
    expect(await kept.get('a', taking(1_000))).toBe(1);
  });

  it('are shown once more while they are computed anew, and not when they are too old', async () => {
    const { kept, pass, taking } = figures();
    await kept.get('a', taking(1_000));
    pass(20_001);
    expect(await kept.get('a', taking(1_000))).toBe(1);
    await expect.poll(() => kept.get('a', taking(1_000))).toBe(2);
    pass(100_001);
    expect(await kept.get('a', taking(1_000))).toBe(3);
  });

  it('are never kept for longer than is said, nor shown when older than a multiple of that, reckoned from when they were begun', async () => {
    const { kept, pass, taking } = figures({ quickMs: 0, times: 20, mostMs: 1_000, staleTimes: 2 });
    await kept.get('a', taking(100));
    pass(900);
    expect(await kept.get('a', taking(100))).toBe(1);
    pass(1_000);
    expect(await kept.get('a', taking(100))).toBe(1);
    await expect.poll(() => kept.get('a', taking(100))).toBe(2);
    pass(2_001);
    expect(await kept.get('a', taking(0))).toBe(3);
    expect(await kept.get('a', taking(0))).toBe(3);
    pass(1);
    expect(await kept.get('a', taking(0))).toBe(4);
  });

  it('are computed once for all who ask meanwhile, and tried again after a failure', async () => {
    const { kept, taking } = figures();
    const failing = () => Promise.reject(new Error('no database'));
    await expect(kept.get('a', failing)).rejects.toThrow('no database');
    expect(await Promise.all([kept.get('a', taking(1_000)), kept.get('a', taking(1_000))])).toEqual([1, 1]);
  });

  it('remain when computing them behind fails', async () => {
    const { kept, pass, taking } = figures();
    await kept.get('a', taking(1_000));
    pass(20_001);
    expect(await kept.get('a', () => Promise.reject(new Error('no database')))).toBe(1);
    expect(await kept.get('a', taking(1_000))).toBe(1);
  });
});
