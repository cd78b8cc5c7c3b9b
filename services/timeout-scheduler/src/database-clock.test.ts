import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DatabaseClock } from './database-clock.ts';

/** A monotonic clock that the test moves, and a database whose clock is `offset` ahead of it. */
function world(offset: number) {
  let ours = 5_000;
  const clock = new DatabaseClock(() => ours);
  return {
    clock,
    truth: () => ours + offset,
    pass: (ms: number) => (ours += ms),
    step: (ms: number) => (offset += ms),
    /** A statement that takes `there` ms until the database reads its clock and `back` ms until we hear of it. */
    ask: (there: number, back: number) => {
      const sentAt = ours;
      ours += there;
      const said = ours + offset;
      ours += back;
      return clock.observe(sentAt, said);
    },
  };
}

describe('the database\'s clock, from here', () => {
  it('knows nothing before it was told', () => {
    expect(world(0).clock.known).toBe(false);
  });

  it('is never ahead of the truth, and behind by no more than the fastest answer took and clocks drift', () => {
    const statements = fc.array(fc.record({ there: fc.integer({ min: 0, max: 400 }), back: fc.integer({ min: 0, max: 400 }), idle: fc.integer({ min: 0, max: 5_000 }) }), { minLength: 1, maxLength: 40 });
    fc.assert(fc.property(statements, fc.integer({ min: -1e12, max: 1e12 }), (list, offset) => {
      const { clock, truth, ask, pass } = world(offset);
      let fastest = Number.POSITIVE_INFINITY;
      let passed = 0;
      for (const { there, back, idle } of list) {
        expect(ask(there, back)).toBe(false);
        fastest = Math.min(fastest, back);
        pass(idle);
        passed += there + back + idle;
        expect(clock.now()).toBeLessThanOrEqual(truth() + 0.001);
        expect(truth() - clock.now()).toBeLessThanOrEqual(fastest + passed * 0.0002 + 0.001);
      }
    }));
  });

  it('notices a step in either direction, and believes the newer statement', () => {
    for (const step of [600_000, -600_000, 7 * 86_400_000]) {
      const { clock, truth, ask, pass, step: move } = world(1_000_000);
      ask(1, 1);
      pass(500);
      move(step);
      expect(ask(1, 2)).toBe(true);
      expect(truth() - clock.now()).toBeCloseTo(2, 3);
    }
  });

  it('runs on between statements', () => {
    const { clock, truth, ask, pass } = world(42);
    ask(0, 0);
    pass(10_000);
    expect(truth() - clock.now()).toBeLessThan(2.01);
  });
});
