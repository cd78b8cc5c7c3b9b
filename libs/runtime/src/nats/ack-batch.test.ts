import type { JsMsg } from '@nats-io/jetstream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AckBatch } from './ack-batch.ts';

let sent: string[];
const message = (name: string, deliveryCount = 1) => ({ info: { deliveryCount }, ack: () => sent.push(name) }) as unknown as JsMsg;

beforeEach(() => {
  sent = [];
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

describe('acks', () => {
  it('go at once for one alone, together in a crowd', () => {
    const acks = new AckBatch();
    acks.add([message('alone')]);
    expect(sent).toEqual(['alone']);
    acks.add([message('a'), message('b')]);
    vi.advanceTimersByTime(30);
    acks.add([message('c')]);
    expect(sent).toEqual(['alone']);
    vi.advanceTimersByTime(20);
    expect(sent).toEqual(['alone', 'a', 'b', 'c']);
    vi.advanceTimersByTime(50);
    acks.add([message('later')]);
    expect(sent.at(-1)).toBe('later');
  });

  it('wait for nothing where a message was handed out before', () => {
    const acks = new AckBatch();
    acks.add([message('first')]);
    acks.add([message('waits')]);
    acks.add([message('again', 2)]);
    expect(sent).toEqual(['first', 'waits', 'again']);
  });

  it('are kept back for good when they are forgotten', () => {
    const acks = new AckBatch();
    acks.add([message('first')]);
    acks.add([message('of another stream')]);
    acks.forget();
    vi.advanceTimersByTime(1_000);
    expect(sent).toEqual(['first']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
