import { setImmediate as otherWork } from 'node:timers/promises';

/** Whoever waits for the process waits so long for it at most, and for one item. */
const SLICE_MS = 3;

/** Maps many items that nobody waits for, in slices: between these the process reads its sockets. */
export async function inSlices<Item, Result>(items: Iterable<Item>, work: (item: Item) => Result): Promise<Result[]> {
  const results: Result[] = [];
  let began = performance.now();
  for (const item of items) {
    results.push(work(item));
    if (performance.now() - began < SLICE_MS) continue;
    await otherWork();
    began = performance.now();
  }
  return results;
}
