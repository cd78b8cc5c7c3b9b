import { delay, histogram } from '@umpire/runtime';

/** Submissions under way and events in line for JetStream, behind which no more submissions are read. */
const MOST_AHEAD = 128;
/** The longest that what is under way keeps others: a lock may hold it up, and another lane is free then. */
const PATIENCE_MS = 50;
/** The longest that anything does. If the stream is away its events stay in the outbox, and those of what comes then too. */
const MOST_WAIT_MS = 250;
const LOOK_EVERY_MS = 10;

const waited = histogram('umpire_store_submit_wait_seconds', 'How long submissions waited, unread, for what was ahead of them');

/**
 * Where submissions wait before they are read, each for those that came before it. What is opened faster than its events are published only waits
 * for its turn there, and costs less as the bytes that came than as objects, which outlive every collection of the young generation.
 */
export class OpeningRoom {
  private readonly unpublished: () => number;
  private last = Promise.resolve();
  private underWay = 0;

  /** @param unpublished how many events wait for their turn to be published */
  constructor(unpublished: () => number) {
    this.unpublished = unpublished;
  }

  /** Waits until little is ahead, or for a while. Whoever is let in calls `hold` at once: the next one's look comes right behind it. */
  enter(): Promise<void> {
    const came = performance.now();
    this.last = this.last.then(() => this.untilLittleIsAhead(came));
    return this.last;
  }

  /** @param count how many are under way as long as `work` is */
  async hold<Result>(count: number, work: () => Promise<Result>): Promise<Result> {
    this.underWay += count;
    try {
      return await work();
    } finally {
      this.underWay -= count;
    }
  }

  private async untilLittleIsAhead(came: number): Promise<void> {
    let ms = performance.now() - came;
    for (; ms < MOST_WAIT_MS && this.unpublished() + (ms < PATIENCE_MS ? this.underWay : 0) > MOST_AHEAD; ms = performance.now() - came) await delay(LOOK_EVERY_MS);
    waited.observe(ms / 1_000);
  }
}
