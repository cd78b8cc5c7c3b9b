import { decodeFrame, decodeUtf8, subjects, UmpireError, type ContentHeader, type ContentQuery } from '@umpire/contract';
import type { ContentCache } from './content-cache.ts';
import { NO_CONTENT, type Content, type IncomingEvent } from './webhook-body.ts';

/** Ids asked for at a time: the store cuts its replies at 512 KiB. */
const ASK = 64;
const ASK_TIMEOUT_MS = 5_000;

export type Asker = { request(subject: string, data: Uint8Array | string, timeoutMs: number): Promise<Uint8Array> };

/** Knows what an escalation's webhooks carry: from its `opened` event, kept a while, else by asking the store. */
export class ContentService {
  private readonly bus: Asker;
  private readonly cache: ContentCache;

  constructor(bus: Asker, cache: ContentCache) {
    this.bus = bus;
    this.cache = cache;
  }

  /** Keeps what an `opened` event carries. */
  remember(event: IncomingEvent): void {
    if (event.escalation !== null) this.cache.set(event.namespace, event.requestId, { escalation: event.escalation, interaction: event.interaction ?? 'null' });
  }

  forget(event: IncomingEvent): void {
    this.cache.delete(event.namespace, event.requestId);
  }

  /**
   * @returns the content of each event, in order; null texts for what the store no longer has (erased).
   * @throws UmpireError `unavailable` when the store does not answer: the batch is to be tried again.
   */
  async contents(events: IncomingEvent[]): Promise<Content[]> {
    const found = events.map((event) => (event.escalation === null ? this.cache.get(event.namespace, event.requestId) : { escalation: event.escalation, interaction: event.interaction ?? 'null' }));
    const missing = new Map<string, Set<string>>();
    events.forEach((event, index) => {
      if (found[index] === null) missing.set(event.namespace, (missing.get(event.namespace) ?? new Set()).add(event.requestId));
    });
    if (missing.size === 0) return found as Content[];
    const asked = new Map(await Promise.all([...missing].map(async ([namespace, ids]) => [namespace, await this.ask(namespace, [...ids])] as const)));
    return events.map((event, index) => found[index] ?? asked.get(event.namespace)?.get(event.requestId) ?? NO_CONTENT);
  }

  private async ask(namespace: string, ids: string[]): Promise<Map<string, Content>> {
    const answers = new Map<string, Content>();
    for (let open = ids; open.length > 0; ) {
      const batch = open.slice(0, ASK);
      const query: ContentQuery = { items: batch.map((request_id) => ({ namespace, request_id })) };
      const { header, bodies } = decodeFrame<ContentHeader>(await this.bus.request(subjects.query('content'), JSON.stringify(query), ASK_TIMEOUT_MS));
      header.items.forEach((item, index) => {
        if (!item.found) return void answers.set(item.request_id, NO_CONTENT);
        const content = { escalation: decodeUtf8(bodies[index]!), interaction: JSON.stringify(item.interaction ?? null) };
        answers.set(item.request_id, content);
        this.cache.set(namespace, item.request_id, content);
      });
      const rest = open.filter((id) => !answers.has(id));
      // A reply may be cut where its size ends, but never before the first id.
      if (rest.length === open.length) throw new UmpireError('unavailable', 'the store left every id unanswered');
      open = rest;
    }
    return answers;
  }
}
