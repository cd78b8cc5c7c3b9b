/**
 * Natural batching: while one batch is being worked on, whatever arrives waits; then all of it (up to the limits) is the next
 * batch. Nothing ever waits for a batch to fill.
 */
export class Batcher<Item, Result> {
  private queue: { item: Item; size: number; resolve: (result: Result) => void; reject: (error: unknown) => void }[] = [];
  private active = 0;
  private readonly work: (items: Item[]) => Promise<Result[]>;
  private readonly limits: { items: number; size: number; lanes: number };

  /** @param work answers one result for each item, in order; its rejection rejects every item of the batch. */
  constructor(work: (items: Item[]) => Promise<Result[]>, limits: { items: number; size: number; lanes: number }) {
    this.work = work;
    this.limits = limits;
  }

  /** @param size in the unit of `limits.size` (bytes, or 1 for items alone) */
  add(item: Item, size: number): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.queue.push({ item, size, resolve, reject });
      this.pump();
    });
  }

  /** Items that wait for a lane. */
  get waiting(): number {
    return this.queue.length;
  }

  private pump(): void {
    while (this.active < this.limits.lanes && this.queue.length > 0) {
      this.active += 1;
      void this.runBatch(this.take());
    }
  }

  private take() {
    let size = 0;
    let count = 0;
    for (const entry of this.queue) {
      if (count > 0 && (count >= this.limits.items || size + entry.size > this.limits.size)) break;
      size += entry.size;
      count += 1;
    }
    return this.queue.splice(0, count);
  }

  private async runBatch(batch: ReturnType<typeof this.take>): Promise<void> {
    try {
      const results = await this.work(batch.map((entry) => entry.item));
      batch.forEach((entry, index) => entry.resolve(results[index] as Result));
    } catch (error) {
      batch.forEach((entry) => entry.reject(error));
    } finally {
      this.active -= 1;
      this.pump();
    }
  }
}
