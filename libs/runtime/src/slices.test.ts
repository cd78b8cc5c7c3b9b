import { expect, it } from 'vitest';
import { inSlices } from './slices.ts';

function busy(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

it('maps in order, and lets other work in between', async () => {
  let others = 0;
  const count = () => {
    others += 1;
    beat = setImmediate(count);
  };
  let beat = setImmediate(count);
  const results = await inSlices([1, 2, 3, 4, 5], (n) => {
    busy(4);
    return [n, others];
  });
  clearImmediate(beat);
  expect(results.map(([n]) => n)).toEqual([1, 2, 3, 4, 5]);
  const seen = results.map(([, met]) => met!);
  // Each item takes a slice of its own: the sockets are read between any two.
  expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
});

it('does what is quick in one go, and nothing for nothing', async () => {
  let others = 0;
  const beat = setImmediate(() => (others += 1));
  const mapped = inSlices(new Set(['a', 'b']), (text) => text.toUpperCase());
  expect(others).toBe(0);
  expect(await mapped).toEqual(['A', 'B']);
  clearImmediate(beat);
  expect(await inSlices([], () => 1)).toEqual([]);
});

it('throws what the work throws', async () => {
  await expect(inSlices([1], () => { throw new Error('no'); })).rejects.toThrow('no');
});
