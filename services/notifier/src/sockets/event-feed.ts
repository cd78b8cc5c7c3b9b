import { AckPolicy, DeliverPolicy, type ConsumerMessages } from '@nats-io/jetstream';
import { STREAMS } from '@umpire/contract';
import { backoffDelay, delay, type Bus, type Logger } from '@umpire/runtime';
import { readFeedEvent, type FeedEvent } from './feed-event.ts';

const NANOS = 1_000_000;
/** A consumer that nobody reads is forgotten by the server after this, ms. */
const FORGET_MS = 30_000;
const BATCH = 500;

/** Ways in which the client learns that its consumer is no more; after a restart of the server it is the last one. */
const GONE: ReadonlySet<string> = new Set(['consumer_deleted', 'consumer_not_found', 'stream_not_found', 'no_responders']);

export type FeedOptions = {
  bus: Bus;
  replica: string;
  logger: Logger;
  /** How many of the stream's last events to begin with. */
  past: number;
  /** Is given the events in order; one call at a time. A throw has the same ones handed over again. */
  handle: (events: FeedEvent[]) => Promise<void>;
};

/**
 * Every event, in the order of the stream, for this process alone: each replica has its own sockets. It reads without acks and
 * keeps its place itself: after any trouble (a gap, a lost consumer, a stream made anew) it goes on behind the last one that it
 * has, so nothing is skipped; what comes twice is known by its id.
 */
export class EventFeed {
  private readonly options: FeedOptions;
  private readonly stream: string;
  private readonly abort = new AbortController();
  private buffer: FeedEvent[] = [];
  private next: number | null = null;
  private created: string | null = null;
  private serial = 0;
  private messages: ConsumerMessages | null = null;
  private signalArrived: () => void = () => undefined;
  private signalDrained: () => void = () => undefined;
  private tasks: Promise<void>[] = [];
  private readonly caughtUp = Promise.withResolvers<void>();
  private allArrived = false;

  constructor(options: FeedOptions) {
    this.options = options;
    this.stream = options.bus.streamName(STREAMS.events.name);
  }

  /** Settles once everything that was in the stream at the start has been handled. */
  get ready(): Promise<void> {
    return this.caughtUp.promise;
  }

  start(): void {
    if (this.tasks.length === 0) this.tasks = [this.read(), this.work()];
  }

  async stop(): Promise<void> {
    this.abort.abort();
    this.signalArrived();
    this.signalDrained();
    void this.messages?.close().catch(() => undefined);
    await Promise.all(this.tasks);
  }

  private async read(): Promise<void> {
    for (let failures = 0; !this.abort.signal.aborted; ) {
      try {
        await this.readOnce(() => (failures = 0));
        if (!this.abort.signal.aborted) throw new Error('the consumer ended');
      } catch (error) {
        if (this.abort.signal.aborted) return;
        failures += 1;
        const pause = backoffDelay(failures, { baseMs: 50, maxMs: 2_000 });
        this.options.logger.warn({ err: error, retry_in_ms: pause }, 'event_feed_lost');
        await delay(pause, this.abort.signal);
      }
    }
  }

  /** One consumer's life. It is made by name, read while its deliveries count up without a gap, and left to be forgotten. */
  private async readOnce(progress: () => void): Promise<void> {
    const { bus, replica } = this.options;
    const name = `sockets-${replica}-${(this.serial += 1)}`;
    const info = await bus.jsm.consumers.add(this.stream, {
      name, ack_policy: AckPolicy.None, deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: await this.place(), mem_storage: true, num_replicas: 1, inactive_threshold: FORGET_MS * NANOS,
    });
    if (info.num_pending === 0) this.arrived();
    const consumer = await bus.js.consumers.get(this.stream, name);
    const messages = await consumer.consume({ max_messages: BATCH, bind: true, abort_on_missing_resource: true, expires: 20_000, idle_heartbeat: 2_000 });
    this.messages = messages;
    void this.watch(messages);
    // Not awaited: its promise settles only while somebody iterates, and from here on nobody will.
    if (this.abort.signal.aborted) return void messages.close();
    let delivered = 0;
    for await (const message of messages) {
      delivered += 1;
      if (message.info.deliverySequence !== delivered) throw new Error('the consumer skipped a message');
      progress();
      this.next = message.seq + 1;
      const event = readFeedEvent(message.data);
      if (event) this.buffer.push(event);
      if (message.info.pending === 0) this.arrived();
      this.signalArrived();
      while (this.buffer.length >= 2 * BATCH && !this.abort.signal.aborted) await new Promise<void>((resolve) => (this.signalDrained = resolve));
      if (this.abort.signal.aborted) break;
    }
  }

  /** Where to go on: behind the last one read; in a stream that is new to us, so many before its end. */
  private async place(): Promise<number> {
    const { created, state } = await this.options.bus.jsm.streams.info(this.stream);
    if (this.next === null || this.created !== created) this.next = this.created === null ? Math.max(1, state.last_seq - this.options.past + 1) : 1;
    this.created = created;
    return this.next;
  }

  private async watch(messages: ConsumerMessages): Promise<void> {
    let missed = 0;
    for await (const status of messages.status()) {
      missed = status.type === 'heartbeats_missed' ? missed + 1 : 0;
      if (GONE.has(status.type) || missed >= 2) {
        void messages.close().catch(() => undefined);
        return;
      }
    }
  }

  private arrived(): void {
    this.allArrived = true;
    this.signalArrived();
  }

  private async work(): Promise<void> {
    while (!this.abort.signal.aborted) {
      if (this.buffer.length === 0) {
        if (this.allArrived) this.caughtUp.resolve();
        await new Promise<void>((resolve) => (this.signalArrived = resolve));
      }
      // Let what came in the same read of the socket join the batch.
      await new Promise((resolve) => setImmediate(resolve));
      const batch = this.buffer.splice(0, BATCH);
      this.signalDrained();
      if (batch.length > 0) await this.handleUntilDone(batch);
    }
  }

  private async handleUntilDone(batch: FeedEvent[]): Promise<void> {
    for (let failures = 0; !this.abort.signal.aborted; ) {
      try {
        return await this.options.handle(batch);
      } catch (error) {
        failures += 1;
        const pause = backoffDelay(failures, { baseMs: 50, maxMs: 2_000 });
        this.options.logger.warn({ err: error, events: batch.length, retry_in_ms: pause }, 'event_feed_held');
        await delay(pause, this.abort.signal);
      }
    }
  }
}
