import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { subjects } from '@umpire/contract';
import { ensureStreams, type Bus } from '@umpire/runtime';
import { eventually, signal, testNats, type TestNats } from '@umpire/testing';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EventFeed, type FeedOptions } from './event-feed.ts';

const STREAM = 'HITL_EVENTS';
const SKIPPED = 'some were left out';

let nats: TestNats;
let store: Bus;
let bus: Bus;
let jsm: JetStreamManager;
let feeds: EventFeed[];
let published = 0;

beforeAll(async () => {
  nats = await testNats();
  [store, bus, jsm] = await Promise.all([nats.bus('state-store'), nats.bus('notifier'), nats.operator().then((operator) => jetstreamManager(operator))]);
});
afterAll(() => nats.stop());
beforeEach(async () => {
  feeds = [];
  await ensureStreams(store);
});
afterEach(async () => {
  await Promise.all(feeds.map((feed) => feed.stop()));
  await jsm.streams.delete(STREAM);
});

/** @returns the ids of so many new events */
async function publish(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => `e-${(published += 1)}`);
  for (const id of ids) await store.publish(subjects.event('default', 'opened', 'hard_disagreement'), JSON.stringify({ id, namespace: 'default', request_id: `r-${id}`, type: 'opened', seq: 1, data: {} }));
  return ids;
}

/** A feed that pauses at once. `got` is what was handled; what it does is told by its log. */
function start(more: Partial<FeedOptions> = {}) {
  const got: string[] = [];
  const logged: string[] = [];
  const feed = new EventFeed({
    bus, replica: 'test', graceMs: 0, past: 2, capacity: 5, logger: pino({ level: 'info' }, { write: (line: string) => logged.push((JSON.parse(line) as { msg: string }).msg) }),
    handle: async (events) => void got.push(...events.map(({ id }) => id)), skipped: () => got.push(SKIPPED), ...more,
  });
  feeds.push(feed);
  const count = (message: string) => logged.filter((one) => one === message).length;
  const paused = (times: number) => eventually(`pause ${times}`, () => count('event_feed_paused') === times);
  return { feed, got, count, paused, pause: (times: number) => (feed.leave(), paused(times)) };
}

/** Longer than the feed takes to find its place, make its consumer and read. */
const roundTrips = async () => {
  for (let i = 0; i < 20; i += 1) await bus.jsm.streams.info(STREAM);
};
const consumers = async () => (await jsm.consumers.list(STREAM).next()).map(({ name }) => name);

describe('the feed of events', () => {
  it('goes on after a pause behind the last one that it has', async () => {
    const [, ...last] = await publish(3);
    const { feed, got, pause } = start();
    expect(await feed.join()).toBe(true);
    expect(got).toEqual([SKIPPED, ...last]);
    await pause(1);
    const missed = await publish(5);
    expect(await feed.join()).toBe(true);
    expect(got).toEqual([SKIPPED, ...last, ...missed]);
    expect(await feed.join()).toBe(true);
  });

  it('begins with the last ones again when more were missed than it holds', async () => {
    const { feed, got, pause } = start();
    await feed.join();
    const before = await publish(1);
    await eventually('the first', () => got.includes(before[0]!));
    await pause(1);
    const missed = await publish(6);
    await feed.join();
    expect(got).toEqual([SKIPPED, ...before, SKIPPED, ...missed.slice(-2)]);
  });

  it('begins with the last ones again when the stream has dropped some that it missed', async () => {
    const { feed, got, pause } = start();
    await feed.join();
    const before = await publish(1);
    await eventually('the first', () => got.includes(before[0]!));
    await pause(1);
    const missed = await publish(4);
    await jsm.streams.purge(STREAM, { keep: 3 });
    await feed.join();
    expect(got).toEqual([SKIPPED, ...before, SKIPPED, ...missed.slice(-2)]);
  });

  it.each([
    ['all', 5, (anew: string[]) => anew],
    ['the end', 6, (anew: string[]) => [SKIPPED, ...anew.slice(-2)]],
  ])('reads %s of a stream that was made anew in the pause and holds %i', async (_what, held, expected) => {
    const before = await publish(2);
    const { feed, got, pause } = start();
    await feed.join();
    await pause(1);
    await jsm.streams.delete(STREAM);
    await ensureStreams(store);
    const anew = await publish(held);
    await feed.join();
    expect(got).toEqual([SKIPPED, ...before, ...expected(anew)]);
  });

  it('lets nobody in before what was being handled at the pause is done, and hands each on once', async () => {
    const [began, done] = [signal(), signal()];
    const handled: string[] = [];
    const atOnce = { now: 0, most: 0 };
    const { feed, pause } = start({
      handle: async (events) => {
        atOnce.most = Math.max(atOnce.most, (atOnce.now += 1));
        began.fire();
        await done.promise;
        handled.push(...events.map(({ id }) => id));
        atOnce.now -= 1;
      },
    });
    const before = await publish(2);
    const first = feed.join();
    await began.promise;
    await pause(1);
    const missed = await publish(3);
    let isIn = false;
    const second = feed.join().then((whether) => (isIn = whether));
    expect(await first).toBe(false);
    await roundTrips();
    expect({ isIn, handled }).toEqual({ isIn: false, handled: [] });
    done.fire();
    expect(await second).toBe(true);
    expect(handled).toEqual([...before, ...missed]);
    expect(atOnce.most).toBe(1);
  });

  it('reads again what could not be handled before the pause', async () => {
    const away = signal();
    const state = { away: true };
    const handled: string[] = [];
    const { feed, pause } = start({
      handle: async (events) => {
        away.fire();
        if (state.away) throw new Error('the store is away');
        handled.push(...events.map(({ id }) => id));
      },
    });
    const ids = await publish(2);
    void feed.join();
    await away.promise;
    await pause(1);
    state.away = false;
    expect(await feed.join()).toBe(true);
    expect(handled).toEqual(ids);
  });

  it('misses nothing and hands nothing on twice, whoever comes and goes', async () => {
    let calls = 0;
    const got: string[] = [];
    const { feed, paused, count } = start({
      capacity: 10_000, past: 10_000,
      handle: async (events) => {
        if ((calls += 1) % 5 === 0) throw new Error('the store is away');
        if (calls % 3 === 0) await bus.ping();
        got.push(...events.map(({ id }) => id));
      },
    });
    const ids: string[] = [];
    const state = { over: false };
    const storm = (async () => {
      for (let i = 0; i < 300; i += 1) ids.push(...(await publish(1)));
      state.over = true;
    })();
    for (let turn = 0; !state.over; turn += 1) {
      const due = ids.length;
      const joined = feed.join();
      // Some leave at once, some when they are in; some come back while the timer runs, some after it.
      if (turn % 3 === 0) {
        expect(await joined).toBe(true);
        expect(got.length).toBeGreaterThanOrEqual(due);
      }
      const pauses = count('event_feed_paused');
      feed.leave();
      if (turn % 2 === 0) await paused(pauses + 1);
      else await new Promise((resolve) => setImmediate(resolve));
    }
    await storm;
    expect(await feed.join()).toBe(true);
    // A reading that went on through its grace began before the last of them.
    await eventually('the last of them', () => got.length >= ids.length);
    expect(got).toEqual(ids);
    expect(count('event_feed_paused')).toBeGreaterThan(3);
  });

  it('reads on through the grace', async () => {
    const { feed, count } = start({ graceMs: 600_000 });
    await feed.join();
    const [name] = await consumers();
    feed.leave();
    await roundTrips();
    expect(await feed.join()).toBe(true);
    expect({ consumers: await consumers(), paused: count('event_feed_paused'), started: count('event_feed_started') }).toEqual({ consumers: [name], paused: 0, started: 1 });
  });

  it('can be stopped while it starts, also while an earlier reading ends', async () => {
    await publish(2);
    const { feed, got } = start();
    const first = feed.join();
    await feed.stop();
    expect({ first: await first, got: got.filter((one) => one !== SKIPPED) }).toEqual({ first: false, got: [] });
    const second = start();
    void second.feed.join();
    await second.pause(1);
    const waiting = second.feed.join();
    await second.feed.stop();
    expect(await waiting).toBe(false);
    await eventually('no consumer is left', async () => (await consumers()).length === 0);
  });
});
