/** The process's wall clock, for comparing with times that others wrote. Milliseconds since the epoch. */
export const wallClock = (): number => Date.now();

/** A clock that only goes forward, for durations. Milliseconds. */
export const steadyClock = (): number => performance.now();

/** @returns after `ms`, or at once when the signal aborts; it never rejects. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}
