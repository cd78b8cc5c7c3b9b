/**
 * Starts `rate` actions a second for `seconds`, each at its own moment whether or not earlier ones are done: what is slow makes others
 * wait in the measurement, as it would in life.
 * @param action gets its number and the moment at which it should have started (performance.now())
 */
export async function paced(rate: number, seconds: number, action: (index: number, at: number) => Promise<unknown>): Promise<void> {
  const began = performance.now();
  const count = Math.round(rate * seconds);
  const running: Promise<unknown>[] = [];
  for (let index = 0; index < count; ) {
    const due = Math.floor(((performance.now() - began) / 1000) * rate) + 1;
    for (; index < Math.min(due, count); index++) running.push(action(index, began + (index * 1000) / rate));
    // Until the next is due, and not a beat of its own: on the two cores that are measured each wake-up counts.
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + (index * 1000) / rate - performance.now())));
  }
  await Promise.all(running);
}

/** Runs `count` actions, `lanes` at a time. @returns seconds */
export async function closed(count: number, lanes: number, action: (index: number) => Promise<unknown>): Promise<number> {
  const began = performance.now();
  let next = 0;
  const lane = async () => {
    while (next < count) {
      next += 1;
      await action(next - 1);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return (performance.now() - began) / 1000;
}

/** How long each of `count` actions took, one after the other, in ms. */
export async function serial(count: number, action: (index: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const began = performance.now();
    await action(index);
    times.push(performance.now() - began);
  }
  return times;
}
