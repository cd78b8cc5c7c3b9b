import type { Content } from './webhook-body.ts';

/** What an entry costs beside its texts, bytes: an estimate of map entry, key and object. */
const OVERHEAD = 300;

/** Contents of recent escalations, least recently used out first, bounded by bytes. */
export class ContentCache {
  private readonly entries = new Map<string, { content: Content; size: number }>();
  private readonly capacity: number;
  private held = 0;

  constructor(capacityBytes: number) {
    this.capacity = capacityBytes;
  }

  get bytes(): number {
    return this.held;
  }

  get(namespace: string, requestId: string): Content | null {
    const key = `${namespace}/${requestId}`;
    const entry = this.entries.get(key);
    if (!entry) return null;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.content;
  }

  set(namespace: string, requestId: string, content: Content): void {
    this.delete(namespace, requestId);
    // A string cut out of a message keeps the message alive: two bytes a unit covers both.
    const size = OVERHEAD + 2 * (content.escalation.length + content.interaction.length);
    if (size > this.capacity) return;
    this.entries.set(`${namespace}/${requestId}`, { content, size });
    this.held += size;
    for (const [key, entry] of this.entries) {
      if (this.held <= this.capacity) break;
      this.entries.delete(key);
      this.held -= entry.size;
    }
  }

  /** Settled: no further webhook will ask. */
  delete(namespace: string, requestId: string): void {
    const key = `${namespace}/${requestId}`;
    const entry = this.entries.get(key);
    if (!entry) return;
    this.entries.delete(key);
    this.held -= entry.size;
  }
}
