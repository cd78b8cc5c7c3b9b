import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Allowance } from './allowance.ts';

describe('an allowance', () => {
  it('lets a burst through at once and then its rate', () => {
    let now = 0;
    const allowance = new Allowance(100, 20, () => now);
    expect(allowance.available).toBe(20);
    allowance.spend(20);
    expect([allowance.available, allowance.msUntil(1), allowance.msUntil(20)]).toEqual([0, 10, 200]);
    now = 95;
    expect(allowance.available).toBe(9);
    now = 60_000;
    expect([allowance.available, allowance.msUntil(20)]).toEqual([20, 0]);
  });

  it('never gives more than rate and burst allow over any time', () => {
    fc.assert(fc.property(fc.array(fc.record({ wait: fc.integer({ min: 0, max: 300 }), want: fc.integer({ min: 1, max: 80 }) }), { maxLength: 60 }), (steps) => {
      let now = 0;
      const allowance = new Allowance(200, 50, () => now);
      let spent = 0;
      for (const { wait, want } of steps) {
        now += wait;
        const take = Math.min(want, allowance.available);
        allowance.spend(take);
        spent += take;
        expect(spent).toBeLessThanOrEqual(50 + now * 0.2 + 0.001);
      }
    }));
  });

  it('has what it promised when the time has come', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 200 }), (rate, burst, wanted) => {
      let now = 0;
      const allowance = new Allowance(rate, burst, () => now);
      allowance.spend(allowance.available);
      now += allowance.msUntil(wanted);
      expect(allowance.available).toBeGreaterThanOrEqual(Math.min(wanted, burst));
    }));
  });
});
