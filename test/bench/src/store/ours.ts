import type { Messages } from '../harness/messages.ts';
import { cpuEach, until, type Product } from '../harness/product.ts';
import { Signal } from '../harness/signal.ts';
import type { Contender, Metrics } from '../harness/rounds.ts';

/** Messages published and not yet opened, at most: enough to keep every stage busy, little enough to stay in its steady state. */
export const WINDOW = 2_000;
const IN_FLIGHT = 256;

/**
 * Publishes `count` messages, a bounded number ahead of `done()`, and waits until all are done.
 * @returns seconds from the first publish to the last one done
 */
export async function stream(count: number, publish: (index: number) => Promise<unknown>, done: () => Promise<number>): Promise<number> {
  const began = performance.now();
  let started = 0;
  let finished = 0;
  const progress = new Signal();
  const watch = until('the last of them', async () => {
    finished = await done();
    progress.wake();
    return finished >= count;
  }, 300, 5);
  const lane = async () => {
    while (started < count) {
      if (started - finished >= WINDOW) {
        await progress.wait();
        continue;
      }
      started += 1;
      await publish(started - 1);
    }
  };
  await Promise.all([watch, ...Array.from({ length: IN_FLIGHT }, lane)]);
  return (performance.now() - began) / 1000;
}

/** The product: published by a producer, until its `opened` event stands in the stream (which follows the commit). */
export function ours(product: Product, messages: Messages, count: number): Contender {
  return {
    name: 'ours',
    run: async (round): Promise<Metrics> => {
      const position = async () => (await product.jsm.streams.info('HITL_EVENTS')).state.last_seq;
      const batch = messages.many(count, `bench/store/${round}`);
      const [first, before, wal] = [await position(), await product.cpu(), await product.wal()];
      const seconds = await stream(count, (index) => product.js.publish(batch[index]!.subject, batch[index]!.text), async () => (await position()) - first);
      const cpu = cpuEach(before, await product.cpu(), count);
      await outboxEmpty(product);
      return { rate: count / seconds, wal_bytes: ((await product.wal()) - wal) / count, ...cpu };
    },
  };
}

export const outboxEmpty = (product: Product): Promise<void> =>
  until('an empty outbox', async () => (await product.sql`select 1 from store.outbox limit 1`).length === 0, 60, 50);
