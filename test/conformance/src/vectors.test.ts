import { describe, expect, test } from 'vitest';
import { readJson } from '@umpire/contract';
import { alignmentVector, checkVectorLine, differences } from './index.ts';
import { sharedDataIsThere, sharedLines } from './shared-data.ts';

describe.skipIf(!sharedDataIsThere)('the alignment vectors', () => {
  const lines = sharedLines('alignment-vectors.jsonl');

  test('all match', () => {
    expect(lines).toHaveLength(250);
    for (const [index, line] of lines.entries()) {
      expect({ index, mismatches: checkVectorLine(line) }).toEqual({ index, mismatches: [] });
    }
  });

  test('give the same for a line, its node, and (in these 250) its plain object', () => {
    for (const line of lines) {
      const answer = alignmentVector(line);
      expect(alignmentVector(readJson(line))).toEqual(answer);
      const plain = alignmentVector(JSON.parse(line) as object);
      expect('error' in plain ? plain : plain.needs_review).toEqual('error' in answer ? answer : answer.needs_review);
    }
  });

  test('are not matched by another answer', () => {
    const altered = (lines[0] ?? '').replace('"decision_agreement": false', '"decision_agreement": true');
    expect(checkVectorLine(altered)).toEqual([{ path: 'summary.decision_agreement', expected: true, actual: false }]);
  });
});

describe('differences', () => {
  test('are numbers beyond 1e-9, and anything else that is not the same', () => {
    expect(differences({ a: [1, 2] }, { a: [1 + 5e-10, 2] })).toEqual([]);
    expect(differences({ a: [1, 2] }, { a: [1.000001, 2] })).toEqual([{ path: 'a[0]', expected: 1, actual: 1.000001 }]);
    expect(differences({ a: 1 }, { b: 1 }).map((mismatch) => mismatch.path)).toEqual(['a', 'b']);
    expect(differences([1], [1, 2])).toHaveLength(1);
    expect(differences(null, {})).toHaveLength(1);
    expect(differences(1, '1')).toHaveLength(1);
  });
});
