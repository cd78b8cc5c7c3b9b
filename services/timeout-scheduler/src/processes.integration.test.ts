import { signal, eventually } from '@umpire/testing';
import { once } from 'node:events';
import { pathToFileURL, fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startHarness, type Harness } from '../test/harness.ts';
import type { Asked } from '../test/store-stand-in.ts';

// Schedulers as they are deployed: processes of their own (their program, as `npm start` runs it).

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness();
});
afterEach(() => harness.stop());


/** Spread over 40 s from 4 s after the start. */
const dueOf = (start: number, nth: number) => start + 4_000 + ((nth * 7_919) % 40_000);

async function arm(count: number, dueAt: (nth: number) => number) {
  const events = Array.from({ length: count }, (_, i) => harness.store.changed(i % 3 === 0 ? 'team-a' : 'default', `timer-${i}`, [{ kind: 'deadline', dueAt: dueAt(i) }]));
  await harness.store.publishAll(events);
  await eventually('all to be armed', async () => (await harness.timers()) === count);
}

describe('a replica that is paused', () => {
  it('loses its leases to the other one, and fires nothing twice when it goes on after 30 s', async () => {
    const { store } = harness;
    const [first, second] = await Promise.all([harness.spawn(), harness.spawn()]);
    store.telling = false;
    const start = await harness.now();
    await arm(1_500, (nth) => dueOf(start, nth));
    // The store is held in the middle of its answers. A replica has four requests under way at most: with five, both hold leases.
    await store.until('some to be fired', () => store.applied.length >= 30);
    const held = signal();
    const holding = signal();
    const requests = new Set<number>();
    store.beforeAnswer = async (request) => {
      requests.add(request);
      if (requests.size >= 5) holding.fire();
      await held.promise;
    };
    await holding.promise;
    const stoppedAt = await harness.now();
    first.kill('SIGSTOP');
    store.beforeAnswer = async () => undefined;
    held.fire();
    await eventually('30 s to pass', async () => (await harness.now()) > stoppedAt + 30_000, 40_000);
    // The other one goes on alone, and takes over what was leased.
    const appliedOf = (items: Asked[]) => items.filter((item) => item.dueAt! < stoppedAt + 20_000).length;
    const due = Array.from({ length: 1_500 }, (_, nth) => dueOf(start, nth)).filter((at) => at < stoppedAt + 20_000).length;
    expect(due).toBeGreaterThan(500);
    await store.until('all that fell due to be fired by the other one', () => appliedOf(store.applied) === due, 60_000);
    first.kill('SIGCONT');
    // What is left is for the one that was stopped.
    second.kill('SIGTERM');
    await store.until('all to be fired', () => store.applied.length === 1_500, 60_000);
    await eventually('all rows to be gone', async () => (await harness.timers()) === 0);

    expect(new Set(store.applied.map((item) => item.request_id)).size).toBe(1_500);
    expect(store.early).toEqual([]);
    const again = store.asked.filter((item) => item.said === 'stale');
    expect(again.length).toBeGreaterThan(0);
    for (const { request_id } of again) expect(store.applied.filter((item) => item.request_id === request_id).length).toBe(1);
  }, 150_000);

  it('that is killed leaves its timers to the other one', async () => {
    const { store } = harness;
    const [first] = await Promise.all([harness.spawn(), harness.spawn()]);
    const start = await harness.now();
    await arm(300, (nth) => start + 2_000 + ((nth * 7_919) % 6_000));
    await store.until('some to be fired', () => store.applied.length >= 50);
    first.kill('SIGKILL');
    await store.until('all to be fired', () => store.applied.length === 300, 40_000);
    expect(new Set(store.applied.map((item) => item.request_id)).size).toBe(300);
    expect(store.early).toEqual([]);
  }, 90_000);

  it('stops in good order on SIGTERM, with nothing left leased', async () => {
    const { store } = harness;
    const only = await harness.spawn();
    const start = await harness.now();
    await arm(300, (nth) => start + 1_500 + ((nth * 7_919) % 3_000));
    await store.until('some to be fired', () => store.applied.length >= 100);
    const ended = once(only, 'exit');
    only.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    const [row] = await harness.database.sql<{ leased: number }[]>`select count(*)::integer as leased from scheduler.timers where lease is not null`;
    expect(row!.leased).toBe(0);
    expect(store.asked.length).toBe(store.applied.length);
  });
});

describe('a process whose clock is wrong', () => {
  it('fires on time when it is ten minutes ahead, when it jumps to ten minutes behind, and then', async () => {
    const { store } = harness;
    const shim = pathToFileURL(fileURLToPath(new URL('../test/moved-clock.mjs', import.meta.url))).href;
    const scheduler = await harness.spawn({}, ['--import', shim]);
    let log = '';
    scheduler.stdout!.on('data', (text: string) => (log += text));
    const start = await harness.now();
    await arm(400, (nth) => start + 2_000 + ((nth * 7_919) % 8_000));
    await store.until('half of them', () => store.applied.length >= 200, 30_000);
    scheduler.kill('SIGUSR2');
    await store.until('all of them', () => store.applied.length === 400, 30_000);
    expect(store.early).toEqual([]);
    expect(store.asked.length).toBe(400);
    // Its own log shows what the process took for the time.
    scheduler.kill('SIGTERM');
    const stopping = await eventually('its last word', () => /"time":"([^"]+)"[^\n]*"msg":"stopping"/.exec(log));
    expect(Math.abs(Date.parse(stopping[1]!) + 600_000 - (await harness.now()))).toBeLessThan(30_000);
  }, 60_000);
});
