import { describe, expect, it } from 'vitest';
import { JsonPage } from './json-page.ts';

describe('a page of items', () => {
  const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

  it('is JSON of one, several and none', () => {
    const items = [{ a: 'é ✓ 😀' }, [1, 2], 'text'];
    for (const some of [items, items.slice(0, 1), []]) {
      expect(JSON.parse(new JsonPage(some.map(bytes)).within('{"items":[', '],"next":"ü✓"}').toString('utf8'))).toEqual({ items: some, next: 'ü✓' });
    }
  });

  it('holds no byte more than that', () => {
    expect(new JsonPage([bytes(1), bytes(2)]).within('[', ']').toString('latin1')).toBe('[1,2]');
  });

  // More than Node cuts from a piece that it shares.
  const long = 'x'.repeat(10_000);

  it('is the same piece for the same words around it, and right with others', () => {
    const page = new JsonPage([bytes('é'), bytes([2]), bytes(long)]);
    const first = page.within('ü[', ']');
    expect(page.items[0]!.buffer).toBe(first.buffer);
    expect(page.within('ü[', ']')).toBe(first);
    expect(page.items.map((item) => Buffer.from(item).toString())).toEqual(['"é"', '[2]', JSON.stringify(long)]);
    expect(page.within('{"items":[', ']}').toString()).toBe(`{"items":["é",[2],"${long}"]}`);
    expect(page.within('ü[', ']').toString()).toBe(`ü["é",[2],"${long}"]`);
    expect(first.toString()).toBe(`ü["é",[2],"${long}"]`);
  });
});
