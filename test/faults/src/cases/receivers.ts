import { delay } from '@umpire/testing';
import type { ServerResponse } from 'node:http';
import { Receiver } from '../../../e2e/src/receiver.ts';
import type { FaultCase } from '../fault-case.ts';

/** Receivers that misbehave, beside those that do not. */
export const receiverCases: FaultCase[] = [
  {
    name: 'receiver-resets',
    breaks: 'the receivers answer 200 and reset the connection: after the whole answer, in its middle, and before it, in turns, for 20 s',
    shows: ['answeredBadly'],
    run: async ({ load, receivers }) => {
      const ways: ((response: ServerResponse) => void)[] = [
        (response) => response.writeHead(200, { 'content-length': 2 }).end('ok', () => response.socket?.resetAndDestroy()),
        (response) => void response.writeHead(200, { 'content-length': 20 }).write('half', () => response.socket?.resetAndDestroy()),
        (response) => void response.socket?.resetAndDestroy(),
        (response) => void response.writeHead(200).end(),
      ];
      const whole = [...receivers.values()].map((receiver) => receiver.answer);
      let taken = 0;
      for (const receiver of receivers.values()) receiver.answer = (response) => ways[taken++ % ways.length]!(response);
      await delay(20_000);
      [...receivers.values()].forEach((receiver, index) => (receiver.answer = whole[index]!));
      await load.moreAcked(60);
      return { answeredBadly: taken };
    },
  },
  {
    name: 'receivers-bad',
    breaks: 'eight endpoints of one namespace hang, reset, or answer 500 and 429 for ever: the good ones must not wait for them',
    shows: ['goodWebhooksMeanwhile'],
    run: async (run) => {
      const { faults, load, receivers } = run;
      const { stack } = faults;
      const ways: ((response: ServerResponse) => void)[] = [
        () => undefined, () => undefined, () => undefined,
        (response) => void response.socket?.resetAndDestroy(),
        (response) => void response.writeHead(500).end(), (response) => void response.writeHead(503).end(),
        (response) => void response.writeHead(429, { 'retry-after': '5' }).end(), (response) => void response.writeHead(301, { location: 'http://127.0.0.1:1/' }).end(),
      ];
      const bad = await Promise.all(ways.map(async (answer) => Object.assign(await Receiver.register(stack, stack.connection.keys.admin, { retry_schedule_seconds: [1, 2] }), { answer })));
      const before = receivers.get('default')!.received.length;
      await load.moreAcked(400);
      const during = receivers.get('default')!.received.length - before;
      // They are taken away as an operator does it: what they have not taken then fails visibly.
      for (const { id } of bad) await stack.request('DELETE', `/webhooks/endpoints/${id}`, stack.connection.keys.admin);
      await Promise.all(bad.map((receiver) => receiver.close()));
      return { goodWebhooksMeanwhile: during };
    },
  },
];
