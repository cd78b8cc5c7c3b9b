import { delay } from '@umpire/runtime';

/**
 * Waits for a condition that no event announces, looking again every 20 ms.
 * @returns the condition's first truthy value
 * @throws Error with `what` after `withinMs`
 */
export async function eventually<T>(what: string, condition: () => Promise<T | null | undefined | false> | T | null | undefined | false, withinMs = 15_000): Promise<T> {
  const end = performance.now() + withinMs;
  let last: unknown;
  while (performance.now() < end) {
    try {
      const value = await condition();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    await delay(20);
  }
  throw new Error(`not within ${withinMs} ms: ${what}`, { cause: last });
}

/** A promise to be settled from outside: what tests wait on instead of sleeping. */
export function signal<T = void>(): { promise: Promise<T>; fire: (value: T) => void } {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { promise, fire: resolve };
}
export { delay } from '@umpire/runtime';
