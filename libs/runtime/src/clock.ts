/** The process's clock. Only for durations and log lines: what is due is decided by the database's clock. */
export type Clock = { now: () => number };

export const systemClock: Clock = { now: () => Date.now() };

/** @returns a promise that settles after `ms`, or at once when the signal aborts; it never rejects. */
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
