import { createLogger, ensureStreams, newId } from '@umpire/runtime';
import { jetstreamManager } from '@nats-io/jetstream';
import { eventually, signal } from '@umpire/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startHarness, type Harness } from '../test/harness.ts';
import { Arming } from './arming.service.ts';
import { DatabaseClock } from './database-clock.ts';
import { Firing } from './firing.service.ts';
import { claimDue } from './timer.queries.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness();
});
afterEach(() => harness.stop());

/** So rare that a test which depended on it would time out: that is what shows that nobody waits for a look. How late timers are is measured in test/bench. */
const NEVER_LOOKS = { UMPIRE_LOOK_EVERY_MS: '60000' };
const noRowsLeft = () => eventually('all rows to be gone', async () => (await harness.timers()) === 0);

describe('firing', () => {
  it('fires each timer once and at its moment, whatever the interval at which it looks', async () => {
    const { store } = harness;
    await harness.start(NEVER_LOOKS);
    const start = await harness.now();
    await store.publishAll(Array.from({ length: 300 }, (_, i) =>
      store.changed(i % 3 === 0 ? 'team-a' : 'team-b', `hitl-Übung/${i} \u{1f980}`, [{ kind: 'deadline', dueAt: start + 500 + ((i * 7919) % 2_500) }])));
    await store.until('all applied', () => store.applied.length === 300);
    expect(store.early).toEqual([]);
    expect(store.asked.length).toBe(300);
    await noRowsLeft();
  });

  it('wakes for a timer that is armed while it sleeps towards a later one', async () => {
    const { store } = harness;
    await harness.start(NEVER_LOOKS);
    await store.change('default', 'later', [{ kind: 'deadline', dueAt: (await harness.now()) + 40_000 }]);
    await eventually('the later one to be armed', async () => (await harness.timers()) === 1);
    await store.change('default', 'sooner', [{ kind: 'reminder', dueAt: (await harness.now()) + 300 }]);
    await store.until('the sooner one', () => store.applied.length === 1, 10_000);
    expect(store.applied[0]).toMatchObject({ request_id: 'sooner', kind: 'reminder' });
  });

  it('never asks about a timer that was disarmed, and asks at the new time about one that was moved', async () => {
    const { store } = harness;
    await harness.start();
    const start = await harness.now();
    await store.change('default', 'gone', [{ kind: 'deadline', dueAt: start + 2_000 }]);
    await store.change('default', 'moved', [{ kind: 'deadline', dueAt: start + 60_000 }]);
    await store.change('default', 'gone', [], 'resolved');
    await store.change('default', 'moved', [{ kind: 'deadline', dueAt: start + 2_200 }], 'iterated');
    await store.until('the moved one', () => store.applied.length > 0);
    expect(store.asked.map(({ request_id, generation, said }) => [request_id, generation, said])).toEqual([['moved', 2, 'applied']]);
    await noRowsLeft();
  });

  it('comes again exactly when the store says so', async () => {
    const { store } = harness;
    await harness.start(NEVER_LOOKS);
    // The scheduler is told a time before the store's own: as with a database whose clock is ahead.
    const due = (await harness.now()) + 1_500;
    const event = store.changed('default', 'ahead', [{ kind: 'level', dueAt: due }]);
    await store.publish({ ...event, data: { clocks: event.data.clocks.map((clock) => ({ ...clock, due_at: new Date(due - 1_000).toISOString() })) } });
    await store.until('applied', () => store.applied.length === 1);
    expect(store.asked.map((item) => item.said)).toEqual(['retry_at', 'applied']);
    await noRowsLeft();
  });

  it('drops what the store calls stale', async () => {
    const { store } = harness;
    await harness.start();
    const event = store.changed('default', 'known-otherwise', [{ kind: 'deadline', dueAt: (await harness.now()) + 200 }]);
    await store.publish(event);
    store.changed('default', 'known-otherwise', [], 'cancelled');
    await store.until('asked', () => store.asked.length === 1);
    expect(store.asked[0]!.said).toBe('stale');
    await noRowsLeft();
  });

  it('fires each of an escalation\'s clocks, armed anew by the events that follow', async () => {
    const { store } = harness;
    await harness.start();
    const start = await harness.now();
    store.follow = (escalation, applied, now) => {
      if (applied.kind === 'deadline') return { type: 'expired', clocks: [] };
      const left = escalation.clocks.filter((clock) => clock !== applied).map((clock) => ({ kind: clock.kind, ordinal: clock.ordinal, dueAt: Date.parse(clock.due_at) }));
      return { type: 'raised', clocks: applied.kind === 'level' && applied.ordinal === 0 ? [...left, { kind: 'claim' as const, dueAt: now + 300 }] : left };
    };
    await store.change('default', 'policy', [
      { kind: 'level', ordinal: 0, dueAt: start + 400 }, { kind: 'level', ordinal: 1, dueAt: start + 1_200 }, { kind: 'reminder', dueAt: start + 1_000 }, { kind: 'deadline', dueAt: start + 1_600 },
    ]);
    await store.until('the deadline', () => store.applied.some((item) => item.kind === 'deadline'));
    expect(store.applied.map((item) => `${item.kind}:${item.ordinal}`)).toEqual(['level:0', 'claim:0', 'reminder:0', 'level:1', 'deadline:0']);
    expect(store.asked.length).toBe(5);
    await noRowsLeft();
  });
});

describe('when something is away', () => {
  it('holds timers while the store is, then fires them in due order', async () => {
    const { store } = harness;
    await harness.start();
    await store.goAway();
    const start = await harness.now();
    const ids = Array.from({ length: 400 }, (_, i) => `outage-${i}`);
    await store.publishAll(ids.map((id, i) => store.changed(i % 2 === 0 ? 'team-a' : 'team-b', id, [{ kind: 'deadline', dueAt: start + 100 + ((i * 7919) % 1_500) }])));
    await eventually('every timer to be due', async () => (await harness.now()) > start + 1_700 && (await harness.timers()) === 400);
    store.comeBack();
    await store.until('all applied', () => store.applied.length === 400);
    for (const namespace of ['team-a', 'team-b']) {
      const due = store.applied.filter((item) => item.namespace === namespace).map((item) => item.dueAt!);
      expect(due).toEqual([...due].sort((a, b) => a - b));
    }
    expect(store.asked.length).toBe(400);
    await noRowsLeft();
  });

  it('goes on after the broker has restarted', async () => {
    const { store, nats } = harness;
    await harness.start();
    await store.change('default', 'during', [{ kind: 'deadline', dueAt: (await harness.now()) + 1_000 }]);
    await eventually('armed', async () => (await harness.timers()) === 1);
    await nats.restart();
    await store.until('the one that fell due meanwhile', () => store.applied.length === 1, 40_000);
    await eventually('an event to pass', async () => {
      await store.change('default', 'after', [{ kind: 'deadline', dueAt: (await harness.now()) + 100 }], 'commented');
      return true;
    }, 30_000);
    await store.until('one that was armed after', () => store.applied.some((item) => item.request_id === 'after'), 40_000);
    expect(store.early).toEqual([]);
  });

  it('goes on after its database connections were cut, again and again', async () => {
    const { store, database } = harness;
    store.telling = false;
    await harness.start();
    const start = await harness.now();
    await store.publishAll(Array.from({ length: 400 }, (_, i) => store.changed('default', `cut-${i}`, [{ kind: 'deadline', dueAt: start + 1_000 + i * 10 }])));
    await eventually('all to be armed', async () => (await harness.timers()) > 300);
    for (let cut = 1; cut <= 8; cut++) {
      await store.until('some more', () => store.applied.length >= cut * 40, 40_000);
      // Not those that are only just being made: nobody catches it when the driver's own first query fails.
      await database.sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'umpire-timeout-scheduler' and backend_start < clock_timestamp() - interval '500 milliseconds'`;
    }
    await store.until('all of them', () => store.applied.length === 400, 60_000);
    expect(store.early).toEqual([]);
    expect(new Set(store.applied.map((item) => item.request_id)).size).toBe(400);
    await noRowsLeft();
  }, 120_000);

  it('does not ask about what it claimed before it was paused for longer than the answer may take', async () => {
    const { database, nats, store } = harness;
    let time = 1_000;
    const clock = new DatabaseClock(() => time);
    const bus = await nats.bus('timeout-scheduler');
    const firing = new Firing({ sql: database.sql, bus, clock, logger: createLogger('test', 'silent'), monotonic: () => time });
    await store.change('default', 'claimed', [{ kind: 'deadline', dueAt: (await harness.now()) - 10 }]);
    const arming = new Arming(database.sql, () => undefined);
    await arming.take([{ namespace: 'default', request_id: 'claimed', seq: 1, clocks: store.clocksOf('default', 'claimed') }]);
    const lease = { id: newId(), ms: 8_000 };
    const { timers, now } = await claimDue(database.sql, { namespaces: ['default'], from: 0, quota: 10, lease });
    clock.observe(time, now);
    const leasedUntil = time + lease.ms;
    time += 3_001;
    expect(await firing.fire({ timers, lease, leasedUntil })).toEqual({ answered: true, again: [{ namespace: 'default', at: timers[0]!.wake_at }] });
    expect(store.requests).toBe(0);
    // Given back, so that nobody waits for the lease to end.
    const again = await claimDue(database.sql, { namespaces: ['default'], from: 0, quota: 10, lease: { id: newId(), ms: 8_000 } });
    expect(again.timers.length).toBe(1);
    expect(await firing.fire({ timers: again.timers, lease, leasedUntil: time + 8_000 })).toEqual({ answered: true, again: [] });
    expect(store.applied.length).toBe(1);
    await noRowsLeft();
  });

  it('asks again when an answer was lost, and takes the duplicate for what it is', async () => {
    const { store } = harness;
    await harness.start();
    const asked = signal();
    store.beforeAnswer = (request) => (request === 1 ? asked.promise : Promise.resolve());
    const event = store.changed('default', 'answer-lost', [{ kind: 'deadline', dueAt: (await harness.now()) + 200 }]);
    store.telling = false;
    await store.publish(event);
    await store.until('asked twice', () => store.asked.length === 2, 30_000);
    asked.fire();
    expect(store.asked.map((item) => item.said)).toEqual(['applied', 'stale']);
    await noRowsLeft();
  });
});

describe('one bad timer', () => {
  it('is found, put off and told of, while the others fire', async () => {
    const { store } = harness;
    await harness.start();
    let broken = true;
    store.gate = async (items) => {
      if (broken && items.some((item) => item.request_id === 'poison')) throw new Error('the store stumbles over it');
    };
    const due = (await harness.now()) + 800;
    await store.publishAll(['poison', ...Array.from({ length: 60 }, (_, i) => `fine-${i}`)].map((id) => store.changed('default', id, [{ kind: 'deadline', dueAt: due }])));
    await store.until('the others', () => store.applied.length === 60, 30_000);
    const [row] = await eventually('it to be put off', async () => {
      const rows = await harness.database.sql<{ attempts: number; later: boolean }[]>`select attempts, wake_at > due_at as later from scheduler.timers where request_id = 'poison'`;
      return rows[0]?.later && rows;
    });
    expect(row!.attempts).toBeGreaterThanOrEqual(3);
    broken = false;
    await store.until('it, too, in the end', () => store.applied.length === 61, 40_000);
    await noRowsLeft();
  });
});

describe('reconciliation', () => {
  it('gives clocks to what the stream never told of, and goes on with events when the stream is back', async () => {
    const { store, nats, storeBus } = harness;
    await harness.sweeps(true);
    await harness.start({ UMPIRE_RECONCILE_MS: '200' });
    const start = await harness.now();
    await store.change('default', 'told', [{ kind: 'deadline', dueAt: start + 500 }]);
    for (let i = 0; i < 450; i++) store.changed('default', `never-told-${i}`, [{ kind: 'deadline', dueAt: start + 1_000 + i }]);
    const operator = await nats.operator();
    await (await jetstreamManager(operator)).streams.delete('HITL_EVENTS');
    await store.until('all of them', () => store.applied.length === 451, 30_000);
    await ensureStreams(storeBus);
    await harness.sweeps(false);
    await store.change('default', 'told-again', [{ kind: 'deadline', dueAt: (await harness.now()) + 100 }]);
    await store.until('one by event', () => store.applied.some((item) => item.request_id === 'told-again'), 30_000);
    expect(store.early).toEqual([]);
  });

  it('goes on where it was, also in another replica', async () => {
    const { store } = harness;
    await harness.sweeps(true);
    const first = await harness.start({ UMPIRE_RECONCILE_MS: '200' });
    store.changed('default', 'one', [{ kind: 'deadline', dueAt: (await harness.now()) + 60_000 }]);
    const cursor = () => harness.database.sql<{ cursor: string | null }[]>`select cursor from scheduler.sweeps`;
    await eventually('the first to be swept', async () => (await cursor())[0]!.cursor === '1');
    await first.stop();
    store.changed('default', 'two', [{ kind: 'deadline', dueAt: (await harness.now()) + 60_000 }]);
    await harness.start({ UMPIRE_RECONCILE_MS: '200' });
    await eventually('the second', async () => (await cursor())[0]!.cursor === '2' && (await harness.timers()) === 2);
  });
});
