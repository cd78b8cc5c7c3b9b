import { describe, expect, it } from 'vitest';
import { Moments } from './moments.ts';

describe('moments', () => {
  it('keeps the soonest of a namespace, and tells whether it was news', () => {
    const moments = new Moments();
    expect([moments.note('a', 50), moments.note('a', 70), moments.note('a', 20), moments.note('b', 60)]).toEqual([true, false, true, true]);
    expect(moments.soonest).toBe(20);
  });

  it('gives out what is due once', () => {
    const moments = new Moments();
    moments.note('a', 10);
    moments.note('b', 30);
    expect(moments.takeDue(9, 10)).toEqual([]);
    expect(moments.takeDue(10, 10)).toEqual(['a']);
    expect(moments.takeDue(29, 10)).toEqual([]);
    expect(moments.soonest).toBe(30);
    moments.takeDue(30, 10);
    expect(moments.soonest).toBe(Number.POSITIVE_INFINITY);
  });

  it('takes turns when not all fit', () => {
    const moments = new Moments();
    for (const namespace of ['a', 'b', 'c']) moments.note(namespace, 1);
    const order: string[] = [];
    for (let i = 0; i < 6; i++) {
      const [namespace] = moments.takeDue(1, 1) as [string];
      order.push(namespace);
      moments.note(namespace, 1);
    }
    expect(order).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });
});
