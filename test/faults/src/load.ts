import type { JetStreamClient } from '@nats-io/jetstream';
import { REASONS } from '@umpire/contract';
import { delay, eventually } from '@umpire/testing';
import { createHash } from 'node:crypto';
import { hitlRequest, queueMessage } from '../../e2e/src/messages.ts';
import type { Received, Receiver } from '../../e2e/src/receiver.ts';
import type { Answer, Stack } from '../../e2e/src/stack.ts';
import type { Book, Entry, Kind } from './book.ts';
import { randomFrom } from './random.ts';

export type LoadOptions = {
  /** Escalations a second. */
  perSecond: number;
  /** Most that wait for their ack at a time: a load that is not taken does not grow for ever. */
  mostWaiting: number;
  /** Leaves the other namespace alone. */
  onlyNamespace?: string;
};

const MIX: Kind[] = ['decided', 'defaulted', 'decided', 'raced', 'decided', 'expired', 'decided', 'cancelled', 'decided', 'decided'];
const POISON_EVERY = 40;
/** Answers that say "try again": nobody there, too much, or an internal fault. */
const AGAIN = new Set([429, 500, 502, 503, 504]);
const GIVE_UP_MS = 240_000;

type Party = { namespace: string; js: JetStreamClient; receiver: Receiver };

/**
 * Producers and a reviewer who go on whatever happens, and write down what they were told. Both try again for as long as they get no
 * answer, under the same id, as any client must.
 */
export class Load {
  readonly book: Book;
  readonly options: LoadOptions;
  private readonly stack: Stack;
  private readonly parties: Party[];
  private readonly prefix: string;
  private readonly random: () => number;
  /** What is sent, by the seed alone. */
  private readonly choices: () => number;
  private readonly waiting = new Set<Promise<void>>();
  private readonly asked = new Set<string>();
  private running: Promise<void> | null = null;
  private ended = false;
  private resting = false;
  private count = 0;
  private extra = 0;
  private broken = false;

  constructor(parts: { stack: Stack; book: Book; parties: Party[]; prefix: string; seed: number; options: LoadOptions }) {
    this.stack = parts.stack;
    this.book = parts.book;
    this.parties = parts.parties;
    this.prefix = parts.prefix;
    this.random = randomFrom(parts.seed + 1);
    this.choices = randomFrom(parts.seed + 2);
    this.options = parts.options;
    for (const party of this.parties) party.receiver.onReceived = (webhook) => this.review(party.namespace, webhook);
  }

  start(): void {
    this.running ??= this.produce();
  }

  get sent(): number {
    return this.count;
  }

  /** Waits until this many more have been sent: a moment by the load's own pace. */
  async more(count: number): Promise<void> {
    const target = this.count + count;
    await eventually(`the load to send ${count} more`, () => this.count >= target, 120_000);
  }

  /** Waits until this many more have been acknowledged. */
  async moreAcked(count: number): Promise<void> {
    const target = this.book.acked.length + count;
    await eventually(`${count} more to be acknowledged`, () => this.book.acked.length >= target, 120_000);
  }

  /** Sends what was acknowledged before once more, word for word, under no message id. */
  async sendAgain(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) {
      const party = this.parties.find(({ namespace }) => namespace === entry.namespace)!;
      await party.js.publish(`hitl.${entry.namespace}.review.${entry.reason}`, bodyOf(entry), { timeout: 5_000 });
      if (entry.kind === 'cancelled') await party.js.publish(`hitl.${entry.namespace}.cancel.${entry.reason}`, cancelOf(entry), { timeout: 5_000 });
    }
  }

  /**
   * POSTs one more to the first namespace, once, and gives what it was answered. Where that is not 202, its producer goes on under the
   * same id like any other: it may have been taken.
   */
  async postOne(): Promise<Answer> {
    const party = this.parties[0]!;
    const entry: Entry = {
      id: `${this.prefix}/extra/${this.extra++}`, namespace: party.namespace, reason: 'hard_disagreement', kind: 'decided', via: 'post',
      timeoutMs: null, reminderMs: null, acked: false, verdict: 'approve', accepted: null, refusedWith: null,
    };
    this.book.entries.set(entry.id, entry);
    const answer = await this.stack.post('/api/escalations', this.stack.connection.namespaces[party.namespace]!.keys.producer, bodyOf(entry)).catch((error: unknown) => {
      this.go(this.submit(party, entry));
      throw error;
    });
    if (answer.status === 202) entry.acked = true;
    else this.go(this.submit(party, entry));
    return answer;
  }

  /** Takes back by POST, through the stream, what nobody has sent. */
  async cancelNobody(): Promise<Answer> {
    const { namespace } = this.parties[0]!;
    const cancel = JSON.stringify({ type: 'hitl_cancel', payload: { request_id: `${this.prefix}/nobody` } });
    return this.stack.post('/api/escalations', this.stack.connection.namespaces[namespace]!.keys.producer, cancel);
  }

  /** Sends nothing for a while; resolves when all that was sent is acknowledged, and all that was asked for is answered. */
  async rest(): Promise<void> {
    this.resting = true;
    await this.allAnswered();
  }

  goOn(): void {
    this.resting = false;
  }

  /** Alice forgets that she has answered these, and answers when she is asked again. */
  decideAgain(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.asked.delete(entry.id);
      entry.accepted = null;
      entry.refusedWith = null;
    }
  }

  /** Sends no more, and waits until all that was sent is acknowledged and all that was asked for is answered. */
  async finish(): Promise<void> {
    this.ended = true;
    await this.running;
    await this.allAnswered();
  }

  private async allAnswered(): Promise<void> {
    await eventually('everything sent to be acknowledged', () => this.broken || [...this.book.entries.values()].every((entry) => entry.acked), GIVE_UP_MS);
    await eventually('everything asked for to be answered', () => this.broken || this.book.acked.every((entry) => entry.kind !== 'decided' || entry.accepted !== null), GIVE_UP_MS);
    await eventually('the last cancels and races to end', () => this.waiting.size === 0, GIVE_UP_MS);
  }

  /** No more tries: what is still waiting ends with its present one. */
  abandon(): void {
    this.ended = true;
    this.broken = true;
  }

  private async produce(): Promise<void> {
    let due = this.count;
    for (let last = performance.now(); !this.ended; await delay(10)) {
      const now = performance.now();
      // What could not be sent is not made up for: the load stays steady.
      due = Math.min(this.count + this.options.perSecond, due + ((now - last) / 1_000) * this.options.perSecond);
      last = now;
      while (!this.ended && !this.resting && this.count < due && this.waiting.size < this.options.mostWaiting) this.sendNext();
      if (this.resting) due = this.count;
    }
  }

  private sendNext(): void {
    const index = this.count++;
    const one = <T>(items: readonly T[]): T => items[Math.floor(this.choices() * items.length)]!;
    const party = this.parties.find(({ namespace }) => namespace === this.options.onlyNamespace) ?? one(this.parties);
    const kind = one(MIX);
    const timed = kind === 'defaulted' || kind === 'expired' || kind === 'raced';
    const entry: Entry = {
      id: `${this.prefix}/${index}`, namespace: party.namespace, reason: one(REASONS), kind, via: one(['post', 'jetstream', 'jetstream', 'jetstream']),
      timeoutMs: timed ? 2_000 + Math.floor(this.choices() * 3_000) : null, reminderMs: kind === 'defaulted' ? 1_000 : null,
      acked: false, verdict: one(['approve', 'reject']), accepted: null, refusedWith: null,
    };
    this.book.entries.set(entry.id, entry);
    this.go(this.submit(party, entry));
    if (index % POISON_EVERY === POISON_EVERY - 1) this.go(this.poison(party, index));
  }

  private go(work: Promise<void>): void {
    const kept = work.catch((error: unknown) => void this.book.surprises.push((error as Error).message)).finally(() => this.waiting.delete(kept));
    this.waiting.add(kept);
  }

  private async submit(party: Party, entry: Entry): Promise<void> {
    const body = bodyOf(entry);
    const { keys } = this.stack.connection.namespaces[party.namespace]!;
    if (entry.via === 'jetstream') await this.publish(party.js, `hitl.${party.namespace}.review.${entry.reason}`, body);
    else await this.untilAnswered(`POST ${entry.id}`, () => this.stack.post('/api/escalations', keys.producer, body), [202]);
    entry.acked = !this.broken;
    if (entry.kind !== 'cancelled') return;
    await this.publish(party.js, `hitl.${party.namespace}.cancel.${entry.reason}`, cancelOf(entry));
  }

  private async poison(party: Party, index: number): Promise<void> {
    const text = `{"type":"hitl_escalation","payload":{"request_id":"${this.prefix}/poison/${index}"`;
    await this.publish(party.js, `hitl.${party.namespace}.review.custom_rule`, text);
    if (!this.broken) this.book.poison.add(text);
  }

  /** As the SDK does: the same message under the same message id until the stream acks it. */
  private async publish(js: JetStreamClient, subject: string, body: string): Promise<void> {
    const msgID = createHash('sha256').update(`${subject}\n${body}`).digest('hex');
    while (!this.broken) {
      try {
        await js.publish(subject, body, { msgID, timeout: 3_000, retries: 0 });
        return;
      } catch {
        this.book.retries += 1;
        await delay(100 + this.random() * 200);
      }
    }
  }

  /** A reviewer's client: answers what its webhook asks for. */
  private review(namespace: string, webhook: Received): void {
    const entry = this.book.entries.get(webhook.requestId);
    if (!entry || entry.namespace !== namespace || webhook.event !== 'hitl_escalation_required' || this.asked.has(entry.id)) return;
    if (entry.kind !== 'decided' && entry.kind !== 'raced') return;
    this.asked.add(entry.id);
    this.go(this.decide(entry));
  }

  private async decide(entry: Entry): Promise<void> {
    // About when the deadline fires, now a little before it, now after.
    if (entry.kind === 'raced') await delay(Math.max(0, entry.timeoutMs! - 400 + this.random() * 600));
    const { keys } = this.stack.connection.namespaces[entry.namespace]!;
    const answer = await this.untilAnswered(`respond ${entry.id}`, () => this.stack.respond(entry.id, { decision: entry.verdict }, keys.reviewers.alice), [200, 409]);
    if (answer?.status === 200) entry.accepted = answer.body;
    else if (answer && entry.kind === 'raced') entry.refusedWith = answer.body.outcome;
    else if (answer) this.book.surprises.push(`${entry.id} was refused: ${answer.text}`);
  }

  /** Tries again while nobody is there; null once nobody tries any more. */
  private async untilAnswered(what: string, ask: () => Promise<Answer>, wanted: number[]): Promise<Answer | null> {
    while (!this.broken) {
      const answer = await ask().catch(() => null);
      if (answer && wanted.includes(answer.status)) return answer;
      if (answer && !AGAIN.has(answer.status)) throw new Error(`${what}: ${answer.status} ${answer.text}`);
      this.book.retries += 1;
      const seconds = Number(answer?.headers.get('retry-after') ?? 0);
      await delay(seconds > 0 ? Math.min(seconds, 2) * 500 : 100 + this.random() * 200);
    }
    return null;
  }
}

const cancelOf = (entry: Entry) => JSON.stringify({ type: 'hitl_cancel', payload: { request_id: entry.id, detail: 'no longer needed' } });

function bodyOf(entry: Entry): string {
  if (entry.timeoutMs === null) return queueMessage(hitlRequest(entry.id, entry.reason), entry.reason);
  const timeout_seconds = entry.timeoutMs / 1_000;
  const rules = entry.kind === 'defaulted' ? { timeout_seconds, default_action: 'reject', reminders: [entry.reminderMs! / 1_000] } : { timeout_seconds, on_timeout: 'expire' };
  return queueMessage(hitlRequest(entry.id, entry.reason), entry.reason, rules);
}
