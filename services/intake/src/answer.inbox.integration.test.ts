import { testNats, type TestNats } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AnswerInbox } from './answer.inbox.ts';
import type { Answer } from './answer.ts';

let nats: TestNats;
beforeAll(async () => void (nats = await testNats()));
afterAll(() => nats.stop());

const ANSWER: Answer = { request_id: 'a', status: 'stored', duplicate: false };
/** Far more than an answer takes, and less than the test may. */
const WAIT_MS = 4_000;

async function replica(name: string): Promise<AnswerInbox> {
  const bus = await nats.bus('intake');
  const inbox = new AnswerInbox(bus, name);
  inbox.start();
  await bus.ping();
  return inbox;
}

describe('an answer to a posted message', () => {
  it('reaches the replica that expects it, whichever took the message', async () => {
    const [one, other] = [await replica('one'), await replica('other')];
    for (const sender of [one, other]) {
      const expected = one.expect('default');
      sender.send(expected.subject, ANSWER);
      expect(await expected.within(WAIT_MS)).toEqual(ANSWER);
    }
  });

  it('goes to a producer that listens at an inbox of its own', async () => {
    const producer = await nats.producer();
    const subscription = producer.subscribe('_INBOX.ns.default.mine');
    await producer.flush();
    (await replica('three')).send('_INBOX.ns.default.mine', ANSWER);
    for await (const message of subscription) {
      expect(message.json()).toEqual(ANSWER);
      break;
    }
  });

  it('is not waited for any longer once it was given up, and comes once', async () => {
    const inbox = await replica('four');
    const expected = inbox.expect('default');
    expect(await expected.within(1)).toBeNull();
    const again = inbox.expect('default');
    inbox.send(expected.subject, { ...ANSWER, request_id: 'late' });
    inbox.send(again.subject, ANSWER);
    inbox.send(again.subject, { ...ANSWER, request_id: 'twice' });
    expect(await again.within(WAIT_MS)).toEqual(ANSWER);
  });
});
