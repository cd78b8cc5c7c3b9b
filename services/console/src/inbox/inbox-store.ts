import type { EscalationItem, InboxFrame, InboxState, Outcome } from '@umpire/client';
import { client, codeOf } from '../api.ts';

/** Something that left the inbox: who did what is told until it is put away. */
export type Departure = { requestId: string; title: string; outcome: Outcome | null; reassigned: boolean };
export type InboxView = { items: readonly EscalationItem[]; total: number; loaded: boolean; line: 'live' | 'polling' | 'down'; departures: readonly Departure[]; ended: string | null };

const POLL_MS = 5_000;
const PAGE = 200;
/** More than this nobody looks through; the lists with filters find the rest. */
const MOST = 10_000;
const MOST_DEPARTURES = 20;

/**
 * A person's inbox as the page shows it. Frames of the socket and pages over HTTP come in any order: of each escalation the highest
 * `seq` counts, and what has left does not come back with an older page.
 */
export class InboxStore {
  private readonly userId: string;
  private readonly titleOf: (item: EscalationItem) => string;
  private items = new Map<string, EscalationItem>();
  private gone = new Map<string, number>();
  /** What the socket brought while pages were on their way: a page read before it does not have it. */
  private readonly fresh = new Set<string>();
  private view: InboxView = { items: [], total: 0, loaded: false, line: 'down', departures: [], ended: null };
  private listeners = new Set<() => void>();
  private readonly updates = new EventTarget();
  private stop: (() => void) | null = null;
  private scheduled = false;
  private filling: AbortController | null = null;

  constructor(userId: string, titleOf: (item: EscalationItem) => string) {
    this.userId = userId;
    this.titleOf = titleOf;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };
  readonly snapshot = (): InboxView => this.view;
  readonly itemOf = (requestId: string): EscalationItem | undefined => this.items.get(requestId);

  /** Calls when something happened to an escalation, in the inbox or followed. @returns how to stop hearing */
  onChange(requestId: string, listener: () => void): () => void {
    this.updates.addEventListener(requestId, listener);
    return () => this.updates.removeEventListener(requestId, listener);
  }

  start(): void {
    if (this.stop) return;
    const inbox = client.subscribe(this.userId, { onFrame: (frame) => this.take(frame), onState: (state) => this.line(state) });
    const polls = setInterval(() => {
      if (this.view.line !== 'live') void this.poll();
    }, POLL_MS);
    void this.poll();
    void inbox.done.then((error) => {
      // A server without sockets is polled; a credential that has ended is not.
      if (error !== null && ['unauthenticated', 'forbidden'].includes(error.code)) this.change({ ended: error.code });
    });
    this.stop = () => {
      clearInterval(polls);
      this.filling?.abort();
      void inbox.stop();
    };
  }

  close(): void {
    this.stop?.();
    this.stop = null;
  }

  /** The caller's own decision left it: nothing has to be told. */
  leave(requestId: string, seq: number): void {
    this.gone.set(requestId, Math.max(seq, this.gone.get(requestId) ?? 0));
    if (this.items.delete(requestId)) this.change({ total: Math.max(0, this.view.total - 1) });
  }

  putAway(requestId: string): void {
    this.change({ departures: this.view.departures.filter((one) => one.requestId !== requestId) });
  }

  private line(state: InboxState): void {
    this.change({ line: state === 'open' ? 'live' : this.view.line === 'live' ? 'down' : this.view.line });
  }

  private take(frame: InboxFrame): void {
    if (frame.type === 'pending_interactions') this.replace(frame.data, frame.total);
    else if (frame.type === 'new_interaction' || frame.type === 'interaction_updated') {
      const known = this.items.has(frame.data.request_id);
      if (this.filling !== null) this.fresh.add(frame.data.request_id);
      this.put(frame.data);
      if (!known && this.items.has(frame.data.request_id)) this.change({ total: this.view.total + 1 });
      this.tell(frame.data.request_id);
    } else if (frame.type === 'interaction_closed') {
      this.depart(frame.data.interaction_id, frame.seq, frame.data.outcome, frame.data.reason === 'reassigned');
      this.tell(frame.data.interaction_id);
    }
  }

  /** The whole list anew. What was here and is not in it has left while nobody told. */
  private replace(items: EscalationItem[], total: number): void {
    this.filling?.abort();
    for (const item of items) this.put(item);
    this.change({ total, loaded: true });
    const there = new Set(items.map((item) => item.request_id));
    if (items.length < total) void this.readOn(there);
    else void this.dismiss(there);
  }

  private put(item: EscalationItem): void {
    const gone = this.gone.get(item.request_id);
    if (gone !== undefined && gone >= item.seq) return;
    if ((this.items.get(item.request_id)?.seq ?? 0) > item.seq) return;
    this.gone.delete(item.request_id);
    this.items.set(item.request_id, item);
    this.change({});
  }

  private depart(requestId: string, seq: number, outcome: Outcome | null, reassigned: boolean): void {
    const item = this.items.get(requestId);
    if (item === undefined || item.seq > seq) return void this.gone.set(requestId, seq);
    this.leave(requestId, seq);
    if (outcome?.source === 'human' && outcome.decided_by.length === 1 && outcome.decided_by[0] === this.userId) return;
    const departure: Departure = { requestId, title: this.titleOf(item), outcome, reassigned };
    this.change({ departures: [departure, ...this.view.departures].slice(0, MOST_DEPARTURES) });
  }

  /** The pages behind the first, while the socket tells what changes. */
  private async readOn(there: Set<string>): Promise<void> {
    const { signal } = (this.filling = new AbortController());
    let after: string | undefined;
    try {
      do {
        const page = await client.pending(this.userId, { limit: PAGE, after, signal });
        if (signal.aborted) return;
        for (const item of page.items) {
          this.put(item);
          there.add(item.request_id);
        }
        after = page.next ?? undefined;
      } while (after !== undefined && there.size < MOST);
      if (after === undefined) await this.dismiss(there);
    } catch {
      // The line comes back with a list of its own, or the poll tries again.
    }
  }

  /** Lets go of what a whole list no longer has; of the first few it is told why. What came by the socket meanwhile stays. */
  private async dismiss(there: ReadonlySet<string>): Promise<void> {
    const lost = [...this.items.values()].filter((item) => !there.has(item.request_id) && !this.fresh.has(item.request_id));
    this.fresh.clear();
    await Promise.all(lost.slice(0, MOST_DEPARTURES).map((item) => this.lookWhy(item.request_id)));
    for (const item of lost.slice(MOST_DEPARTURES)) this.leave(item.request_id, item.seq);
  }

  /** Without a socket: the whole list, and what is no longer in it has gone. */
  private async poll(): Promise<void> {
    try {
      const found: EscalationItem[] = [];
      for (let after: string | undefined; found.length < MOST; ) {
        const page = await client.pending(this.userId, { limit: PAGE, after });
        found.push(...page.items);
        if (page.next === null) break;
        after = page.next;
      }
      if (this.view.line === 'live' || !this.stop) return;
      for (const item of found) this.put(item);
      this.change({ line: 'polling', loaded: true, total: found.length });
      await this.dismiss(new Set(found.map((item) => item.request_id)));
    } catch (error) {
      const code = codeOf(error);
      if (code === 'unauthenticated' || code === 'forbidden') this.change({ ended: code });
      else if (this.view.line !== 'live') this.change({ line: 'down' });
    }
  }

  private async lookWhy(requestId: string): Promise<void> {
    const shown = this.items.get(requestId);
    const item = await client.get(requestId).catch(() => null);
    this.depart(requestId, item?.seq ?? shown?.seq ?? 0, item?.outcome ?? null, item === null || item.outcome === null);
    this.tell(requestId);
  }

  private tell(requestId: string): void {
    this.updates.dispatchEvent(new Event(requestId));
  }

  /** Many frames in one moment make one rendering. */
  private change(part: Partial<InboxView>): void {
    this.view = { ...this.view, ...part };
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.view = { ...this.view, items: [...this.items.values()], total: Math.max(this.view.total, this.items.size) };
      for (const listener of this.listeners) listener();
    });
  }
}
