import type { Consumer, ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import type { ConsumerSpec } from '@umpire/contract';
import { backoffDelay } from '../backoff.ts';
import { delay } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { AckBatch, isRedelivered } from './ack-batch.ts';
import type { Bus } from './bus.ts';
import { ConsumerLag } from './consumer-lag.ts';
import { ensureConsumer } from './topology.ts';

/** Handed out more often than this, a message may be what ends the process. A clean stop or a crash of another's making counts too. */
const SUSPECT_DELIVERIES = 2;

/** How long a stop waits for the batch that is being worked on, since what it asks may be away: SIGTERM has ten seconds for everything. */
const STOP_GRACE_MS = 4_000;

export type BatchHandler = (messages: JsMsg[], signal: AbortSignal) => Promise<void>;

export type DurableConsumerOptions = {
  bus: Bus;
  spec: ConsumerSpec;
  logger: Logger;
  /** Most messages and bytes in one batch. */
  maxItems: number;
  maxBytes: number;
  /**
   * In a crowd, the least time from the beginning of one batch to that of the next, ms: each costs its statements and round trips
   * however little is in it. A message alone never waits for it, nor does a full batch. Given as a function it is asked before each batch. 0 without it.
   */
  restMs?: number | (() => number);
  /**
   * Where a consumer that vanished is made again: at our own mark (default), or at the stream's beginning, for a stream that holds
   * little more than what is not acked, since another replica may hold older messages than ours.
   */
  remakeFrom?: 'mark' | 'beginning';
  /**
   * Does the work; what it has come through with is acked. A throw is an infrastructure fault: nothing more is fetched, the same batch is kept
   * alive and handed over again with backoff. Bad messages are the handler's to reject.
   */
  handle: BatchHandler;
};

/**
 * Reads a durable pull consumer in natural batches: while one is worked on, the next ones gather, up to two batches' worth. Makes the
 * consumer again when it or its stream vanished, starting at our own mark. One batch is in flight, so order is kept.
 */
export class DurableConsumer {
  private readonly options: DurableConsumerOptions;
  private readonly abort = new AbortController();
  private buffer: JsMsg[] = [];
  private bufferedBytes = 0;
  private inFlight: JsMsg[] = [];
  private messages: ConsumerMessages | null = null;
  private signalArrived: () => void = () => undefined;
  private signalDrained: () => void = () => undefined;
  private signalDone: () => void = () => undefined;
  private signalFull: () => void = () => undefined;
  private tasks: Promise<void>[] = [];
  private keepAlive: NodeJS.Timeout | undefined;
  private lastSeenAt: number | undefined;
  private begunAt = Number.NEGATIVE_INFINITY;
  private readonly acks = new AckBatch();
  private readonly lag: ConsumerLag;
  /** When the consumer that is being read was made, as the server tells it. */
  private incarnation: string | undefined;

  constructor(options: DurableConsumerOptions) {
    this.options = options;
    this.lag = new ConsumerLag(options.bus, [options.spec], options.logger);
  }

  start(): void {
    if (this.tasks.length > 0) return;
    this.tasks = [this.read(), this.work()];
    this.lag.start();
    // A third of ack_wait: two may be missed before the server takes the message for lost.
    this.keepAlive = setInterval(() => [...this.inFlight, ...this.buffer].forEach((message) => message.working()), (this.options.spec.ackWaitSeconds * 1000) / 3);
    this.keepAlive.unref();
  }

  /** Stops reading, finishes the batch in flight if that is quick, gives what was only buffered back to the server. */
  async stop(): Promise<void> {
    this.abort.abort();
    clearInterval(this.keepAlive);
    this.signalArrived();
    this.signalDrained();
    this.signalDone();
    this.signalFull();
    const ended = Promise.all([this.messages?.close().catch(() => undefined), ...this.tasks, this.lag.stop()]).then(() => true);
    const grace = new AbortController();
    const inTime = await Promise.race([ended, delay(STOP_GRACE_MS, grace.signal).then(() => false)]).finally(() => grace.abort());
    this.acks.send();
    for (const message of [...this.inFlight, ...this.buffer]) message.nak(100);
    if (!inTime) this.options.logger.warn({ consumer: this.options.spec.name, held: this.inFlight.length }, 'stopped_amid_batch');
    // They are somebody else's now.
    this.silence();
    this.buffer = [];
  }

  private async read(): Promise<void> {
    const { bus, spec, logger, maxItems, maxBytes } = this.options;
    for (let failures = 0; !this.abort.signal.aborted; ) {
      try {
        const mark = this.options.remakeFrom === 'beginning' || this.lastSeenAt === undefined ? undefined : this.lastSeenAt - 60_000;
        await ensureConsumer(bus, spec, mark);
        const consumer = await bus.js.consumers.get(bus.streamName(spec.stream), spec.name);
        const { created } = await consumer.info(true);
        if (this.incarnation !== undefined && this.incarnation !== created) this.silence();
        this.incarnation = created;
        await this.readSuspects(consumer);
        const messages = await consumer.consume({ max_messages: maxItems * 2, bind: true, abort_on_missing_resource: true, expires: 20_000, idle_heartbeat: 5_000 });
        this.messages = messages;
        void this.watch(messages);
        // Not awaited: its promise settles only while somebody iterates, and from here on nobody will.
        if (this.abort.signal.aborted) return void messages.close();
        for await (const message of messages) {
          failures = 0;
          this.enqueue(message);
          while (!this.abort.signal.aborted && (this.buffer.length >= maxItems * 2 || this.bufferedBytes >= maxBytes * 2)) await new Promise<void>((resolve) => (this.signalDrained = resolve));
          if (this.abort.signal.aborted) break;
        }
        if (!this.abort.signal.aborted) throw new Error('the consumer ended');
      } catch (error) {
        if (this.abort.signal.aborted) return;
        failures += 1;
        const pause = backoffDelay(failures, { baseMs: 100, maxMs: 3_000 });
        logger.warn({ err: error, consumer: spec.name, retry_in_ms: pause }, 'consumer_lost');
        await delay(pause, this.abort.signal);
      }
    }
  }

  /**
   * What is held came from a consumer that is no more. It is still worked on, but nothing is said of it any more: an ack goes by
   * sequence alone, and a stream that was made again counts from one, so that it would be another message's.
   */
  private silence(): void {
    const nothing = () => undefined;
    this.acks.forget();
    for (const message of [...this.inFlight, ...this.buffer]) Object.assign(message, { ack: nothing, nak: nothing, working: nothing });
  }

  /**
   * Begins one at a time while what comes first was handed out again and again: if it is what ended the process, the messages behind
   * it are not even fetched, and so are not counted as delivered with it.
   */
  private async readSuspects(consumer: Consumer): Promise<void> {
    while (!this.abort.signal.aborted) {
      const message = await this.nextOf(consumer);
      if (!message) return;
      this.enqueue(message);
      if (message.info.deliveryCount <= SUSPECT_DELIVERIES) return;
      while (!this.abort.signal.aborted && this.buffer.length + this.inFlight.length > 0) await new Promise<void>((resolve) => (this.signalDone = resolve));
    }
  }

  /** One message, or null after a second, or at once when stopped: the client's own wait may outlive a consumer that was deleted. */
  private async nextOf(consumer: Consumer): Promise<JsMsg | null> {
    const asked = consumer.next({ expires: 1_000 });
    asked.catch(() => undefined);
    return Promise.race([asked, delay(2_000, this.abort.signal).then(() => null)]);
  }

  private enqueue(message: JsMsg): void {
    this.buffer.push(message);
    this.bufferedBytes += message.data.length;
    this.signalArrived();
    if (this.isFull()) this.signalFull();
  }

  private isFull(): boolean {
    return this.buffer.length >= this.options.maxItems || this.bufferedBytes >= this.options.maxBytes;
  }

  /** A deleted consumer does not end the iterator by itself (traps 31): its status events do. */
  private async watch(messages: ConsumerMessages): Promise<void> {
    let missed = 0;
    for await (const status of messages.status()) {
      missed = status.type === 'heartbeats_missed' ? missed + 1 : 0;
      const gone = status.type === 'consumer_deleted' || status.type === 'consumer_not_found' || status.type === 'stream_not_found';
      if (gone) this.silence();
      if (gone || status.type === 'no_responders' || missed >= 3) {
        await messages.close().catch(() => undefined);
        return;
      }
    }
  }

  private async work(): Promise<void> {
    while (!this.abort.signal.aborted) {
      if (this.buffer.length === 0) await new Promise<void>((resolve) => (this.signalArrived = resolve));
      // Let what came in the same read of the socket join the batch.
      await new Promise((resolve) => setImmediate(resolve));
      await this.rest();
      if (this.abort.signal.aborted) return;
      this.begunAt = performance.now();
      this.inFlight = this.take();
      this.signalDrained();
      // One of these may be what ended a process: it is not to take the acks of others along.
      if (this.inFlight.some(isRedelivered)) this.acks.send();
      if (await this.handleUntilDone()) this.acks.add(this.inFlight);
      const newest = this.inFlight.at(-1);
      if (newest) this.lastSeenAt = newest.time.getTime();
      this.inFlight = [];
      this.signalDone();
    }
  }

  private async rest(): Promise<void> {
    const { restMs: wanted = 0 } = this.options;
    const restMs = this.begunAt + (typeof wanted === 'number' ? wanted : wanted()) - performance.now();
    if (restMs <= 0 || this.isFull() || this.abort.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, restMs);
      this.signalFull = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private take(): JsMsg[] {
    let bytes = 0;
    let count = 0;
    for (const message of this.buffer) {
      if (count > 0 && (count >= this.options.maxItems || bytes + message.data.length > this.options.maxBytes)) break;
      bytes += message.data.length;
      count += 1;
    }
    this.bufferedBytes -= bytes;
    return this.buffer.splice(0, count);
  }

  /** @returns whether it is done; what was given back because of a stop is not */
  private async handleUntilDone(): Promise<boolean> {
    for (let failures = 0; ; ) {
      try {
        await this.options.handle(this.inFlight, this.abort.signal);
        return true;
      } catch (error) {
        failures += 1;
        const pause = backoffDelay(failures, { baseMs: 100, maxMs: 5_000 });
        this.options.logger.warn({ err: error, consumer: this.options.spec.name, held: this.inFlight.length, retry_in_ms: pause }, 'batch_held');
        if (!this.abort.signal.aborted) await delay(pause, this.abort.signal);
        if (!this.abort.signal.aborted) continue;
        this.inFlight.forEach((message) => message.nak(100));
        return false;
      }
    }
  }
}
