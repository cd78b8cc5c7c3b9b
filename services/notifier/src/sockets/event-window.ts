import type { FeedEvent } from './feed-event.ts';

/** The last events in the order of the stream, each once: where a socket that comes back finds its place. */
export class EventWindow {
  private events: FeedEvent[] = [];
  private readonly places = new Map<string, number>();
  private dropped = 0;
  private readonly capacity: number;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Id of the newest event; null before the first. */
  get last(): string | null {
    return this.events.at(-1)?.id ?? null;
  }

  get size(): number {
    return this.places.size;
  }

  has(id: string): boolean {
    return this.places.has(id);
  }

  push(event: FeedEvent): void {
    this.places.set(event.id, this.dropped + this.events.length);
    this.events.push(event);
    if (this.places.size > this.capacity) this.places.delete(this.events[this.events.length - this.capacity - 1]!.id);
    // Cut rarely, so that it costs nothing on average.
    if (this.events.length >= 2 * this.capacity) {
      this.dropped += this.events.length - this.capacity;
      this.events = this.events.slice(-this.capacity);
    }
  }

  /** Before events are left out: it must not seem to have all that came after an older one. */
  clear(): void {
    this.events = [];
    this.places.clear();
    this.dropped = 0;
  }

  /** @returns the events of a namespace after this one, or null if it is not in the window */
  after(id: string, namespace: string): FeedEvent[] | null {
    const place = this.places.get(id);
    if (place === undefined) return null;
    return this.events.slice(place - this.dropped + 1).filter((event) => event.namespace === namespace);
  }
}
