import { describe, expect, it } from 'vitest';
import { KeptChoices } from './kept-choices.ts';

/** Choices kept for 1,000 ms, three of them, whose making counts itself. */
function choices() {
  let now = 0;
  let count = 0;
  const kept = new KeptChoices<number>({ keepMs: 1_000, most: 3, now: () => now });
  return { kept, pass: (ms: number) => (now += ms), make: () => Promise.resolve((count += 1)) };
}

describe('kept choices', () => {
  it('are made once for all who ask meanwhile, each by their key, until they are too old', async () => {
    const { kept, pass, make } = choices();
    expect(await Promise.all([kept.get('a', make), kept.get('a', make), kept.get('b', make)])).toEqual([1, 1, 2]);
    pass(999);
    expect(await kept.get('a', make)).toBe(1);
    pass(1);
    expect(await kept.get('a', make)).toBe(3);
  });

  it('give way to newer ones, the oldest first', async () => {
    const { kept, make } = choices();
    for (const key of ['a', 'b', 'c', 'd']) await kept.get(key, make);
    expect(await Promise.all(['b', 'c', 'd', 'a'].map((key) => kept.get(key, make)))).toEqual([2, 3, 4, 5]);
  });

  it('are made again after a failure', async () => {
    const { kept, make } = choices();
    const failing = () => Promise.reject(new Error('no database'));
    const asked = await Promise.allSettled([kept.get('a', failing), kept.get('a', make)]);
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await kept.get('a', make)).toBe(1);
  });
});
