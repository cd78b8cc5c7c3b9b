import type { Wanted } from '../test/store-stand-in.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startHarness, type Harness } from '../test/harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness({ virtualClock: true });
});
afterEach(() => harness.stop());

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * A policy of three levels over a week: raised after 8 hours, one day and three days; reminders a day and an hour before the
 * deadline after seven. In between somebody claims it for half an hour and forgets it, and somebody is away until day five. The
 * database's clock is the test's, which moves it from moment to moment, always to one millisecond before first.
 */
it('runs a three-level policy over a simulated week, every step at its very millisecond', async () => {
  const { store } = harness;
  const opened = await harness.now();
  store.follow = (escalation, applied) => {
    if (applied.kind === 'deadline') return { type: 'expired', clocks: [] };
    const left = escalation.clocks.filter((clock) => clock !== applied).map((clock): Wanted => ({ kind: clock.kind, ordinal: clock.ordinal, dueAt: Date.parse(clock.due_at) }));
    return { type: applied.kind === 'level' ? 'raised' : applied.kind === 'claim' ? 'released' : 'reminded', clocks: left };
  };
  await harness.start({ UMPIRE_LOOK_EVERY_MS: '50' });
  const policy: Wanted[] = [
    { kind: 'level', ordinal: 0, dueAt: opened + 8 * HOUR }, { kind: 'level', ordinal: 1, dueAt: opened + DAY }, { kind: 'level', ordinal: 2, dueAt: opened + 3 * DAY },
    { kind: 'reminder', ordinal: 0, dueAt: opened + 6 * DAY }, { kind: 'reminder', ordinal: 1, dueAt: opened + 7 * DAY - HOUR }, { kind: 'deadline', dueAt: opened + 7 * DAY },
  ];
  const id = 'hitl-loan/2024/17-af4ecf7b';
  await store.change('team-a', id, policy);

  /** Moves the clock to just before `at`, which a timer of its own shows to have been noticed; then to `at`. */
  const passTo = async (at: number) => {
    const fired = store.applied.length;
    await store.change('team-a', `witness-${at}`, [{ kind: 'reminder', dueAt: at - 1 }], 'opened');
    await harness.setClock(at - 1);
    await store.until('the witness', () => store.applied.length > fired);
    expect(store.applied.at(-1)!.request_id).toBe(`witness-${at}`);
    expect(store.applied.length).toBe(fired + 1);
    await harness.setClock(at);
    await store.until(`what is due after ${(at - opened) / HOUR} h`, () => store.applied.length > fired + 1);
    expect(store.applied.length).toBe(fired + 2);
    expect(store.applied.at(-1)).toMatchObject({ request_id: id, at, dueAt: at });
  };

  const wantedNow = () => store.clocksOf('team-a', id).map((clock): Wanted => ({ kind: clock.kind, ordinal: clock.ordinal, dueAt: Date.parse(clock.due_at) }));
  await passTo(opened + 8 * HOUR);
  await store.change('team-a', id, [...wantedNow(), { kind: 'claim', dueAt: opened + 8 * HOUR + 30 * MINUTE }], 'claimed');
  await passTo(opened + 8 * HOUR + 30 * MINUTE);
  await passTo(opened + DAY);
  await store.change('team-a', id, [...wantedNow(), { kind: 'delegation', dueAt: opened + 5 * DAY }], 'delegated');
  await passTo(opened + 3 * DAY);
  await passTo(opened + 5 * DAY);
  await passTo(opened + 6 * DAY);
  await passTo(opened + 7 * DAY - HOUR);
  await passTo(opened + 7 * DAY);

  const steps = store.applied.filter((item) => item.request_id === id).map((item) => `${item.kind}:${item.ordinal} after ${(item.at - opened) / HOUR} h`);
  expect(steps).toEqual([
    'level:0 after 8 h', 'claim:0 after 8.5 h', 'level:1 after 24 h', 'level:2 after 72 h', 'delegation:0 after 120 h',
    'reminder:0 after 144 h', 'reminder:1 after 167 h', 'deadline:0 after 168 h',
  ]);
  expect(store.asked.length).toBe(store.applied.length);
}, 60_000);
