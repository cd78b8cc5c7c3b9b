import { describe, expect, it } from 'vitest';
import { searchWindow } from './search-window.ts';

const age = { by: 'age', descending: false } as const;
const newest = { by: 'age', descending: true } as const;
/** Half of all rows in the first second, half in the nine after it. */
const bounds = [0, 1_000, 10_000];
const at = (ms: number) => ({ opened_at: new Date(ms).toISOString(), deadline: null, urgency: 0, request_id: 'a' });

describe('the window of a search', () => {
  it('holds a few pages\' worth of matches from where the page begins', () => {
    expect(searchWindow(bounds, 1_000, { order: age, after: null, limit: 50 })).toBe(400);
    expect(searchWindow(bounds, 1_000, { order: newest, after: null, limit: 50 })).toBe(6_400);
    expect(searchWindow(bounds, 1_000, { order: age, after: at(500), limit: 50 })).toBe(900);
    expect(searchWindow(bounds, 1_000, { order: age, after: at(900), limit: 50 })).toBe(3_700);
    expect(searchWindow(bounds, 1_000, { order: newest, after: at(1_000), limit: 50 })).toBe(600);
  });

  it('is not there where it would hold most rows, reach the end, or nothing is known of ages', () => {
    expect(searchWindow(bounds, 300, { order: age, after: null, limit: 50 })).toBeNull();
    expect(searchWindow(bounds, 1_000, { order: age, after: at(9_000), limit: 50 })).toBeNull();
    expect(searchWindow(bounds, 1_000, { order: age, after: at(20_000), limit: 50 })).toBeNull();
    expect(searchWindow(bounds, 1_000, { order: newest, after: at(-1), limit: 50 })).toBeNull();
    expect(searchWindow([], 1_000, { order: age, after: null, limit: 50 })).toBeNull();
  });
});
