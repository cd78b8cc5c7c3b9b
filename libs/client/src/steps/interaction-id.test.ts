import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interactionIdOf, type PauseName } from './interaction-id.ts';

const name: PauseName = { namespace: 'default', pipeline: 'loans', step: 'check', key: 'loan/17' };

describe('the id of a pause', () => {
  it('is the same in every process and language', () => {
    // python3 -c "import uuid,json; print(uuid.uuid5(uuid.UUID('029c0f1a-f75f-5fb5-86a0-281fd597d53c'), 'pause\n' + json.dumps(['default','loans','check','loan/17'], separators=(',',':'), ensure_ascii=False)))"
    expect(interactionIdOf(name)).toBe('c0e7922d-a357-5881-ba80-b47c911c4d76');
  });

  it('differs when any name does, wherever one ends and the next begins', () => {
    const text = fc.string({ maxLength: 4 });
    const names = fc.record({ namespace: text, pipeline: text, step: text, key: text });
    fc.assert(fc.property(names, names, (one, other) => {
      const same = one.namespace === other.namespace && one.pipeline === other.pipeline && one.step === other.step && one.key === other.key;
      return (interactionIdOf(one) === interactionIdOf(other)) === same;
    }));
  });
});
