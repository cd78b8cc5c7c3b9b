import { AckPolicy, DeliverPolicy, type ConsumerMessages } from '@nats-io/jetstream';
import { STREAMS } from '@umpire/contract';
import { backoffDelay, delay, type Bus, type Logger } from '@umpire/runtime';
import { readFeedEvent, type FeedEvent } from './feed-event.ts';

const NANOS = 1_000_000;
/** A consumer that nobody reads is forgotten by the server after this, ms. */
const FORGET_MS = 30_000;
const FORGET_SOON_MS = 1_000;
const BATCH = 500;

/** Ways in which the client learns that its consumer is no more; after a restart of the server it is the last one. */
const GONE: ReadonlySet<string> = new Set(['consumer_deleted', 'consumer_not_found', 'stream_not_found', 'no_responders']);

/** Where to go on in a stream, and in which of that name. */
export type FeedPlace = { created: string; next: number };

export type ReadingOptions = {
  bus: Bus;
  logger: Logger;
  /** How many of the stream's last events to begin with where there is no place to go on from. */
  past: number;
  /** Who has missed more than this in a pause begins so again. */
  capacity: number;
  /** Is given the events in order; one call at a time. A throw has the same ones handed over again. */
  handle: (events: FeedEvent[]) => Promise<void>;
  /** Events are left out here: between what was handled and what comes next. */
  skipped: () => void;
};

/**
 * The stream from one start to one stop. It is read without acks and keeps its place itself: after any trouble (a gap, a lost
 * consumer, a stream made anew) it goes on behind the last one that it has, so nothing is skipped; what comes twice is known by its id.
 */
export class FeedReading {
  /** Settles once everything that was in the stream at the start has been handled; with false if it is stopped before. */
  readonly caughtUp: Promise<boolean>;
  private readonly options: ReadingOptions;
  private readonly name: string;
  private readonly stream: string;
  private readonly abort = new AbortController();
  private readonly settleCaughtUp: (whether: boolean) => void;
  private readonly tasks: Promise<void>[];
  private buffer: { event: FeedEvent; behind: FeedPlace }[] = [];
  /** Behind the last one read; null until the place to begin at is found. */
  private place: FeedPlace | null = null;
  /** Behind the last one handled. */
  private handled: FeedPlace | null = null;
  private serial = 0;
  private consumer: string | null = null;
  private messages: ConsumerMessages | null = null;
  private signalArrived: () => void = () => undefined;
  private signalDrained: () => void = () => undefined;
  private allArrived = false;

  /**
   * Starts at once.
   * @param name for its consumers
   * @param left where an earlier one has stopped: it is waited for, so that two never handle at a time
   */
  constructor(options: ReadingOptions, name: string, left: Promise<FeedPlace | null>) {
    this.options = options;
    this.name = name;
    this.stream = options.bus.streamName(STREAMS.events.name);
    ({ promise: this.caughtUp, resolve: this.settleCaughtUp } = Promise.withResolvers<boolean>());
    this.tasks = [this.read(left), this.work()];
  }

  /** @returns where another one has to go on: what was read and not handled is read again */
  async stop(): Promise<FeedPlace | null> {
    this.abort.abort();
    this.settleCaughtUp(false);
    this.signalArrived();
    this.signalDrained();
    void this.messages?.close().catch(() => undefined);
    await Promise.all(this.tasks);
    void this.forget().catch(() => undefined);
    return this.handled;
  }

  private async read(left: Promise<FeedPlace | null>): Promise<void> {
    this.handled = await left;
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
    const { bus } = this.options;
    const name = `${this.name}-${(this.serial += 1)}`;
    const { created, next } = await this.findPlace();
    const info = await bus.jsm.consumers.add(this.stream, {
      name, ack_policy: AckPolicy.None, deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: next, mem_storage: true, num_replicas: 1, inactive_threshold: FORGET_MS * NANOS,
    });
    this.consumer = name;
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
      this.place = { created, next: message.seq + 1 };
      const event = readFeedEvent(message.data);
      if (event) this.buffer.push({ event, behind: this.place });
      if (message.info.pending === 0) this.arrived();
      this.signalArrived();
      while (this.buffer.length >= 2 * BATCH && !this.abort.signal.aborted) await new Promise<void>((resolve) => (this.signalDrained = resolve));
      if (this.abort.signal.aborted) break;
    }
  }

  private async findPlace(): Promise<FeedPlace> {
    const { created, state } = await this.options.bus.jsm.streams.info(this.stream);
    if (this.place === null) {
      this.handled = this.place = this.firstPlace(created, state);
      this.options.logger.info({ from: this.place.next }, 'event_feed_started');
    }
    // All that a stream made anew holds is new to us, or known by its id.
    if (this.place.created !== created) this.place = { created, next: 1 };
    return this.place;
  }

  /** Where the earlier one has stopped, unless what has come since is too much or is not all there any more: then so many before the end. */
  private firstPlace(created: string, { first_seq: first, last_seq: last }: { first_seq: number; last_seq: number }): FeedPlace {
    const { past, capacity, skipped } = this.options;
    const left = this.handled;
    const isAnew = left?.created !== created;
    const missed = isAnew ? last : last - left.next + 1;
    if (left && missed <= capacity && (isAnew || left.next >= first)) return left;
    skipped();
    return { created, next: Math.max(1, last - past + 1) };
  }

  /** The notifier may not delete consumers, for the scheduler's are in the same stream: the server is told to forget this one soon. */
  private async forget(): Promise<void> {
    if (this.consumer !== null) await this.options.bus.jsm.consumers.update(this.stream, this.consumer, { inactive_threshold: FORGET_SOON_MS * NANOS });
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
        if (this.allArrived) this.settleCaughtUp(true);
        await new Promise<void>((resolve) => (this.signalArrived = resolve));
      }
      // Let what came in the same read of the socket join the batch.
      await new Promise((resolve) => setImmediate(resolve));
      const batch = this.buffer.splice(0, BATCH);
      this.signalDrained();
      if (batch.length > 0 && (await this.handleUntilDone(batch.map(({ event }) => event)))) this.handled = batch.at(-1)!.behind;
    }
  }

  /** @returns whether it is done: it is not when stopped before */
  private async handleUntilDone(batch: FeedEvent[]): Promise<boolean> {
    for (let failures = 0; !this.abort.signal.aborted; ) {
      try {
        await this.options.handle(batch);
        return true;
      } catch (error) {
        failures += 1;
        const pause = backoffDelay(failures, { baseMs: 50, maxMs: 2_000 });
        this.options.logger.warn({ err: error, events: batch.length, retry_in_ms: pause }, 'event_feed_held');
        await delay(pause, this.abort.signal);
      }
    }
    return false;
  }
}
