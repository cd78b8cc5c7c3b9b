import { counter } from '@umpire/runtime';
import { audienceKeys, sees, type Audience } from './audience.ts';
import type { FeedEvent } from './feed-event.ts';
import type { EventWindow } from './event-window.ts';
import { closedData, eventFrame, isSettling, leftData, type FrameType } from './frames.ts';
import { Onlookers } from './onlookers.ts';
import type { Session } from './session.ts';
import type { Seen, StoreReads } from './store-reads.ts';

/** Audiences kept to tell who has just left. */
const MAX_AUDIENCES = 20_000;

type Sessions = Set<Session>;
const keyOf = (event: Pick<FeedEvent, 'namespace' | 'requestId'>) => `${event.namespace}/${event.requestId}`;

/** Knows every socket of this process and hands each event to those whom it concerns. */
export class SocketHub {
  private readonly reads: StoreReads;
  private readonly window: EventWindow;
  private readonly namespaces = new Map<string, { all: Sessions; byKey: Map<string, Sessions>; bySubscription: Map<string, Sessions> }>();
  private readonly audiences = new Map<string, Audience>();
  private readonly onlookers: Onlookers;
  private readonly sent = counter('umpire_notifier_socket_frames_total', 'Frames handed to sockets, by type', ['type']);
  private count = 0;

  constructor(reads: StoreReads, window: EventWindow) {
    this.reads = reads;
    this.window = window;
    this.onlookers = new Onlookers(reads);
  }

  get size(): number {
    return this.count;
  }

  /** Sockets that show this person's inbox. */
  countOf(namespace: string, userId: string): number {
    let count = 0;
    for (const session of this.namespaces.get(namespace)?.byKey.get(`u:${userId}`) ?? []) if (session.viewer.userId === userId) count += 1;
    return count;
  }

  *sessions(): Generator<Session> {
    for (const { all } of this.namespaces.values()) yield* all;
  }

  add(session: Session): void {
    const known = this.namespaces.get(session.namespace) ?? { all: new Set(), byKey: new Map<string, Sessions>(), bySubscription: new Map<string, Sessions>() };
    this.namespaces.set(session.namespace, known);
    known.all.add(session);
    this.count += 1;
    this.index(session);
  }

  remove(session: Session): void {
    const known = this.namespaces.get(session.namespace);
    if (!known?.all.delete(session)) return;
    this.count -= 1;
    this.unindex(session);
    for (const id of session.subscriptions) removeFrom(known.bySubscription, id, session);
    if (known.all.size === 0) this.namespaces.delete(session.namespace);
  }

  /** Calls `change`, which may give the session another viewer. */
  reindex(session: Session, change: () => void): void {
    this.unindex(session);
    change();
    if (this.namespaces.get(session.namespace)?.all.has(session)) this.index(session);
  }

  subscribe(session: Session, requestId: string): void {
    const known = this.namespaces.get(session.namespace);
    if (!known?.all.has(session)) return;
    session.subscriptions.add(requestId);
    addTo(known.bySubscription, requestId, session);
  }

  unsubscribe(session: Session, requestId: string): void {
    session.subscriptions.delete(requestId);
    const known = this.namespaces.get(session.namespace);
    if (known) removeFrom(known.bySubscription, requestId, session);
  }

  /**
   * Hands events on, in order, and puts them into the window.
   * @throws when the store does not answer: nothing was handed on, call it again
   */
  async dispatch(events: FeedEvent[]): Promise<void> {
    const fresh = [...new Map(events.map((event) => [event.id, event])).values()].filter((event) => !this.window.has(event.id));
    const seen = new Map<string, Seen | null>();
    // A namespace may get its first socket while the store is being asked for others.
    for (let missing = this.missing(fresh, seen); missing.size > 0; missing = this.missing(fresh, seen)) {
      for (const [namespace, ids] of missing) for (const [id, item] of await this.reads.items(namespace, [...ids])) seen.set(`${namespace}/${id}`, item);
    }
    for (const event of fresh) {
      this.window.push(event);
      this.hand(event, seen.get(keyOf(event)) ?? null);
    }
    this.onlookers.tell();
  }

  /**
   * Frames that a session has missed, in order, each sent as it would have been, save that items are shown as they are now. What they show
   * was asked for with `since`, and is written down as seen before the first of them leaves.
   * @throws when the store does not answer
   */
  async replay(session: Session, events: FeedEvent[], since: string): Promise<void> {
    const items = await this.reads.items(session.namespace, [...new Set(events.map((event) => event.requestId))]);
    const news = events.filter(({ type, requestId }) => type !== 'consumed' && items.get(requestId));
    const shown = new Set(news.map(({ requestId }) => requestId).filter((id) => sees(session.viewer, items.get(id)!)));
    await this.onlookers.noteReplay(session, since, [...shown]);
    for (const event of news) {
      const frames = new Frames(event, items.get(event.requestId)!);
      if (shown.has(event.requestId)) await session.sendWhole(frames.forMember(session));
      else if (event.from === session.viewer.userId) await session.sendWhole(frames.left());
      if (!session.isOpen) return;
    }
  }

  private missing(events: FeedEvent[], seen: Map<string, Seen | null>): Map<string, Set<string>> {
    const missing = new Map<string, Set<string>>();
    for (const event of events) {
      if (!this.namespaces.has(event.namespace) || seen.has(keyOf(event))) continue;
      missing.set(event.namespace, (missing.get(event.namespace) ?? new Set()).add(event.requestId));
    }
    return missing;
  }

  private hand(event: FeedEvent, item: Seen | null): void {
    const known = this.namespaces.get(event.namespace);
    if (!known || !item) return;
    const before = this.audiences.get(keyOf(event));
    this.remember(event, item);
    const frames = new Frames(event, item);
    const told = new Set<Session>();
    // A permit taken after the end is no news for an inbox.
    for (const session of event.type === 'consumed' ? [] : this.members(known.byKey, item)) {
      told.add(session);
      this.onlookers.take(session, event, frames.forMember(session), session.looksOn);
    }
    for (const session of before ? this.members(known.byKey, before) : (known.byKey.get(`u:${event.from}`) ?? [])) {
      if (told.has(session) || (!before && session.viewer.userId !== event.from)) continue;
      told.add(session);
      this.onlookers.take(session, event, frames.left(), false);
    }
    for (const session of known.bySubscription.get(event.requestId) ?? []) if (!told.has(session)) this.onlookers.take(session, event, frames.forFollower(), true);
    for (const [type, count] of frames.counts) this.sent.inc({ type }, count);
  }

  private *members(byKey: Map<string, Sessions>, audience: Audience): Generator<Session> {
    const met = new Set<Session>();
    for (const key of audienceKeys(audience)) {
      for (const session of byKey.get(key) ?? []) {
        if (met.has(session)) continue;
        met.add(session);
        if (sees(session.viewer, audience)) yield session;
      }
    }
  }

  private remember(event: FeedEvent, { users, roles, excluded }: Audience): void {
    const key = keyOf(event);
    this.audiences.delete(key);
    if (isSettling(event.type)) return;
    this.audiences.set(key, { users, roles, excluded });
    if (this.audiences.size > MAX_AUDIENCES) this.audiences.delete(this.audiences.keys().next().value!);
  }

  private index(session: Session): void {
    const { byKey } = this.namespaces.get(session.namespace)!;
    for (const { keys } of session.viewer.places) for (const key of keys) addTo(byKey, key, session);
  }

  private unindex(session: Session): void {
    const byKey = this.namespaces.get(session.namespace)?.byKey;
    if (!byKey) return;
    for (const { keys } of session.viewer.places) for (const key of keys) removeFrom(byKey, key, session);
  }
}

/** The frames of one event: each kind is made once, however many sockets get it. */
class Frames {
  readonly counts = new Map<FrameType, number>();
  private readonly event: FeedEvent;
  private readonly item: Seen;
  private readonly made = new Map<string, Buffer>();

  constructor(event: FeedEvent, item: Seen) {
    this.event = event;
    this.item = item;
  }

  /** For whose inbox it is in. Those whom the event brought in see it for the first time. */
  forMember(session: Session): Buffer {
    const { type, joined } = this.event;
    if (isSettling(type)) return this.frame('interaction_closed', 'settled');
    const isNew = type === 'opened' || (joined.length > 0 && session.viewer.places.some(({ keys }) => keys.some((key) => joined.includes(key))));
    return this.frame(isNew ? 'new_interaction' : 'interaction_updated', 'item');
  }

  forFollower(): Buffer {
    return isSettling(this.event.type) ? this.frame('interaction_closed', 'settled') : this.frame('interaction_updated', 'item');
  }

  left(): Buffer {
    return this.frame('interaction_closed', 'left');
  }

  private frame(type: FrameType, content: 'item' | 'settled' | 'left'): Buffer {
    this.counts.set(type, (this.counts.get(type) ?? 0) + 1);
    const key = `${type} ${content}`;
    let frame = this.made.get(key);
    if (!frame) {
      const { requestId } = this.event;
      const data = content === 'item' ? this.item.text : content === 'settled' ? closedData(requestId, this.item.text) : leftData(requestId);
      this.made.set(key, (frame = eventFrame(type, this.event, data)));
    }
    return frame;
  }
}

function addTo(map: Map<string, Sessions>, key: string, session: Session): void {
  const sessions = map.get(key);
  if (sessions) sessions.add(session);
  else map.set(key, new Set([session]));
}

function removeFrom(map: Map<string, Sessions>, key: string, session: Session): void {
  const sessions = map.get(key);
  if (sessions?.delete(session) && sessions.size === 0) map.delete(key);
}
