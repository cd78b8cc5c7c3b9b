import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectCleanPrototypes, isStorable, runs } from '../../../libs/testing/test/fuzz.ts';
import { hostileValue, mutationOf } from '../../../libs/testing/test/mutate.ts';
import { clockSetOfEvent } from './escalation-event.ts';

const clock = { kind: 'deadline', ordinal: 0, due_at: '2026-01-15T10:30:00.123Z', generation: 1 };
const events = fc.constantFrom(
  JSON.stringify({ id: 'x', type: 'opened', namespace: 'default', request_id: 'hitl-Übung 7', seq: 3, reason: 'custom_rule', data: { clocks: [clock, { ...clock, kind: 'reminder' }], escalation: { big: ',"escalation":' } } }),
  JSON.stringify({ id: 'x', type: 'resolved', namespace: 'default', request_id: 'r', seq: 3, reason: 'custom_rule', data: { clocks: [], outcome: {} } }),
);

describe(`events, whatever they say (UMPIRE_SEED=${runs.seed})`, () => {
  it('are clocks that Postgres takes, or named as unreadable', () => {
    const clocks = fc.record({ kind: fc.constantFrom<unknown>('deadline', 'x', null), ordinal: fc.oneof(hostileValue, fc.constant(0)), due_at: fc.oneof(hostileValue, fc.constant(clock.due_at)), generation: fc.oneof(hostileValue, fc.constant(1)) });
    const made = fc.array(clocks, { maxLength: 3 }).map((list) => Buffer.from(JSON.stringify({ namespace: 'default', request_id: 'r', seq: 1, data: { clocks: list } })));
    let refused = 0;
    fc.assert(fc.property(fc.oneof(mutationOf(events), made, fc.uint8Array({ maxLength: 60 })), (bytes) => {
      const read = clockSetOfEvent(bytes);
      if ('fault' in read) {
        refused += 1;
        return void expect(read.fault).not.toBe('');
      }
      expect(isStorable(read.request_id) && Number.isInteger(read.seq) && read.seq < 2 ** 31).toBe(true);
      for (const { due_at, ordinal, generation } of read.clocks) expect([new Date(due_at).getTime() > 0, ordinal >= 0, generation >= 1]).toEqual([true, true, true]);
      expectCleanPrototypes();
    }), { ...runs, numRuns: runs.numRuns * 2 });
    expect(refused).toBeGreaterThan(0);
  });
});
