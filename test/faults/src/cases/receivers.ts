import { delay, eventually } from '@umpire/testing';
import type { ServerResponse } from 'node:http';
import { Receiver } from '../../../e2e/src/receiver.ts';
import type { FaultCase } from '../fault-case.ts';

/** The first so many of the bad ones hang. */
const HANGING = 3;
const ENOUGH_HANGS = 20;

/**
 * What of one event came first: the good receiver's webhook, or the end of the notifier's patience with one that hangs. Orders, and no
 * clock: whoever is held up by an endpoint that hangs hears of the event only after that.
 */
class Order {
  private readonly good = new Set<string>();
  private readonly judged = new Set<string>();
  private ended = false;
  before = 0;
  readonly held: string[] = [];

  arrived(eventId: string): void {
    this.good.add(eventId);
  }

  /** What ends from now on is our doing. */
  end(): this {
    this.ended = true;
    return this;
  }

  /** The first of its hangs counts. */
  hangEnded(eventId: string): void {
    if (this.ended || this.judged.has(eventId)) return;
    this.judged.add(eventId);
    if (this.good.has(eventId)) this.before += 1;
    else this.held.push(eventId);
  }
}

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
    shows: ['goodWebhooksMeanwhile', 'goodBeforeAHangEnded'],
    run: async (run) => {
      const { faults, load, receivers } = run;
      const { stack } = faults;
      const ways: ((response: ServerResponse) => void)[] = [
        () => undefined, () => undefined, () => undefined,
        (response) => void response.socket?.resetAndDestroy(),
        (response) => void response.writeHead(500).end(), (response) => void response.writeHead(503).end(),
        (response) => void response.writeHead(429, { 'retry-after': '5' }).end(), (response) => void response.writeHead(301, { location: 'http://127.0.0.1:1/' }).end(),
      ];
      const order = new Order();
      const good = receivers.get('default')!;
      const asReviewer = good.onReceived;
      good.onReceived = (webhook) => {
        order.arrived(webhook.id);
        asReviewer(webhook);
      };
      const bad = await Promise.all(ways.map(async (answer) => Object.assign(await Receiver.register(stack, stack.connection.keys.admin, { retry_schedule_seconds: [1, 2] }), { answer })));
      for (const receiver of bad.slice(0, HANGING)) hangs(receiver, order);
      const before = good.received.length;
      await load.moreAcked(400);
      await eventually('hangs to end', () => order.before + order.held.length >= ENOUGH_HANGS, 120_000);
      const during = good.received.length - before;
      good.onReceived = asReviewer;
      const { before: inTime, held } = order.end();
      // They are taken away as an operator does it: what they have not taken then fails visibly.
      for (const { id } of bad) await stack.request('DELETE', `/webhooks/endpoints/${id}`, stack.connection.keys.admin);
      await Promise.all(bad.map((receiver) => receiver.close()));
      if (held.length > 0) throw new Error(`${held.length} events came to the good receiver only after a hanging one had been given up: ${held.slice(0, 5).join(', ')}`);
      return { goodWebhooksMeanwhile: during, goodBeforeAHangEnded: inTime, goodHeld: held.length };
    },
  },
];

/** Takes the request and never answers; the notifier's giving up is the end of that connection. */
function hangs(receiver: Receiver, order: Order): void {
  receiver.answer = (response) => {
    const eventId = receiver.received.at(-1)!.id;
    response.once('close', () => order.hangEnded(eventId));
  };
}
