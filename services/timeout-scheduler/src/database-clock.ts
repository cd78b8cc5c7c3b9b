/** Clocks of two machines part by well under this: parts per one. */
const DRIFT = 0.0002;

/**
 * The database's clock as seen from here, between statements that tell it. Runs on the process's monotonic clock, so a process
 * whose wall clock is wrong or is moved notices nothing. Only decides when to look: what is due, the database decides.
 */
export class DatabaseClock {
  private readonly monotonic: () => number;
  /** The database's clock minus ours lies within these bounds (ms), as of `measuredAt` on ours. */
  private low = Number.NEGATIVE_INFINITY;
  private high = Number.POSITIVE_INFINITY;
  private measuredAt = 0;

  /** @param monotonic milliseconds that never step */
  constructor(monotonic: () => number) {
    this.monotonic = monotonic;
  }

  /**
   * Takes in what a statement said. The answer was made between sending and receiving, which bounds the difference; bounds of
   * several statements are intersected, so a slow one does no harm.
   * @param databaseNow ms since the epoch
   * @returns whether the database's clock has stepped: this cannot be true together with what was known
   */
  observe(sentAt: number, databaseNow: number): boolean {
    const receivedAt = this.monotonic();
    const drift = (receivedAt - this.measuredAt) * DRIFT;
    const low = Math.max(this.low - drift, databaseNow - receivedAt);
    const high = Math.min(this.high + drift, databaseNow - sentAt);
    const stepped = low > high;
    this.low = stepped ? databaseNow - receivedAt : low;
    this.high = stepped ? databaseNow - sentAt : high;
    this.measuredAt = receivedAt;
    return stepped;
  }

  /** @returns the earliest that the database's clock can show now, ms since the epoch: at this time, what is due then is due there. */
  now(): number {
    const now = this.monotonic();
    return now + this.low - (now - this.measuredAt) * DRIFT;
  }

  get known(): boolean {
    return this.low > Number.NEGATIVE_INFINITY;
  }
}
