import { jetstream, type Consumer, type ConsumerMessages, type JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { STREAMS, type Outcome } from '@umpire/contract';
import { delay } from '../clock.ts';
import { backoffDelay } from '../retry.ts';
import type { SettledOutcome, StatusReply } from '../types.ts';

/** `attempt` counts from 1; above it, the handler may have seen this outcome before. The signal aborts when the reader stops. */
export type OutcomeContext = { attempt: number; signal: AbortSignal };
export type OutcomeHandler<Data = unknown> = (outcome: SettledOutcome<Data>, context: OutcomeContext) => unknown;

export type OutcomesOptions = {
  /** The durable consumer; the one of the connection by default. */
  consumer?: string | undefined;
  /** How many outcomes are handled at once; one, in the order of the stream. */
  concurrency?: number | undefined;
  /** Hears what the handler threw and what the connection did; the reader goes on in any case. */
  onError?: ((error: unknown) => void) | undefined;
};

type Parts<Data> = {
  connection: NatsConnection;
  consumer: string;
  streamPrefix?: string | undefined;
  domain?: string | undefined;
  handler: OutcomeHandler<Data>;
  load: (requestId: string) => Promise<StatusReply<Data> | null>;
  parse: (text: string) => unknown;
  options: OutcomesOptions;
};

/** One message at a time is asked for, so that none ages in a buffer while another is handled. Milliseconds. */
const PULL_MS = 20_000;
/** A third of the consumer's ack wait. */
const KEEP_ALIVE_MS = 10_000;
const AGAIN = { baseMs: 1_000, maxMs: 5 * 60_000 };
const LOST = { baseMs: 200, maxMs: 5_000 };

/**
 * Reads the durable outcome consumer until it is stopped. A consumer or stream that is lost is made again by the store; the reader
 * goes on as soon as it is there.
 */
export class OutcomeReader<Data = unknown> {
  /** Resolves when the reader has stopped. */
  readonly done: Promise<void>;
  private readonly parts: Parts<Data>;
  private readonly stopping = new AbortController();
  private readonly pulls = new Set<ConsumerMessages>();
  private readonly finished: () => void;

  constructor(parts: Parts<Data>) {
    this.parts = parts;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.finished = resolve;
    void parts.connection.closed().then(() => this.stopping.abort());
  }

  start(): this {
    const lanes = Array.from({ length: this.parts.options.concurrency ?? 1 }, () => this.lane());
    void Promise.all(lanes).then(this.finished);
    return this;
  }

  /** Asks for nothing more and waits for the handlers that run. Safe to call twice. */
  async stop(): Promise<void> {
    this.stopping.abort();
    for (const pull of this.pulls) void pull.close();
    await this.done;
  }

  private async lane(): Promise<void> {
    for (let failures = 0; !this.stopping.signal.aborted; ) {
      try {
        const { connection, streamPrefix = '', domain } = this.parts;
        const consumer = await jetstream(connection, domain === undefined ? {} : { domain }).consumers.get(`${streamPrefix}${STREAMS.outcomes.name}`, this.parts.consumer);
        for (failures = 0; !this.stopping.signal.aborted; ) await this.pull(consumer);
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        this.parts.options.onError?.(error);
        failures += 1;
        await delay(backoffDelay(failures, LOST), this.stopping.signal);
      }
    }
  }

  private async pull(consumer: Consumer): Promise<void> {
    const messages = await consumer.fetch({ max_messages: 1, expires: PULL_MS, idle_heartbeat: 5_000 });
    this.pulls.add(messages);
    try {
      for await (const message of messages) await this.handle(message);
    } finally {
      this.pulls.delete(messages);
    }
  }

  /** The ack waits for the handler, and is itself acknowledged, so that what was handled is not handled again after a restart. */
  private async handle(message: JsMsg): Promise<void> {
    const attempt = message.info.deliveryCount;
    const keepAlive = setInterval(() => message.working(), KEEP_ALIVE_MS);
    try {
      const outcome = this.parts.parse(message.string()) as Outcome;
      const status = await this.parts.load(outcome.request_id);
      // Content may have been erased since; the outcome stands without it.
      const settled = status?.outcome ?? { ...outcome, data: null as Data, merged: {} };
      await this.parts.handler(settled, { attempt, signal: this.stopping.signal });
      await message.ackAck().catch(() => message.ack());
    } catch (error) {
      this.parts.options.onError?.(error);
      message.nak(backoffDelay(attempt, AGAIN));
    } finally {
      clearInterval(keepAlive);
    }
  }
}
