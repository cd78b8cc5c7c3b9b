import type { Messages } from '../harness/messages.ts';
import { cpuEach, until, type Product } from '../harness/product.ts';
import { Signal } from '../harness/signal.ts';
import type { Contender, Metrics } from '../harness/rounds.ts';

/** Messages published and not yet opened, at most: enough to keep every stage busy, little enough to stay in its steady state. */
export const WINDOW = 2_000;
const IN_FLIGHT = 256;

/**
 * Publishes twice `count` messages, a bounded number ahead of `done()`, and waits until all are done. The first half is not measured: for some
 * thousands of messages V8 still compiles, and whoever is a process of its own begins anew each time.
 * @param onWarm called when that half is done
 * @returns how many were done after that, and in how many seconds
 */
export async function sustained(count: number, publish: (index: number) => Promise<unknown>, done: () => Promise<number>, onWarm: () => Promise<unknown>): Promise<{ count: number; seconds: number }> {
  let started = 0;
  let finished = 0;
  let warm: { at: number; finished: number } | undefined;
  const progress = new Signal();
  const watch = until('the last of them', async () => {
    finished = await done();
    if (warm === undefined && finished >= count) {
      await onWarm();
      finished = await done();
      warm = { at: performance.now(), finished };
    }
    progress.wake();
    return finished >= 2 * count;
  }, 300, 5);
  const lane = async () => {
    while (started < 2 * count) {
      if (started - finished >= WINDOW) {
        await progress.wait();
        continue;
      }
      started += 1;
      await publish(started - 1);
    }
  };
  await Promise.all([watch, ...Array.from({ length: IN_FLIGHT }, lane)]);
  return { count: finished - warm!.finished, seconds: (performance.now() - warm!.at) / 1000 };
}

/** The product: published by a producer, until its `opened` event stands in the stream (which follows the commit). */
export function ours(product: Product, messages: Messages, count: number): Contender {
  return {
    name: 'ours',
    run: async (round): Promise<Metrics> => {
      const position = async () => (await product.jsm.streams.info('HITL_EVENTS')).state.last_seq;
      const batch = messages.many(2 * count, `bench/store/${round}`);
      const first = await position();
      let [before, wal] = [await product.cpu(), await product.wal()];
      const measured = await sustained(count, (index) => product.js.publish(batch[index]!.subject, batch[index]!.text), async () => (await position()) - first, async () => {
        [before, wal] = [await product.cpu(), await product.wal()];
      });
      const cpu = cpuEach(before, await product.cpu(), measured.count);
      await outboxEmpty(product);
      return { rate: measured.count / measured.seconds, wal_bytes: ((await product.wal()) - wal) / measured.count, ...cpu };
    },
  };
}

export const outboxEmpty = (product: Product): Promise<void> =>
  until('an empty outbox', async () => (await product.sql`select 1 from store.outbox limit 1`).length === 0, 60, 50);
