import type { FeedEvent } from './feed-event.ts';
import { CLOSE, type Session } from './session.ts';
import type { StoreReads } from './store-reads.ts';

/** Ids in one line of the read log: whatever stands in them, the line fits a message. */
const SHOWN = 100;

type Held = { session: Session; event: FeedEvent; frame: Buffer; shows: boolean };

/**
 * What goes to whoever it is addressed to needs no line in the read log: the event names them. Administrators who look on, at another's
 * inbox or at an escalation that they follow, are shown nothing that is not written down first. Their frames wait for that, in order, and
 * nobody else's wait for theirs.
 */
export class Onlookers {
  private readonly reads: StoreReads;
  private held: Held[] = [];
  private telling: Promise<void> = Promise.resolve();
  /** Whose frames are on their way: what comes meanwhile must not overtake them. */
  private readonly waiting = new Map<Session, number>();

  constructor(reads: StoreReads) {
    this.reads = reads;
  }

  /** Hands a frame on at once, or keeps it for `tell`. @param shows whether it shows content to one who looks on */
  take(session: Session, event: FeedEvent, frame: Buffer, shows: boolean): void {
    if (!looksOn(session) && !this.waiting.has(session)) return session.tell(event, frame);
    this.held.push({ session, event, frame, shows });
    this.waiting.set(session, (this.waiting.get(session) ?? 0) + 1);
  }

  /** Tells those who look on what was kept for them, once it is written down. Who cannot be told is put out, and comes back. */
  tell(): void {
    if (this.held.length === 0) return;
    const held = this.held;
    this.held = [];
    const namespaces = Map.groupBy(held, ({ session }) => session.namespace);
    this.telling = this.telling.then(async () => {
      await Promise.all([...namespaces].map(([namespace, frames]) => this.tellNoted(namespace, frames)));
    });
  }

  /** @throws when it cannot be written down now */
  async noteReplay(session: Session, since: string, shown: string[]): Promise<void> {
    const { userId } = session.viewer;
    for (let from = 0; from < shown.length; from += SHOWN) {
      await this.reads.note(session.namespace, [{ reader: session.reader, read: { what: 'replay', asked: { user_id: userId, since }, shown: shown.slice(from, from + SHOWN), subject_user: userId } }]);
    }
  }

  private async tellNoted(namespace: string, frames: Held[]): Promise<void> {
    try {
      await this.reads.note(namespace, frames.filter(({ session, shows }) => shows && session.isOpen).map(({ session, event }) => ({ reader: session.reader, read: { what: 'item', request_id: event.requestId } })));
      for (const { session, event, frame } of frames) session.tell(event, frame);
    } catch {
      for (const { session } of frames) session.end(CLOSE.tryAgain, 'what you are shown cannot be written down now: come back with since');
    }
    for (const { session } of frames) this.told(session);
  }

  private told(session: Session): void {
    const left = this.waiting.get(session)! - 1;
    if (left > 0) this.waiting.set(session, left);
    else this.waiting.delete(session);
  }
}

/** All that such a session is told goes one way, so that it stays in order. */
const looksOn = (session: Session): boolean => session.looksOn || (session.subscriptions.size > 0 && session.principal.roles.includes('admin'));
