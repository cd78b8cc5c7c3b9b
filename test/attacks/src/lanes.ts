const LANES = 12;

/** Works on all, a few at a time. @returns what came of each that came to something */
export async function inLanes<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R | null>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: LANES }, async () => {
    for (let index = next++; index < items.length; index = next++) {
      const result = await work(items[index]!, index);
      if (result !== null) results.push(result);
    }
  }));
  return results;
}
