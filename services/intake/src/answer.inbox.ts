import { inboxPrefix } from '@umpire/contract';
import { delay, type Bus } from '@umpire/runtime';
import { randomBytes } from 'node:crypto';
import type { Answer } from './answer.ts';

export type Expected = {
  /** Goes into the header `Umpire-Reply-To`. */
  subject: string;
  /** The answer, or null if none came within `ms`. Call once; afterwards the subject is forgotten. */
  within: (ms: number) => Promise<Answer | null>;
  forget: () => void;
};

/**
 * Waits for answers to messages that this replica posted. Whichever replica consumes such a message answers at
 * `_INBOX.ns.<ns>.intake.<replica>.<n>`; one subscription hears them all.
 */
export class AnswerInbox {
  private readonly waiting = new Map<string, (answer: Answer) => void>();
  private readonly bus: Bus;
  private readonly replica: string;
  private stopListening: () => void = () => undefined;
  private count = 0;

  constructor(bus: Bus, replica: string) {
    this.bus = bus;
    this.replica = replica;
  }

  start(): void {
    this.stopListening = this.bus.listen(`${inboxPrefix.namespace('*')}.intake.${this.replica}.*`, (data, subject) => this.receive(data, subject));
  }

  stop(): void {
    this.stopListening();
  }

  /** Call before publishing, so that no answer can be missed. */
  expect(namespace: string): Expected {
    this.count += 1;
    // A producer may have answers sent to any inbox of its own namespace: an address that can be guessed could be spoken to.
    const subject = `${inboxPrefix.namespace(namespace)}.intake.${this.replica}.${this.count.toString(36)}-${randomBytes(9).toString('hex')}`;
    const answer = new Promise<Answer>((resolve) => this.waiting.set(subject, resolve));
    const forget = () => void this.waiting.delete(subject);
    return { subject, forget, within: (ms) => firstWithin(answer, ms).finally(forget) };
  }

  /** Sends an answer to whoever expects it at `subject`: over NATS, unless that is here. */
  send(subject: string, answer: Answer): void {
    const resolve = this.waiting.get(subject);
    if (resolve) resolve(answer);
    else this.bus.hint(subject, JSON.stringify(answer));
  }

  private receive(data: Uint8Array, subject: string): void {
    this.waiting.get(subject)?.(JSON.parse(new TextDecoder().decode(data)) as Answer);
  }
}

async function firstWithin<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  const abort = new AbortController();
  try {
    return await Promise.race([promise, delay(ms, abort.signal).then(() => null)]);
  } finally {
    // A reason, or an exception with its stack would be made for each.
    abort.abort('settled');
  }
}
