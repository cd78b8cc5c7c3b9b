import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from '@umpire/testing';
import { RealStore, submission } from '../test/real-store.ts';

let real: RealStore;
beforeEach(async () => {
  real = await RealStore.start({ virtualClock: true });
});
afterEach(() => real.stop());

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ID = 'hitl-loan/2024/17-af4ecf7b';

type Step = { type: string; at: number; data: Record<string, any> };

async function stepsOf(requestId: string): Promise<Step[]> {
  const rows = await real.harness.database.sql<{ type: string; at: number; data: string }[]>`
    select type, (extract(epoch from occurred_at) * 1000)::float8 as at, convert_from(data, 'UTF8') as data from store.events where request_id = ${requestId} order by seq`;
  return rows.map(({ type, at, data }) => ({ type, at, data: JSON.parse(data) as Step['data'] }));
}

/** Speaks to the store as a person does. */
async function act(origin: string, key: string, action: string, body: object): Promise<void> {
  const response = await fetch(`${origin}/hitl/escalations/${encodeURIComponent(ID)}/${action}`, {
    method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  expect({ action, status: response.status }).toEqual({ action, status: 200 });
}

/**
 * A policy of three levels over a week: raised after 8 hours, one day and three days; reminders a day and an hour before the
 * deadline after seven. In between somebody claims it for half an hour and forgets it, and somebody is away until day five. The
 * clock of the database is the test's, for the store as for the scheduler; it is moved from moment to moment, always to one
 * millisecond before first.
 */
it('runs a three-level policy over a simulated week, every step at its very millisecond', async () => {
  const origin = await real.startStore();
  const [alice, bob] = [await real.harness.key(['reviewer'], 'alice'), await real.harness.key(['reviewer'], 'bob')];
  await real.startScheduler({ UMPIRE_LOOK_EVERY_MS: '50' });
  const opened = await real.now();
  const people = (...users: string[]) => ({ users });
  await real.open([submission(ID, {
    interaction: {
      assignees: people('alice', 'bob'), timeout_seconds: 7 * 24 * 3600, default_action: 'reject', reminders: [24 * 3600, 3600],
      levels: [{ after_seconds: 8 * 3600, assignees: people('lead') }, { after_seconds: 24 * 3600, assignees: people('head') }, { after_seconds: 72 * 3600, assignees: people('director', 'alice') }],
    },
  })]);

  /** Moves the clock to just before `at`, which a timer of its own shows to have been noticed; then to `at`. */
  const passTo = async (at: number) => {
    const before = (await stepsOf(ID)).length;
    const witness = `witness-${at}`;
    await real.open([submission(witness, { interaction: { timeout_seconds: (at - 1 - (await real.now())) / 1000 } })]);
    await real.clock!.set(at - 1);
    const [, end] = await eventually('the witness', async () => ((steps) => steps.length === 2 && steps)(await stepsOf(witness)), 60_000);
    expect(end).toMatchObject({ type: 'expired', at: at - 1 });
    expect(await stepsOf(ID)).toHaveLength(before);
    await real.clock!.set(at);
    await eventually(`what is due after ${(at - opened) / HOUR} h`, async () => (await stepsOf(ID)).length > before, 60_000);
    expect(await stepsOf(ID)).toHaveLength(before + 1);
  };

  await passTo(opened + 8 * HOUR);
  await act(origin, alice, 'claim', { seconds: 1_800 });
  await passTo(opened + 8 * HOUR + 30 * MINUTE);
  await passTo(opened + DAY);
  await act(origin, bob, 'delegate', { to: 'carol', until: new Date(opened + 5 * DAY).toISOString() });
  await passTo(opened + 3 * DAY);
  await passTo(opened + 5 * DAY);
  await passTo(opened + 6 * DAY);
  await passTo(opened + 7 * DAY - HOUR);
  await passTo(opened + 7 * DAY);

  const steps = await stepsOf(ID);
  expect(steps.map(({ type, at }) => `${type} after ${(at - opened) / HOUR} h`)).toEqual([
    'opened after 0 h', 'raised after 8 h', 'claimed after 8 h', 'released after 8.5 h', 'raised after 24 h', 'delegated after 24 h', 'raised after 72 h',
    'delegated after 120 h', 'reminded after 144 h', 'reminded after 167 h', 'resolved after 168 h',
  ]);
  const raises = steps.filter(({ type }) => type === 'raised').map(({ data }) => [data['level'], data['cause'], data['added'].users]);
  expect(raises).toEqual([[1, 'clock', ['lead']], [2, 'clock', ['head']], [3, 'clock', ['director']]]);
  expect(steps.find(({ type }) => type === 'released')!.data).toMatchObject({ user_id: 'alice', cause: 'expired' });
  expect(steps.findLast(({ type }) => type === 'delegated')!.data).toMatchObject({ from: 'bob', ended: [0], cause: 'expired' });
  expect(steps.at(-1)!.data['outcome']).toMatchObject({ state: 'completed', verdict: 'reject', source: 'timeout', decided_by: [], decided_at: new Date(opened + 7 * DAY).toISOString() });
  await eventually('no clock is left', async () => (await real.timers()) === 0);
}, 120_000);
