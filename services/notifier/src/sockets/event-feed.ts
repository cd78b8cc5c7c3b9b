import { FeedReading, type FeedPlace, type ReadingOptions } from './feed-reading.ts';

/** It is read on for so long after the last one has left: whoever comes back at once finds it running. ms. */
const GRACE_MS = 60_000;

export type FeedOptions = ReadingOptions & {
  replica: string;
  graceMs?: number | undefined;
};

/**
 * Every event, in the order of the stream, for this process alone: each replica has its own sockets. It is read while somebody has
 * joined it, and for nobody else: on after a pause from where it was left.
 */
export class EventFeed {
  private readonly options: FeedOptions;
  private joined = 0;
  private grace: NodeJS.Timeout | undefined;
  private reading: FeedReading | null = null;
  private readings = 0;
  /** Settles when no reading is left but the present one, with where that has to go on. */
  private left: Promise<FeedPlace | null> = Promise.resolve(null);

  constructor(options: FeedOptions) {
    this.options = options;
  }

  /**
   * To be paired with `leave`.
   * @returns once everything that was in the stream when its reading began has been handled; false if it was stopped before
   */
  join(): Promise<boolean> {
    this.joined += 1;
    clearTimeout(this.grace);
    this.reading ??= new FeedReading(this.options, `sockets-${this.options.replica}-${(this.readings += 1)}`, this.left);
    return this.reading.caughtUp;
  }

  leave(): void {
    this.joined -= 1;
    if (this.joined === 0) this.grace = setTimeout(() => this.pause(), this.options.graceMs ?? GRACE_MS).unref();
  }

  async stop(): Promise<void> {
    clearTimeout(this.grace);
    this.pause();
    await this.left;
  }

  private pause(): void {
    if (!this.reading) return;
    // From here on whoever joins begins another one, which waits for the end of this.
    this.left = this.reading.stop();
    this.reading = null;
    this.options.logger.info('event_feed_paused');
  }
}
