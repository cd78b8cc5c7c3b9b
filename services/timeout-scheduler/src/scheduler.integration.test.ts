import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '@umpire/testing';
import { startHarness, type Harness } from '../test/harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness();
});
afterEach(() => harness.stop());

describe('firing', () => {
  it('fires each timer at its moment, whatever the interval at which it looks', async () => {
    const { store } = harness;
    await harness.start({ UMPIRE_LOOK_EVERY_MS: '60000', UMPIRE_RECONCILE_MS: '3600000' });
    const start = await harness.now();
    const events = Array.from({ length: 300 }, (_, i) => store.changed(`team-${i % 3 === 0 ? 'a' : 'b'}`, `hitl-Übung/${i}`, [{ kind: 'deadline', dueAt: start + 500 + ((i * 7919) % 2_500) }]));
    await store.publishAll(events);
    await store.until('all applied', () => store.applied.length === 300);
    expect(store.early).toEqual([]);
    expect(store.asked.length).toBe(300);
    const lateness = store.applied.map((item) => item.at - item.dueAt!).sort((a, b) => a - b);
    console.log('lateness ms: p50', lateness[150], 'p99', lateness[297], 'max', lateness[299]);
    expect(lateness[297]!).toBeLessThan(1_000);
    await eventually('rows gone', async () => (await harness.timers()) === 0);
  });
});
