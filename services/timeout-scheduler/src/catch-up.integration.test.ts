import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startHarness, type Harness } from '../test/harness.ts';
import type { Asked } from '../test/store-stand-in.ts';
import { eventually } from '@umpire/testing';
import { Arming } from './arming.service.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness();
});
afterEach(() => harness.stop());

/** Arms timers that nobody watches: the scheduler is down. */
async function armWhileDown(namespace: string, count: number, dueAt: (nth: number) => number) {
  const arming = new Arming(harness.database.sql, () => undefined);
  for (let first = 0; first < count; first += 2_000) {
    const sets = Array.from({ length: Math.min(2_000, count - first) }, (_, i) => {
      const event = harness.store.changed(namespace, `missed-${first + i}`, [{ kind: 'deadline', dueAt: dueAt(first + i) }]);
      return { namespace, request_id: event.request_id, seq: event.seq, clocks: event.data.clocks };
    });
    await arming.take(sets);
  }
}

const missed = (item: Asked) => item.request_id.startsWith('missed-');

describe('after the scheduler was down', () => {
  it('fires 100,000 overdue timers in due order of each namespace, fairly, while new ones keep their time', async () => {
    const { store } = harness;
    const start = await harness.now();
    const spread = (nth: number) => start - 3_600_000 + ((nth * 7_919) % 3_600_000);
    await armWhileDown('team-a', 70_000, spread);
    await armWhileDown('team-b', 27_000, spread);
    await armWhileDown('default', 3_000, spread);
    store.telling = false;
    const scheduler = await harness.start({ UMPIRE_CATCH_UP_PER_SECOND: '8000' });
    const back = await harness.now();
    await store.publishAll(Array.from({ length: 300 }, (_, i) => store.changed('team-a', `new-${i}`, [{ kind: 'deadline', dueAt: back + 1_500 + i * 20 }])));
    await store.until('all of them', () => store.applied.length === 100_300, 150_000);

    expect(store.asked.length).toBe(100_300);
    expect(store.early).toEqual([]);
    for (const namespace of ['team-a', 'team-b', 'default']) {
      const due = store.applied.filter((item) => item.namespace === namespace && missed(item)).map((item) => item.dueAt!);
      expect(due.findIndex((at, index) => index > 0 && at < due[index - 1]!)).toBe(-1);
    }
    // With three lanes taking turns the short one is done when the others have had about as many turns.
    const lastOfShort = store.applied.findLastIndex((item) => item.namespace === 'default' && missed(item));
    expect(lastOfShort).toBeLessThan(3 * 3_000 + 3_000);
    // The last new one falls due 7.5 s after the return; the old ones take 12.5 s at the least.
    expect(store.applied.findLastIndex((item) => !missed(item))).toBeLessThan(store.applied.findLastIndex(missed));
    const metrics = await (await fetch(`${scheduler.origin}/metrics`)).text();
    expect(metrics).toMatch(/umpire_timeout_scheduler_lateness_seconds_bucket\{le="7200",kind="deadline",namespace="team-a",reason="custom_rule"\} \d{5,}/);
    await eventually('no rows', async () => (await harness.timers()) === 0);
  }, 240_000);

  it('catches up no faster than allowed', async () => {
    const { store } = harness;
    const start = await harness.now();
    await armWhileDown('default', 1_000, (nth) => start - 60_000 + nth);
    await harness.start({ UMPIRE_CATCH_UP_PER_SECOND: '400', UMPIRE_APPLY_BATCH: '100' });
    await store.until('all of them', () => store.applied.length === 1_000);
    const [first, last] = [store.applied[0]!.at, store.applied.at(-1)!.at];
    // A burst of 100 at once, then 400 a second.
    expect(last - first).toBeGreaterThan(2_100);
  });

  it('tells how much is overdue, and since when', async () => {
    const start = await harness.now();
    await armWhileDown('team-a', 30, (nth) => start - 120_000 + nth);
    await armWhileDown('team-b', 12, () => start - 1_000);
    await harness.store.goAway();
    const scheduler = await harness.start();
    const gauge = (text: string, name: string) => Number(new RegExp(`^umpire_timeout_scheduler_${name} (\\S+)$`, 'm').exec(text)?.[1]);
    await eventually('the gauges', async () => {
      const text = await (await fetch(`${scheduler.origin}/metrics`)).text();
      return gauge(text, 'overdue') === 42 && gauge(text, 'oldest_overdue_seconds') >= 119;
    });
  });
});
