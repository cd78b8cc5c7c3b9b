type Choice<T> = { made: Promise<T>; until: number };

/**
 * What changes how fast an answer comes and never what it says, and so may be some seconds old: kept by key, once for all who ask
 * meanwhile, and only so many of them. What fails is not kept.
 */
export class KeptChoices<T> {
  private readonly keepMs: number;
  private readonly most: number;
  private readonly now: () => number;
  private readonly kept = new Map<string, Choice<T>>();

  /** @param now ms of a clock that only goes forward */
  constructor({ keepMs, most, now }: { keepMs: number; most: number; now: () => number }) {
    this.keepMs = keepMs;
    this.most = most;
    this.now = now;
  }

  /** @throws what `make` throws */
  async get(key: string, make: () => Promise<T>): Promise<T> {
    const kept = this.kept.get(key);
    if (kept !== undefined && kept.until > this.now()) return kept.made;
    const choice = { made: make(), until: this.now() + this.keepMs };
    this.kept.delete(key);
    this.kept.set(key, choice);
    if (this.kept.size > this.most) this.kept.delete(this.kept.keys().next().value!);
    try {
      return await choice.made;
    } catch (error) {
      if (this.kept.get(key) === choice) this.kept.delete(key);
      throw error;
    }
  }
}
