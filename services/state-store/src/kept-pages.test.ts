import { describe, expect, it, vi } from 'vitest';
import { KeptPages } from './kept-pages.ts';
import type { HotRow } from './read.queries.ts';

const row = (request_id: string, seq = 1): HotRow => ({ namespace: 'default', request_id, seq, status: 'pending', reason: 'custom_rule' });

/** Pages that count how often they were made. */
function pages(mostBytes = 1_000) {
  let now = 0;
  let made = 0;
  const kept = new KeptPages({ keepMs: 10, mostBytes, now: () => now });
  const shown = async (rows: HotRow[], size = 10) => {
    const { items } = await kept.get(rows, () => Promise.resolve(rows.map(({ request_id }) => Buffer.from(`${(made += 1)} ${request_id}`.padEnd(size)))));
    return items.map((item) => Buffer.from(item!).toString().trim());
  };
  return { kept, shown, pass: (ms: number) => (now += ms) };
}

describe('pages', () => {
  it('are kept by the ids, the order and the versions of what they show', async () => {
    const { shown } = pages();
    expect(await shown([row('a'), row('b')])).toEqual(['1 a', '2 b']);
    expect(await shown([row('a'), row('b')])).toEqual(['1 a', '2 b']);
    expect(await shown([row('b'), row('a')])).toEqual(['3 b', '4 a']);
    expect(await shown([row('a', 2), row('b')])).toEqual(['5 a', '6 b']);
    expect(await shown([{ ...row('a'), namespace: 'other' }, row('b')])).toEqual(['7 a', '8 b']);
    // Ids that would read the same one after the other.
    expect(await shown([row('adefault/1/1/b')])).not.toEqual(['1 a', '2 b']);
  });

  it('are made anew some seconds after they were made, however often they were asked for', async () => {
    const { shown, pass } = pages();
    await shown([row('a')]);
    pass(9);
    expect(await shown([row('a')])).toEqual(['1 a']);
    pass(1);
    expect(await shown([row('a')])).toEqual(['2 a']);
    pass(9);
    expect(await shown([row('a')])).toEqual(['2 a']);
  });

  it('are let go even if nobody asks for any again', async () => {
    vi.useFakeTimers();
    try {
      const { kept, shown, pass } = pages();
      await shown([row('a')]);
      expect(kept.held).toBeGreaterThan(0);
      pass(10);
      vi.advanceTimersByTime(10);
      expect(kept.held).toBe(0);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('give way to newer ones when they take too much', async () => {
    // Each takes 10 and what stands between, and 13 of its key.
    const { kept, shown } = pages(100);
    for (const id of ['a', 'b', 'c', 'd']) await shown([row(id)]);
    expect(kept.held).toBe(96);
    expect(await shown([row('a')])).toEqual(['1 a']);
    await shown([row('e')]);
    expect(await shown([row('b')])).toEqual(['2 b']);
    expect(await shown([row('a')])).toEqual(['6 a']);
    expect(await shown([row('b')])).toEqual(['7 b']);
    // What leaves no room for others is not kept at all.
    expect(await shown([row('huge')], 1_000)).toEqual(['8 huge']);
    expect(await shown([row('huge')], 1_000)).toEqual(['9 huge']);
    expect(await shown([row('b')])).toEqual(['7 b']);
  });

  it('are the same for all who ask, and hold nothing but themselves', async () => {
    const { kept } = pages(100_000);
    const reply = Buffer.alloc(50_000, 'x');
    const ask = () => kept.get([row('a'), row('b')], () => Promise.resolve([reply.subarray(10, 20), reply.subarray(30, 40)]));
    const { page } = await ask();
    expect(page.items.some((item) => item.buffer === reply.buffer)).toBe(false);
    expect((await ask()).page).toBe(page);
    expect(page.within('[', ']').toString()).toBe('[xxxxxxxxxx,xxxxxxxxxx]');
  });

  it('that lack something are not kept', async () => {
    const { kept } = pages();
    expect((await kept.get([row('a'), row('b')], () => Promise.resolve([null, Buffer.from('there')]))).items).toEqual([null, Buffer.from('there')]);
    const { items, page } = await kept.get([row('a'), row('b')], () => Promise.resolve([Buffer.from('here'), null]));
    expect(items).toEqual([Buffer.from('here'), null]);
    expect(page.within('[', ']').toString()).toBe('[here]');
  });
});
