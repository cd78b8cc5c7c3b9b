import { describe, expect, it } from 'vitest';
import { scaleOf } from './scale.ts';

describe('the scale of a chart', () => {
  it('reaches above everything, in whole parts', () => {
    expect([1, 2, 3, 5, 6, 9, 37, 140, 4_800].map(scaleOf)).toEqual([
      { top: 1, parts: 1 }, { top: 2, parts: 2 }, { top: 4, parts: 4 }, { top: 5, parts: 5 }, { top: 8, parts: 4 }, { top: 10, parts: 5 }, { top: 40, parts: 4 }, { top: 200, parts: 4 }, { top: 5_000, parts: 4 },
    ]);
  });
});
