import { JetStreamApiError } from '@nats-io/jetstream';
import { consumerNames, REASONS, STREAMS, subjects, type Reason } from '@umpire/contract';
import { Loop, type Bus, type Logger } from '@umpire/runtime';
import { purgedTotal } from './intake.metrics.ts';

/** No such consumer, no such stream: whoever keeps the topology makes them again. */
const NOT_THERE = new Set([10_014, 10_059]);

/**
 * Removes what has been acked from the review stream. The stream keeps by limits and refuses what is new when a subject is full, and
 * acked messages would count; work-queue retention would remove them too, but writes a deletion per ack.
 *
 * One purge covers all that a consumer reads. Purged subject by subject, the server (2.10 to 2.14 at least) takes the first message
 * left on *that* subject, or the stream's end if there is none, for where the consumer goes on, and what is unread or unacked on its
 * other subject is lost. A purge below sequence 1 is one without a bound, so nothing is asked before something has been acked.
 *
 * Safe on every replica at once: a floor only rises, and below it everything has been acked.
 */
export class ReviewPurge {
  private readonly purgedTo = new Map<string, number>();
  private readonly bus: Bus;
  private readonly namespaces: string[];
  private readonly loop: Loop;

  constructor(deps: { bus: Bus; namespaces: string[]; intervalMs: number; logger: Logger }) {
    this.bus = deps.bus;
    this.namespaces = deps.namespaces;
    this.loop = new Loop({ name: 'review-purge', intervalMs: deps.intervalMs, logger: deps.logger, runOnce: () => this.runOnce().then(() => 0) });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** @returns how many messages were removed */
  async runOnce(): Promise<number> {
    let purged = 0;
    for (const namespace of this.namespaces) {
      for (const reason of REASONS) purged += await this.purge(namespace, reason);
    }
    purgedTotal().inc(purged);
    return purged;
  }

  private async purge(namespace: string, reason: Reason): Promise<number> {
    const consumer = consumerNames.intake(namespace, reason);
    const floor = await this.ackFloor(consumer);
    if (floor < 1 || floor === this.purgedTo.get(consumer)) return 0;
    const { purged } = await this.bus.jsm.streams.purge(STREAMS.review.name, { filter: subjects.queue(namespace, reason), seq: floor + 1 });
    this.purgedTo.set(consumer, floor);
    return purged;
  }

  /** @returns the stream sequence up to which the consumer's messages are all acked; 0 if there is no such consumer now */
  private async ackFloor(consumer: string): Promise<number> {
    try {
      return (await this.bus.jsm.consumers.info(STREAMS.review.name, consumer)).ack_floor.stream_seq;
    } catch (error) {
      if (error instanceof JetStreamApiError && NOT_THERE.has(error.code)) return 0;
      throw error;
    }
  }
}
