import { JetStreamApiError } from '@nats-io/jetstream';
import type { ConsumerSpec } from '@umpire/contract';
import { ensureStreams, Loop, type Bus, type Logger } from '@umpire/runtime';
import { purgedTotal } from './intake.metrics.ts';

const CONSUMER_NOT_FOUND = 10_014;
const STREAM_NOT_FOUND = 10_059;

/**
 * Removes what has been acked from the review stream, subject by subject. The stream keeps by limits and refuses what is new when a
 * subject is full, and acked messages would count; work-queue retention would remove them too, but writes a deletion per ack.
 *
 * Safe on every replica at once: a floor only rises, and a purge below it removes only what every reader of the subject has acked.
 * A stream that is gone is made again here, with the consumers following by themselves.
 */
export class ReviewPurge {
  private readonly purgedTo = new Map<string, number>();
  private readonly bus: Bus;
  private readonly specs: ConsumerSpec[];
  private readonly loop: Loop;

  constructor(deps: { bus: Bus; specs: ConsumerSpec[]; intervalMs: number; logger: Logger }) {
    this.bus = deps.bus;
    this.specs = deps.specs;
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
    for (const spec of this.specs) {
      const floor = await this.ackFloor(spec);
      if (floor === null || floor === this.purgedTo.get(spec.name)) continue;
      for (const filter of spec.filters) purged += (await this.bus.jsm.streams.purge(spec.stream, { filter, seq: floor + 1 })).purged;
      this.purgedTo.set(spec.name, floor);
    }
    purgedTotal().inc(purged);
    return purged;
  }

  /** @returns the stream sequence up to which the consumer's messages are all acked; null if there is no such consumer now. */
  private async ackFloor(spec: ConsumerSpec): Promise<number | null> {
    try {
      return (await this.bus.jsm.consumers.info(spec.stream, spec.name)).ack_floor.stream_seq;
    } catch (error) {
      if (!(error instanceof JetStreamApiError)) throw error;
      if (error.code === STREAM_NOT_FOUND) await ensureStreams(this.bus);
      else if (error.code !== CONSUMER_NOT_FOUND) throw error;
      return null;
    }
  }
}
