import { backoffDelay, delay, type Logger } from '@umpire/runtime';
import { inboxRoles, sees } from './audience.ts';
import type { EventFeed } from './event-feed.ts';
import type { EventWindow } from './event-window.ts';
import type { FeedEvent } from './feed-event.ts';
import { listFrame } from './frames.ts';
import { CLOSE, MAX_SUBSCRIPTIONS, type Session } from './session.ts';
import type { SocketHub } from './socket-hub.ts';
import type { StoreReads } from './store-reads.ts';

/** Lists under way at a time: each may be half a megabyte until its socket has read it. */
const LANES = 32;
/** More than this is told as a new list instead of frame by frame. */
const MAX_REPLAY = 1_000;
/** How long a list's seqs are kept to leave out late frames of what it has shown, ms. */
const LIST_KEPT_MS = 60_000;
const READY_WITHIN_MS = 10_000;
const TRIES = 6;

export type OpeningParts = { hub: SocketHub; window: EventWindow; feed: EventFeed; reads: StoreReads; logger: Logger };

/**
 * Brings a new socket to where it is live: notes the position in the events, then either sends the list as of at least that
 * position, or, with `since`, the frames between. Events after the position wait in the session meanwhile; those that the list
 * shows already are left out. So nothing is missed and nothing comes twice.
 */
export class Opening {
  private readonly parts: OpeningParts;
  private free = LANES;
  private readonly queue: (() => void)[] = [];

  constructor(parts: OpeningParts) {
    this.parts = parts;
  }

  /** @param since id of the last event that the client has seen */
  async open(session: Session, since: string | null): Promise<void> {
    const { hub, window, feed, logger } = this.parts;
    // The events are read for it from here until it has gone.
    session.ws.once('close', () => feed.leave());
    const late = new AbortController();
    const ready = await Promise.race([feed.join(), delay(READY_WITHIN_MS, late.signal).then(() => false)]);
    late.abort();
    if (!ready) return session.end(CLOSE.tryAgain, 'not ready: come back');
    if (!session.isOpen) return;
    // From here to the first await nothing can happen: position and registration are one moment.
    hub.add(session);
    const position = window.last;
    const missed = since === null ? null : window.after(since, session.namespace);
    await this.enter();
    try {
      if (missed !== null && missed.length <= MAX_REPLAY) await this.resume(session, missed, since!);
      else await this.list(session, position, since !== null);
    } catch (error) {
      logger.warn({ err: error, namespace: session.namespace }, 'socket_not_opened');
      session.end(CLOSE.tryAgain, 'the store does not answer: come back');
    } finally {
      this.leave();
    }
  }

  /** Follows one interaction, for whoever may read it: in their inbox, or an administrator. */
  async subscribe(session: Session, requestId: string): Promise<void> {
    const say = (frame: object) => session.send(JSON.stringify(frame));
    if (session.subscriptions.size >= MAX_SUBSCRIPTIONS && !session.subscriptions.has(requestId)) {
      return say({ type: 'error', code: 'too_large', detail: `at most ${MAX_SUBSCRIPTIONS} subscriptions`, interaction_id: requestId });
    }
    try {
      const item = (await this.parts.reads.items(session.namespace, [requestId])).get(requestId) ?? null;
      const allowed = item !== null && (session.principal.roles.includes('admin') || sees(session.viewer, item));
      // Whoever may not read it does not learn that it exists.
      if (!allowed) return say({ type: 'error', code: 'not_found', interaction_id: requestId });
      this.parts.hub.subscribe(session, requestId);
      // Asked once more in their name: now it is shown, and written down as seen by them.
      if (!(await this.parts.reads.items(session.namespace, [requestId], session.reader)).get(requestId)) return say({ type: 'error', code: 'not_found', interaction_id: requestId });
      session.send(`{"type":"subscribed","interaction_id":${JSON.stringify(requestId)},"seq":${item.seq},"data":${item.text}}`);
    } catch {
      // Nothing of it is shown whose reading could not be written down.
      this.parts.hub.unsubscribe(session, requestId);
      say({ type: 'error', code: 'unavailable', interaction_id: requestId });
    }
  }

  private async resume(session: Session, missed: FeedEvent[], since: string): Promise<void> {
    if (missed.length > 0) await again(() => this.parts.hub.replay(session, missed, since));
    session.goLive(null);
  }

  private async list(session: Session, position: string | null, resync: boolean): Promise<void> {
    const { userId } = session.viewer;
    const page = await again(() => this.parts.reads.pending({ namespace: session.namespace, user_id: userId, roles: inboxRoles(session.principal, userId), reader: session.reader }));
    // The lane is kept while the list is in memory. Events wait behind it.
    await session.sendWhole(listFrame(page, position, resync));
    session.goLive(page.seqs);
    setTimeout(() => session.forgetList(), LIST_KEPT_MS).unref();
  }

  private async enter(): Promise<void> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.queue.push(resolve));
  }

  private leave(): void {
    const next = this.queue.shift();
    if (next) next();
    else this.free += 1;
  }
}

/** A store that is away for a moment costs a new socket that moment. */
async function again<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (attempt >= TRIES) throw error;
      await delay(backoffDelay(attempt, { baseMs: 100, maxMs: 2_000 }));
    }
  }
}
