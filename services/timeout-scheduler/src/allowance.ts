/** A rate as a token bucket on a monotonic clock: so many a second on average, at most `burst` at once. */
export class Allowance {
  private readonly perMs: number;
  private readonly burst: number;
  private readonly monotonic: () => number;
  private tokens: number;
  private filledAt: number;

  constructor(perSecond: number, burst: number, monotonic: () => number) {
    this.perMs = perSecond / 1000;
    this.burst = burst;
    this.monotonic = monotonic;
    this.tokens = burst;
    this.filledAt = monotonic();
  }

  /** Whole tokens that may be spent now. */
  get available(): number {
    const now = this.monotonic();
    this.tokens = Math.min(this.burst, this.tokens + (now - this.filledAt) * this.perMs);
    this.filledAt = now;
    // A token that is whole but for rounding is whole.
    return Math.floor(this.tokens + 1e-6);
  }

  spend(count: number): void {
    this.tokens -= count;
  }

  /** Milliseconds until `count` tokens (at most a burst) are there. */
  msUntil(count: number): number {
    const missing = Math.min(count, this.burst) - this.available;
    return missing <= 0 ? 0 : Math.ceil(missing / this.perMs);
  }
}
