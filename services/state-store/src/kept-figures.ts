type Kept<T> = { figures: T; took: number; began: number };

/**
 * For how long figures are kept. What was computed in less than `quickMs` is computed anew each time; the rest is kept for `times` as long as it
 * took, which bounds what computing costs to that part of a processor, but for `mostMs` at the most. What is older than `staleTimes` that is not
 * shown, and waited for instead: somebody who comes back after an hour wants to see now.
 */
export type Keeping = { quickMs: number; times: number; mostMs: number; staleTimes: number };

const MOST_KEPT = 100;

/**
 * Figures that take long to compute: computed once for all who ask at the same time, kept for a while that grows with what they cost, and
 * then shown once more while they are computed anew behind. They must say themselves of when they are.
 */
export class KeptFigures<T> {
  private readonly keeping: Keeping;
  private readonly now: () => number;
  private readonly kept = new Map<string, Kept<T>>();
  private readonly running = new Map<string, Promise<T>>();

  /** @param now ms of a clock that only goes forward */
  constructor(keeping: Keeping, now: () => number) {
    this.keeping = keeping;
    this.now = now;
  }

  /** @throws what `compute` throws, where there is nothing that may still be shown */
  async get(key: string, compute: () => Promise<T>): Promise<T> {
    const kept = this.kept.get(key);
    if (kept === undefined) return this.compute(key, compute);
    const age = this.now() - kept.began;
    const keepMs = Math.min(this.keeping.times * kept.took, this.keeping.mostMs);
    if (age > keepMs * this.keeping.staleTimes) return this.compute(key, compute);
    // What fails behind is tried again by the next who asks.
    if (age > keepMs) this.compute(key, compute).catch(() => undefined);
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
    if (took >= this.keeping.quickMs) this.kept.set(key, { figures, took, began });
    if (this.kept.size > MOST_KEPT) this.kept.delete(this.kept.keys().next().value!);
    return figures;
  }
}
