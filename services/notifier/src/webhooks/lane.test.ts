import { describe, expect, it } from 'vitest';
import type { Endpoint } from './endpoint.ts';
import { hostAllowed, wants } from './endpoint.ts';
import { Lane, type Held } from './lane.ts';

const endpoint = (more: Partial<Endpoint> = {}): Endpoint => ({
  id: 'e', namespace: 'default', kind: 'endpoint', url: 'https://x.example', events: [], reasons: [], payload: 'full', headers: {}, maxConcurrency: null, ratePerSecond: null,
  retrySeconds: null, keys: [], enabled: true, failingSince: null, version: 1, ...more,
});
const held = (): Held => ({ id: 'd', eventId: 'v', url: null, event: 'test', reason: null, body: new Uint8Array(), attempts: 0, roundStart: 0, fence: 1, leaseUntil: Infinity, lost: false });

/** Sends one at `at` and has it answered at `end`. @returns whether the lane closed */
function attempt(lane: Lane, sign: 'alive' | 'down', at: number, end = at): boolean {
  const delivery = held();
  lane.started(delivery);
  lane.active.delete(delivery);
  return lane.answered(sign, at, end, 0.5);
}

/** An answer that takes this long brings an endpoint no more than the least in wait. */
const SLOW_MS = 200;

describe('Lane', () => {
  it('bounds what is sent and what is held', () => {
    const lane = new Lane(endpoint({ maxConcurrency: 2 }), 20, 5_000);
    expect(lane.room(0)).toBe(4);
    lane.started(held());
    expect(lane.maySend(0)).toBe(true);
    lane.started(held());
    expect(lane.maySend(0)).toBe(false);
    expect(lane.room(0)).toBe(2);
    lane.reserved = 2;
    expect(lane.room(0)).toBe(0);
  });

  it('takes more as soon as there are answers, until too many of them are still to be recorded', () => {
    const lane = new Lane(endpoint({ maxConcurrency: 2 }), 20, 5_000);
    const rooms = Array.from({ length: 16 }, () => {
      lane.started(held());
      lane.answered('alive', 0, SLOW_MS, 0.5);
      return lane.room(0);
    });
    expect(rooms).toEqual([4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 2, 1, 0]);
    lane.active.delete([...lane.active][0]!);
    expect(lane.room(0)).toBe(1);
  });

  it('has as many in wait as the endpoint takes in a fifth of a second, seven times what it may be sent at once at most', () => {
    const room = (answerMs: number) => {
      const lane = new Lane(endpoint({ maxConcurrency: 10 }), 20, 5_000);
      attempt(lane, 'alive', 0, answerMs);
      return lane.room(answerMs);
    };
    expect([0, 1, 28, 40, 100, 199, SLOW_MS, 15_000].map(room)).toEqual([80, 80, 80, 60, 30, 20, 20, 20]);
  });

  it('has no more in wait than at first for an endpoint that has become slow, or that refuses promptly', () => {
    const lane = new Lane(endpoint({ maxConcurrency: 10 }), 20, 5_000);
    attempt(lane, 'alive', 0, 1);
    for (let i = 0; i < 3; i += 1) attempt(lane, 'alive', 0, 400);
    expect(lane.room(400)).toBe(20);
    const failing = new Lane(endpoint({ maxConcurrency: 10 }), 20, 5_000);
    attempt(failing, 'alive', 0, 1);
    attempt(failing, 'down', 1, 2);
    expect(failing.room(2)).toBe(20);
  });

  it('closes after five failures in a row, twice as long each time, and probes with one', () => {
    const lane = new Lane(endpoint(), 20, 60_000);
    for (let i = 0; i < 4; i += 1) expect(attempt(lane, 'down', i)).toBe(false);
    expect(attempt(lane, 'down', 10)).toBe(true);
    expect(lane.room(11)).toBe(0);
    expect(lane.maySend(5_009)).toBe(false);
    expect(lane.room(5_011)).toBe(1);
    expect(attempt(lane, 'down', 5_011)).toBe(true);
    expect(lane.room(5_011 + 9_999)).toBe(0);
    expect(lane.room(5_011 + 10_001)).toBe(1);
    let now = 20_000;
    for (let i = 0; i < 10; i += 1) {
      now += 400_000;
      attempt(lane, 'down', now);
    }
    expect(lane.room(now + 299_999)).toBe(0);
    expect(lane.room(now + 300_001)).toBe(1);
  });

  it('opens slowly: the window doubles with each success', () => {
    const lane = new Lane(endpoint(), 20, 5_000);
    for (let i = 0; i < 5; i += 1) attempt(lane, 'down', i);
    const rooms = [2, 3, 4, 5, 6, 7].map((step) => {
      attempt(lane, 'alive', 10_000 + step, 10_000 + step + SLOW_MS);
      return lane.room(10_000 + step + SLOW_MS);
    });
    expect(rooms).toEqual([4, 8, 16, 32, 40, 40]);
  });

  it('is not closed again by failures of attempts that began before it closed', () => {
    const lane = new Lane(endpoint(), 20, 5_000);
    for (let i = 0; i < 20; i += 1) lane.started(held());
    const closed = Array.from({ length: 20 }, () => lane.answered('down', 0, 15_000, 0.5));
    expect(closed.filter(Boolean)).toHaveLength(1);
    expect(lane.isPaused(19_999)).toBe(true);
    expect(lane.isPaused(20_001)).toBe(false);
  });

  it('a refusal shows life: answers of the 400s close nothing', () => {
    const lane = new Lane(endpoint(), 20, 5_000);
    for (let i = 0; i < 4; i += 1) attempt(lane, 'down', i);
    attempt(lane, 'alive', 5);
    for (let i = 0; i < 4; i += 1) expect(attempt(lane, 'down', 10 + i)).toBe(false);
  });

  it('rests as long as asked, at most five minutes', () => {
    const lane = new Lane(endpoint(), 20, 5_000);
    lane.rest(2_000, 0);
    expect(lane.isPaused(1_999)).toBe(true);
    expect(lane.isPaused(2_000)).toBe(false);
    lane.rest(10_000_000, 0);
    expect(lane.isPaused(300_000)).toBe(false);
  });

  it('keeps what was noted while the database was being asked', () => {
    const lane = new Lane(endpoint(), 20, 5_000);
    const first = lane.ask();
    first(500);
    expect(lane.dueAt).toBe(500);
    const second = lane.ask();
    lane.note(100);
    second(Infinity);
    expect(lane.dueAt).toBe(100);
    lane.ask()(Infinity);
    expect(lane.dueAt).toBe(Infinity);
    expect(lane.idle).toBe(true);
  });
});

describe('endpoint filters', () => {
  it('empty ones want everything', () => {
    expect(wants(endpoint(), 'hitl_escalation_required', 'custom_rule')).toBe(true);
    expect(wants(endpoint({ events: ['hitl_escalation_resolved'] }), 'hitl_escalation_required', 'custom_rule')).toBe(false);
    expect(wants(endpoint({ reasons: ['low_confidence'] }), 'hitl_escalation_required', 'custom_rule')).toBe(false);
    expect(wants(endpoint({ reasons: ['low_confidence'] }), 'endpoint_disabled', null)).toBe(true);
  });

  it.each([
    ['ci.example', ['ci.example'], true],
    ['CI.example.', ['ci.example'], true],
    ['a.b.example', ['*.b.example'], true],
    ['b.example', ['*.b.example'], false],
    ['evilb.example', ['*.b.example'], false],
    ['ci.example.evil', ['ci.example'], false],
    ['ci.example', [], false],
  ])('%s against %j: %s', (host, allowed, expected) => expect(hostAllowed(host, allowed)).toBe(expected));
});
