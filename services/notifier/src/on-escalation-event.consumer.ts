import type { JsMsg } from '@nats-io/jetstream';
import { consumerNames, durableConsumers } from '@umpire/contract';
import { counter, DurableConsumer, isDataError, type Bus, type Logger } from '@umpire/runtime';
import type { FanOutService } from './webhooks/fan-out.service.ts';
import { readEvent, type IncomingEvent } from './webhooks/webhook-body.ts';

const BATCH_ITEMS = 500;
const BATCH_BYTES = 1024 * 1024;

/**
 * Hears of escalation events and has them fanned out to webhooks, a batch at a time: rows first, then the acks. A message that is
 * no event, or that the database refuses for what it holds, is logged, counted and acked; everything else is tried until it works.
 */
export class OnEscalationEvent {
  private readonly fanOut: FanOutService;
  private readonly logger: Logger;
  private readonly consumer: DurableConsumer;
  private readonly handled = counter('umpire_notifier_events_total', 'Escalation events read by the webhook consumer', ['result']);

  constructor(parts: { bus: Bus; fanOut: FanOutService; logger: Logger }) {
    this.fanOut = parts.fanOut;
    this.logger = parts.logger;
    const spec = durableConsumers({}).find((consumer) => consumer.name === consumerNames.notifier)!;
    this.consumer = new DurableConsumer({ bus: parts.bus, spec, logger: parts.logger, maxItems: BATCH_ITEMS, maxBytes: BATCH_BYTES, handle: (messages) => this.handle(messages) });
  }

  start(): void {
    this.consumer.start();
  }

  stop(): Promise<void> {
    return this.consumer.stop();
  }

  private async handle(messages: JsMsg[]): Promise<void> {
    const read = messages.map((message) => ({ message, event: this.read(message) }));
    await this.write(read.flatMap(({ event }) => (event ? [event] : [])));
    for (const { message } of read) message.ack();
  }

  private read(message: JsMsg): IncomingEvent | null {
    try {
      return readEvent(message.data);
    } catch (error) {
      this.handled.inc({ result: 'unreadable' });
      this.logger.error({ err: error, subject: message.subject, stream_seq: message.seq }, 'event_unreadable');
      return null;
    }
  }

  /** One bad row never sinks its batch: halves are tried until it stands alone. */
  private async write(events: IncomingEvent[]): Promise<void> {
    if (events.length === 0) return;
    try {
      await this.fanOut.fanOut(events);
      this.handled.inc({ result: 'handled' }, events.length);
    } catch (error) {
      if (!isDataError(error)) throw error;
      if (events.length === 1) {
        this.handled.inc({ result: 'rejected' });
        this.logger.error({ err: error, event_id: events[0]!.id, namespace: events[0]!.namespace }, 'event_rejected');
        return;
      }
      const half = Math.ceil(events.length / 2);
      await this.write(events.slice(0, half));
      await this.write(events.slice(half));
    }
  }
}
