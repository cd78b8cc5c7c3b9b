import { describe, expect, it } from 'vitest';
import { jsonPage } from './json-page.ts';

describe('a page of items', () => {
  const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

  it('is JSON of one, several and none', () => {
    const items = [{ a: 'é ✓ 😀' }, [1, 2], 'text'];
    for (const some of [items, items.slice(0, 1), []]) {
      expect(JSON.parse(jsonPage('{"items":[', some.map(bytes), '],"next":"ü✓"}').toString('utf8'))).toEqual({ items: some, next: 'ü✓' });
    }
  });

  it('holds no byte more than that', () => {
    expect(jsonPage('[', [bytes(1), bytes(2)], ']').toString('latin1')).toBe('[1,2]');
  });
});
