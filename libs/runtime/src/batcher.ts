/** `items` and `size` bound one batch. */
export type BatchLimits = {
  items: number;
  size: number;
  /** Most batches that are worked on at once. */
  lanes: number;
  /**
   * While a batch has been worked on for less than this, what arrives waits for it unless it would fill a batch: two half batches cost
   * more than a whole one. A batch that takes longer (a lock that somebody holds) keeps nobody. Left out: every lane is taken at once.
   */
  patienceMs?: number;
  /** Least time from the beginning of one batch to that of the next, unless it is full: for what nobody waits for. One alone goes at once. */
  restMs?: number;
};

/**
 * Natural batching: while one batch is being worked on, whatever arrives waits; then all of it (up to the limits) is the next
 * batch. Nothing ever waits for a batch to fill; what arrives in one turn of the event loop goes together.
 */
export class Batcher<Item, Result> {
  private queue: { item: Item; size: number; resolve: (result: Result) => void; reject: (error: unknown) => void }[] = [];
  private queued = 0;
  private active = 0;
  /** Batches that have not been worked on for long: worth waiting for. */
  private young = 0;
  private due = false;
  private begunAt = Number.NEGATIVE_INFINITY;
  private resting: NodeJS.Timeout | undefined;
  private readonly work: (items: Item[]) => Promise<Result[]>;
  private readonly limits: BatchLimits;

  /** @param work answers one result for each item, in order; its rejection rejects every item of the batch. */
  constructor(work: (items: Item[]) => Promise<Result[]>, limits: BatchLimits) {
    this.work = work;
    this.limits = limits;
  }

  /** @param size in the unit of `limits.size` (bytes, or 1 for items alone) */
  add(item: Item, size: number): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.queue.push({ item, size, resolve, reject });
      this.queued += size;
      this.pumpSoon();
    });
  }

  /** Items that wait for a lane. */
  get waiting(): number {
    return this.queue.length;
  }

  /** At the end of this turn of the event loop: all that it brings is there by then. */
  private pumpSoon(): void {
    if (this.due || this.active >= this.limits.lanes) return;
    this.due = true;
    setImmediate(() => {
      this.due = false;
      this.pump();
    });
  }

  private pump(): void {
    while (this.active < this.limits.lanes && this.queue.length > 0 && (this.full || (this.young === 0 && !this.mustRest()))) void this.runBatch(this.take());
  }

  /** Sees to it that the queue is looked at again when the rest is over. */
  private mustRest(): boolean {
    const restsFor = this.begunAt + (this.limits.restMs ?? 0) - performance.now();
    if (restsFor <= 0) return false;
    this.resting ??= setTimeout(() => {
      this.resting = undefined;
      this.pump();
    }, restsFor);
    return true;
  }

  private get full(): boolean {
    return this.queue.length >= this.limits.items || this.queued >= this.limits.size;
  }

  private take() {
    let size = 0;
    let count = 0;
    for (const entry of this.queue) {
      if (count > 0 && (count >= this.limits.items || size + entry.size > this.limits.size)) break;
      size += entry.size;
      count += 1;
    }
    this.queued -= size;
    return this.queue.splice(0, count);
  }

  private async runBatch(batch: ReturnType<typeof this.take>): Promise<void> {
    this.active += 1;
    this.begunAt = performance.now();
    const grownUp = this.beYoung();
    try {
      const results = await this.work(batch.map((entry) => entry.item));
      batch.forEach((entry, index) => entry.resolve(results[index] as Result));
    } catch (error) {
      batch.forEach((entry) => entry.reject(error));
    } finally {
      this.active -= 1;
      grownUp();
      this.pumpSoon();
    }
  }

  /** Counts a batch as young until the patience with it is over. @returns what ends that early */
  private beYoung(): () => void {
    const { patienceMs } = this.limits;
    if (patienceMs === undefined) return () => undefined;
    this.young += 1;
    let young = true;
    const end = () => {
      if (young) this.young -= 1;
      young = false;
    };
    const timer = setTimeout(() => {
      end();
      this.pump();
    }, patienceMs);
    return () => {
      clearTimeout(timer);
      end();
    };
  }
}
