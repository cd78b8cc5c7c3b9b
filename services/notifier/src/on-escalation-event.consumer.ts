import type { JsMsg } from '@nats-io/jetstream';
import { consumerNames, durableConsumers } from '@umpire/contract';
import { counter, DurableConsumer, inBatch, traceOfMessage, type Bus, type Logger, type Sql } from '@umpire/runtime';
import { faultOf, isAboutContent } from './batch-faults.ts';
import { anybodyListens, destinationsOf, type Destinations } from './destinations.queries.ts';
import type { ErasedContent } from './erased-content.service.ts';
import { Listeners } from './listeners.ts';
import { whatOf } from './people/asking.ts';
import type { Heard, NoticeFanOut } from './people/notice-fan-out.service.ts';
import { webhookEventOf } from './webhooks/event-names.ts';
import type { FanOutService } from './webhooks/fan-out.service.ts';
import { readEvent, readEventHead, type IncomingEvent } from './webhooks/webhook-body.ts';

const BATCH_ITEMS = 500;
const BATCH_BYTES = 1024 * 1024;

/**
 * Hears of escalation events and has them fanned out to webhooks and to people's channels, a batch at a time. A message that is
 * no event, or that the database refuses for what it holds, is logged, counted and left out; everything else is tried until it works.
 */
export class OnEscalationEvent {
  private readonly sql: Sql;
  private readonly webhooks: FanOutService;
  private readonly people: NoticeFanOut;
  private readonly erased: ErasedContent;
  private readonly logger: Logger;
  private readonly consumer: DurableConsumer;
  private readonly listeners = new Listeners();
  private readonly handled = counter('umpire_notifier_events_total', 'Escalation events read by the durable consumer', ['result']);

  constructor(parts: { sql: Sql; bus: Bus; webhooks: FanOutService; people: NoticeFanOut; erased: ErasedContent; logger: Logger }) {
    this.sql = parts.sql;
    this.webhooks = parts.webhooks;
    this.people = parts.people;
    this.erased = parts.erased;
    // From zero: what appears with its first fault would not be seen to rise.
    for (const result of ['handled', 'unreadable', 'rejected']) this.handled.inc({ result }, 0);
    this.logger = parts.logger;
    const spec = durableConsumers({}).find((consumer) => consumer.name === consumerNames.notifier)!;
    this.consumer = new DurableConsumer({ bus: parts.bus, spec, logger: parts.logger, maxItems: BATCH_ITEMS, maxBytes: BATCH_BYTES, restMs: () => this.listeners.restMs, handle: (messages) => this.handle(messages) });
  }

  start(): void {
    this.consumer.start();
  }

  stop(): Promise<void> {
    return this.consumer.stop();
  }

  /** Heads first, since most of a message is content, and often nobody wants it. */
  private async handle(messages: JsMsg[]): Promise<void> {
    const heads = messages.flatMap((message) => this.read(message, readEventHead));
    const destinations = await destinationsOf(this.sql, [...new Set(heads.map(({ event }) => event).filter(isTold).map(({ namespace }) => namespace))]);
    this.listeners.note(destinations);
    const wanted = ({ event }: Heard) => event.type === 'erased' || (isTold(event) && anybodyListens(destinations.get(event.namespace)!));
    const heard = heads.flatMap((head) => (wanted(head) ? this.read(head.message, readEvent) : [head]));
    await inBatch('notifier fan out', heard.map(({ event }) => event.trace), { kind: 'consumer' }, (traces) =>
      this.write(heard.map(({ event, bytes }, index) => ({ event: { ...event, trace: traces[index] }, bytes })), destinations));
  }

  /** @returns nothing for what cannot be read */
  private read(message: JsMsg, how: (bytes: Uint8Array) => IncomingEvent): (Heard & { message: JsMsg })[] {
    try {
      const bytes = message.data;
      return [{ event: { ...how(bytes), trace: traceOfMessage(message) }, bytes, message }];
    } catch (error) {
      this.handled.inc({ result: 'unreadable' });
      this.logger.error({ err: error, subject: message.subject, stream_seq: message.seq }, 'event_unreadable');
      return [];
    }
  }

  /** One bad row never sinks its batch: halves are tried until it stands alone. */
  private async write(heard: Heard[], destinations: Map<string, Destinations>): Promise<void> {
    if (heard.length === 0) return;
    try {
      const telling = heard.filter(({ event }) => isTold(event));
      // Side by side, since the next batch waits for both; either is safe to call again when only the other failed.
      const written = await Promise.allSettled([this.webhooks.fanOut(telling.map(({ event }) => event), destinations), this.people.fanOut(telling, destinations)]);
      const fault = faultOf(written);
      if (fault !== undefined) throw fault;
      await this.erased.forget(heard);
      this.handled.inc({ result: 'handled' }, heard.length);
    } catch (error) {
      if (!isAboutContent(error)) throw error;
      if (heard.length === 1) {
        this.handled.inc({ result: 'rejected' });
        this.logger.error({ err: error, event_id: heard[0]!.event.id, namespace: heard[0]!.event.namespace }, 'event_rejected');
        return;
      }
      const half = Math.ceil(heard.length / 2);
      await this.write(heard.slice(0, half), destinations);
      await this.write(heard.slice(half), destinations);
    }
  }
}

/** Whether anybody may be told of it. */
const isTold = ({ type }: IncomingEvent): boolean => webhookEventOf(type) !== null || whatOf(type) !== null;
