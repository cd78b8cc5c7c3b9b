type Kept<T> = { figures: T; took: number; at: number };

/** What was computed faster than this is computed anew each time. */
const QUICK_MS = 250;
/** Keeping figures for this many times as long as they took bounds what computing costs to a twentieth of a processor. */
const TIMES = 20;
/** Older ones are not shown, and waited for instead: somebody who comes back after an hour wants to see now. */
const STALE_TIMES = 5;
const MOST_KEPT = 100;

/**
 * Figures that take long to compute: computed once for all who ask at the same time, kept for a while that grows with what they cost, and
 * then shown once more while they are computed anew behind. They must say themselves of when they are.
 */
export class KeptFigures<T> {
  private readonly now: () => number;
  private readonly kept = new Map<string, Kept<T>>();
  private readonly running = new Map<string, Promise<T>>();

  /** @param now ms of a clock that only goes forward */
  constructor(now: () => number) {
    this.now = now;
  }

  /** @throws what `compute` throws, where there is nothing that may still be shown */
  async get(key: string, compute: () => Promise<T>): Promise<T> {
    const kept = this.kept.get(key);
    const age = kept === undefined ? Number.POSITIVE_INFINITY : (this.now() - kept.at) / (TIMES * kept.took);
    if (kept === undefined || age > STALE_TIMES) return this.compute(key, compute);
    // What fails behind is tried again by the next who asks.
    if (age > 1) this.compute(key, compute).catch(() => undefined);
    return kept.figures;
  }

  private compute(key: string, compute: () => Promise<T>): Promise<T> {
    const running = this.running.get(key) ?? this.computeOnce(key, compute).finally(() => this.running.delete(key));
    this.running.set(key, running);
    return running;
  }

  private async computeOnce(key: string, compute: () => Promise<T>): Promise<T> {
    const began = this.now();
    const figures = await compute();
    const took = this.now() - began;
    this.kept.delete(key);
    if (took >= QUICK_MS) this.kept.set(key, { figures, took, at: this.now() });
    if (this.kept.size > MOST_KEPT) this.kept.delete(this.kept.keys().next().value!);
    return figures;
  }
}
