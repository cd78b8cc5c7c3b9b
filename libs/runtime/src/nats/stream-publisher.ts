import { JetStreamApiError, type ApiError, type PubAck } from '@nats-io/jetstream';
import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { UmpireError } from '@umpire/contract';
import { Registry } from '../registry.ts';
import { toHeaders } from './headers.ts';

type Waiting = { subject: string; resolve: (ack: PubAck) => void; reject: (error: Error) => void; deadline: number };

/** Nothing was heard of it: no ack in time, or the connection was lost. Whether the stream has it is not known. */
export class NoAckError extends Error {
  override name = 'NoAckError';
}

const SWEEP_MS = 250;
const NO_RESPONDERS = 503;

/**
 * Publishes to streams and matches the acks by the last token of one inbox. What the client's own `publish` does, without a request
 * object, a timer and two stack traces for each message: those were a tenth of the state store's work.
 */
export class StreamPublisher {
  private readonly connection: NatsConnection;
  private readonly inbox: string;
  private readonly timeoutMs: number;
  private readonly waiting = new Registry<Waiting>();
  private sweeper: NodeJS.Timeout | undefined;
  private count = 0;

  /** @param inboxPrefix where this connection may listen */
  constructor(connection: NatsConnection, inboxPrefix: string, timeoutMs: number) {
    this.connection = connection;
    this.inbox = createInbox(inboxPrefix);
    this.timeoutMs = timeoutMs;
    connection.subscribe(`${this.inbox}.*`, { callback: (error, message) => (error ? undefined : this.take(message)) });
  }

  /**
   * Never throws at once.
   * @throws UmpireError `unavailable`; its cause is a JetStreamApiError when the stream refused it, a NoAckError when nothing was heard, another
   *   Error when no stream takes the subject or the client refuses the message
   */
  publish(subject: string, data: Uint8Array | string, headers: Record<string, string> | undefined): Promise<PubAck> {
    this.count += 1;
    // No number, so that those that wait stand in the order of coming.
    const token = `p${this.count.toString(36)}`;
    return new Promise<PubAck>((resolve, reject) => {
      const waiting = { subject, resolve, reject, deadline: performance.now() + this.timeoutMs };
      this.waiting.set(token, waiting);
      this.sweeper ??= this.startSweeper();
      try {
        this.connection.publish(subject, data, { reply: `${this.inbox}.${token}`, ...(headers ? { headers: toHeaders(headers) } : {}) });
      } catch (error) {
        this.waiting.delete(token);
        giveUp(waiting, error as Error);
      }
    });
  }

  /** Gives up on all that is under way: the connection that acks would have come over is gone. */
  fail(why: string): void {
    for (const [, waiting] of this.waiting.entries()) giveUp(waiting, new NoAckError(why));
    this.waiting.clear();
  }

  private take(message: Msg): void {
    const token = message.subject.slice(this.inbox.length + 1);
    const waiting = this.waiting.get(token);
    if (!waiting) return;
    this.waiting.delete(token);
    if (message.headers?.code === NO_RESPONDERS) return giveUp(waiting, new Error('no stream takes it'));
    try {
      const ack = message.json<PubAck & { error?: ApiError }>();
      if (ack.error) giveUp(waiting, new JetStreamApiError(ack.error));
      else waiting.resolve(ack);
    } catch (error) {
      giveUp(waiting, error as Error);
    }
  }

  /** Apart from `publish`: a closure there would hold on to that message as long as anything waits. */
  private startSweeper(): NodeJS.Timeout {
    return setInterval(() => this.expire(), SWEEP_MS).unref();
  }

  /** Entries stand in the order of their deadlines. */
  private expire(): void {
    const now = performance.now();
    for (const [token, waiting] of this.waiting.entries()) {
      if (waiting.deadline > now) break;
      this.waiting.delete(token);
      giveUp(waiting, new NoAckError('timeout'));
    }
    if (this.waiting.size > 0) return;
    clearInterval(this.sweeper);
    this.sweeper = undefined;
  }
}

function giveUp({ subject, reject }: Waiting, cause: Error): void {
  reject(new UmpireError('unavailable', `the stream of ${subject} gave no ack: ${cause.message}`, { cause }));
}
