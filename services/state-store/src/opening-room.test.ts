import type { Bus } from '@umpire/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { onSubmit } from './on-submit.responder.ts';
import { OpeningRoom } from './opening-room.ts';
import type { ReadLog } from './read-log.ts';
import type { Submissions } from './submit.service.ts';

describe('room for more openings', () => {
  let unpublished: number;
  let room: OpeningRoom;
  let entered: string[];
  const enter = (name: string) => void room.enter().then(() => entered.push(name));
  /** Something under way, until it is told to end. */
  const hold = (count: number) => {
    let end!: () => void;
    const ended = room.hold(count, () => new Promise<void>((resolve) => (end = resolve)));
    return { end: () => (end(), ended) };
  };

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    unpublished = 0;
    room = new OpeningRoom(() => unpublished);
    entered = [];
  });
  afterEach(() => void vi.useRealTimers());

  it('is there at once with 128 events in line', async () => {
    unpublished = 128;
    enter('one');
    await vi.advanceTimersByTimeAsync(0);
    expect(entered).toEqual(['one']);
  });

  it('is there with 129 when one of them has had its turn', async () => {
    unpublished = 129;
    enter('one');
    await vi.advanceTimersByTimeAsync(100);
    expect(entered).toEqual([]);
    unpublished = 128;
    await vi.advanceTimersByTimeAsync(10);
    expect(entered).toEqual(['one']);
  });

  it('is there after a quarter of a second for all who wait, if the stream is away', async () => {
    unpublished = 4_096;
    for (const name of ['one', 'two', 'three']) enter(name);
    await vi.advanceTimersByTimeAsync(240);
    expect(entered).toEqual([]);
    await vi.advanceTimersByTimeAsync(10);
    expect(entered).toEqual(['one', 'two', 'three']);
  });

  it('is not there while more than 128 are under way, for 50 ms', async () => {
    const { end } = hold(129);
    enter('one');
    await vi.advanceTimersByTimeAsync(40);
    expect(entered).toEqual([]);
    await vi.advanceTimersByTimeAsync(10);
    expect(entered).toEqual(['one']);
    enter('two');
    await end();
    await vi.advanceTimersByTimeAsync(10);
    expect(entered).toEqual(['one', 'two']);
  });

  it('counts nothing any more of what failed', async () => {
    await expect(room.hold(129, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    enter('one');
    await vi.advanceTimersByTimeAsync(0);
    expect(entered).toEqual(['one']);
  });

  it('is given in the order of coming, and whoever is let in counts for the next', async () => {
    unpublished = 129;
    const first = room.enter().then(() => {
      entered.push('first');
      hold(129);
    });
    enter('second');
    await vi.advanceTimersByTimeAsync(10);
    unpublished = 0;
    enter('late');
    await vi.advanceTimersByTimeAsync(10);
    await first;
    expect(entered).toEqual(['first']);
    await vi.advanceTimersByTimeAsync(40);
    expect(entered).toEqual(['first', 'second', 'late']);
  });

  it('is waited for before submissions are read', async () => {
    let answer!: (data: Uint8Array) => Promise<unknown>;
    const bus = { respond: (_spec: unknown, handle: typeof answer) => void (answer = handle) } as unknown as Bus;
    onSubmit(bus, {} as Submissions, room, {} as ReadLog);
    unpublished = 129;
    const answered = answer(new Uint8Array()).catch((error: Error) => entered.push(error.message));
    await vi.advanceTimersByTimeAsync(100);
    expect(entered).toEqual([]);
    unpublished = 0;
    await vi.advanceTimersByTimeAsync(10);
    await answered;
    expect(entered).toEqual([expect.stringContaining('not a submit frame')]);
  });
});
