import type { Messages } from '../harness/messages.ts';
import { cpuEach, until, type Product } from '../harness/product.ts';
import { Signal } from '../harness/signal.ts';
import type { Contender, Metrics } from '../harness/rounds.ts';

/** Messages published and not yet opened, at most: enough to keep every stage busy, little enough to stay in its steady state. */
export const WINDOW = 2_000;
const IN_FLIGHT = 256;

/** Messages that each contender carries before it is measured: for some thousands V8 still compiles, and whoever is a process of its own begins anew each time. */
export const warmingOf = (count: number): number => Math.min(8_000, 2 * count);
/** How many are needed to measure `count` at a steady pace: those for warming, and as many as are on their way at the end as there were at its beginning. */
export const neededFor = (count: number): number => warmingOf(count) + count + WINDOW;

/**
 * Publishes `neededFor(count)` messages, a bounded number ahead of `done()`, and waits until all are done.
 * @param onWarm called when those for warming are done
 * @param onDone called when those that are measured are
 * @returns how many were done from then on until so many were left as may be ahead, and in how many seconds
 */
export async function sustained(count: number, publish: (index: number) => Promise<unknown>, done: () => Promise<number>, onWarm: () => Promise<unknown>, onDone: () => Promise<unknown>): Promise<{ count: number; seconds: number }> {
  let started = 0;
  let finished = 0;
  let warm: { at: number; finished: number } | undefined;
  let measured: { count: number; seconds: number } | undefined;
  const [warming, all] = [warmingOf(count), neededFor(count)];
  const progress = new Signal();
  const watch = until('the last of them', async () => {
    finished = await done();
    if (warm === undefined && finished >= warming) {
      await onWarm();
      finished = await done();
      warm = { at: performance.now(), finished };
    }
    if (warm !== undefined && measured === undefined && finished >= all - WINDOW) {
      measured = { count: finished - warm.finished, seconds: (performance.now() - warm.at) / 1000 };
      await onDone();
    }
    progress.wake();
    return finished >= all;
  }, 300, 5);
  const lane = async () => {
    while (started < all) {
      if (started - finished >= WINDOW) {
        await progress.wait();
        continue;
      }
      started += 1;
      await publish(started - 1);
    }
  };
  await Promise.all([watch, ...Array.from({ length: IN_FLIGHT }, lane)]);
  return measured!;
}

/** The product: published by a producer, until its `opened` event stands in the stream (which follows the commit). */
export function ours(product: Product, messages: Messages, count: number): Contender {
  return {
    name: 'ours',
    run: async (round): Promise<Metrics> => {
      const position = async () => (await product.jsm.streams.info('HITL_EVENTS')).state.last_seq;
      const batch = messages.many(neededFor(count), `bench/store/${round}`);
      const first = await position();
      const spent = async () => [await product.cpu(), await product.wal()] as const;
      let [before, after] = [await spent(), await spent()];
      const measured = await sustained(count, (index) => product.js.publish(batch[index]!.subject, batch[index]!.text), async () => (await position()) - first, async () => void (before = await spent()), async () => void (after = await spent()));
      await outboxEmpty(product);
      return { rate: measured.count / measured.seconds, wal_bytes: (after[1] - before[1]) / measured.count, ...cpuEach(before[0], after[0], measured.count) };
    },
  };
}

export const outboxEmpty = (product: Product): Promise<void> =>
  until('an empty outbox', async () => (await product.sql`select 1 from store.outbox limit 1`).length === 0, 60, 50);
