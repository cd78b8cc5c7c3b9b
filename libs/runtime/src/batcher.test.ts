import { describe, expect, it, vi } from 'vitest';
import { Batcher } from './batcher.ts';

/** Work that ends when it is told to. */
function worker() {
  const batches: { items: number[]; end(): void; fail(error: Error): void }[] = [];
  const work = (items: number[]) => new Promise<string[]>((resolve, reject) => batches.push({ items, end: () => resolve(items.map((item) => `did ${item}`)), fail: reject }));
  return { batches, work };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const ONE_LANE = { items: 10, size: 100, lanes: 1 };

describe('Batcher', () => {
  it('takes what one turn of the event loop brings as one batch', async () => {
    const { batches, work } = worker();
    const batcher = new Batcher(work, ONE_LANE);
    const results = [1, 2, 3].map((item) => batcher.add(item, 1));
    await turn();
    expect(batches.map((batch) => batch.items)).toEqual([[1, 2, 3]]);
    batches[0]!.end();
    expect(await Promise.all(results)).toEqual(['did 1', 'did 2', 'did 3']);
  });

  it('takes what arrives meanwhile as the next batch, within its limits', async () => {
    const { batches, work } = worker();
    const batcher = new Batcher(work, { items: 3, size: 100, lanes: 1 });
    void batcher.add(1, 1);
    await turn();
    const rest = [batcher.add(2, 60), batcher.add(3, 60), batcher.add(4, 1), batcher.add(5, 1), batcher.add(6, 1)];
    await turn();
    expect(batcher.waiting).toBe(5);
    for (let done = 0; done < 4; done += 1) {
      batches[done]?.end();
      await turn();
      await turn();
    }
    expect(batches.map((batch) => batch.items)).toEqual([[1], [2], [3, 4, 5], [6]]);
    expect(await Promise.all(rest)).toHaveLength(5);
  });

  it('takes every lane at once without patience', async () => {
    const { batches, work } = worker();
    const batcher = new Batcher(work, { items: 10, size: 100, lanes: 2 });
    for (const item of [1, 2, 3]) {
      void batcher.add(item, 1);
      await turn();
    }
    expect(batches.map((batch) => batch.items)).toEqual([[1], [2]]);
    expect(batcher.waiting).toBe(1);
  });

  it('waits for a young batch, but not for one that takes long', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { batches, work } = worker();
      const batcher = new Batcher(work, { items: 10, size: 100, lanes: 2, patienceMs: 50 });
      void batcher.add(1, 1);
      await turn();
      void batcher.add(2, 1);
      await turn();
      vi.advanceTimersByTime(49);
      expect(batches.map((batch) => batch.items)).toEqual([[1]]);
      vi.advanceTimersByTime(1);
      expect(batches.map((batch) => batch.items)).toEqual([[1], [2]]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('does not wait for a young batch with a full one', async () => {
    const { batches, work } = worker();
    const batcher = new Batcher(work, { items: 2, size: 100, lanes: 3, patienceMs: 3_600_000 });
    const results = [1, 2, 3, 4, 5].map((item) => batcher.add(item, 1));
    await turn();
    expect(batches.map((batch) => batch.items)).toEqual([[1, 2], [3, 4]]);
    batches[0]!.end();
    batches[1]!.end();
    await turn();
    await turn();
    batches[2]!.end();
    expect(await Promise.all(results)).toHaveLength(5);
  });

  it('rests between batches, but neither alone nor before a full one', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const { batches, work } = worker();
      const batcher = new Batcher(work, { items: 3, size: 100, lanes: 9, restMs: 50 });
      for (const item of [1, 2, 3]) {
        void batcher.add(item, 1);
        await turn();
      }
      expect(batches.map((batch) => batch.items)).toEqual([[1]]);
      vi.advanceTimersByTime(49);
      expect(batches).toHaveLength(1);
      vi.advanceTimersByTime(1);
      expect(batches.map((batch) => batch.items)).toEqual([[1], [2, 3]]);
      for (const item of [4, 5, 6]) void batcher.add(item, 1);
      await turn();
      expect(batches.map((batch) => batch.items)).toEqual([[1], [2, 3], [4, 5, 6]]);
      vi.advanceTimersByTime(60);
      void batcher.add(7, 1);
      await turn();
      expect(batches.at(-1)!.items).toEqual([7]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('tells every item of a batch that failed, and goes on', async () => {
    const { batches, work } = worker();
    const batcher = new Batcher(work, { ...ONE_LANE, patienceMs: 3_600_000 });
    const failed = [batcher.add(1, 1), batcher.add(2, 1)];
    await turn();
    batches[0]!.fail(new Error('away'));
    expect((await Promise.allSettled(failed)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const next = batcher.add(3, 1);
    await turn();
    await turn();
    batches[1]!.end();
    expect(await next).toBe('did 3');
  });
});
