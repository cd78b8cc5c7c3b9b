import { describe, expect, it } from 'vitest';
import { diffLines } from './diff.ts';

const said = (before: string, after: string) => diffLines(before, after).map(({ kind, text }) => `${{ same: ' ', gone: '-', new: '+' }[kind]}${text}`);

describe('lines that went and came', () => {
  it('keep what both have, in order', () => {
    expect(said('a\nb\nc', 'a\nc\nd')).toEqual([' a', '-b', ' c', '+d']);
    expect(said('same', 'same')).toEqual([' same']);
    expect(said('', 'new')).toEqual(['-', '+new']);
  });

  it('are shown whole where comparing them would take too long', () => {
    const [before, after] = ['a\n'.repeat(2_100), 'a\n'.repeat(2_099)];
    expect(diffLines(before, after).map(({ kind }) => kind).filter((kind) => kind === 'same')).toEqual([]);
    expect(diffLines(before, after)).toHaveLength(2_101 + 2_100);
  });
});
