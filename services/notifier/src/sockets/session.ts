import { delay, type Credential } from '@umpire/runtime';
import type { Principal, ContentReader } from '@umpire/contract';
import type { WebSocket } from 'ws';
import { viewerOf, type Viewer } from './audience.ts';
import type { FeedEvent } from './feed-event.ts';

/** Close codes of ours; the others are RFC 6455's. */
export const CLOSE = { goingAway: 1001, policy: 1008, tryAgain: 1013, credentialEnded: 4401, tooSlow: 4408 } as const;

/** What one socket may have waiting to be sent, bytes: the list frame (at most 512 KiB) and as much again. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** The longest that one frame of a list or a replay may take to leave, ms. */
const TAKEN_WITHIN_MS = 5_000;
/** A socket that is being dropped gets so long to read its close frame, ms. */
const LINGER_MS = 2_000;
export const MAX_SUBSCRIPTIONS = 200;

/**
 * One socket. While it is loading (its list or its missed frames are being fetched), frames wait, in order; then it is live. What
 * waits is bounded in both: who reads too slowly is dropped with a code and comes back with `since`.
 */
export class Session {
  readonly ws: WebSocket;
  readonly namespace: string;
  readonly credential: Credential;
  principal: Principal;
  viewer: Viewer;
  readonly subscriptions = new Set<string>();
  /** Whether it has been heard of since the last ping; when the next is due, and the next look at the credential (monotonic ms). */
  alive = true;
  beatAt = 0;
  recheckAt = 0;
  private waiting: { event: FeedEvent; frame: Buffer }[] | null = [];
  private waitingBytes = 0;
  private listed: Map<string, number> | null = null;
  private closing = false;
  private readonly from: Pick<ContentReader, 'address' | 'forwarded_for' | 'trace_id'>;

  constructor(ws: WebSocket, principal: Principal, credential: Credential, userId: string, from: Pick<ContentReader, 'address' | 'forwarded_for' | 'trace_id'>) {
    this.from = from;
    this.ws = ws;
    this.principal = principal;
    this.namespace = principal.namespace;
    this.credential = credential;
    this.viewer = viewerOf(principal, userId);
  }

  /** Whose reading it is, for the read log. */
  get reader(): ContentReader {
    const { user_id, key_id, auth } = this.principal;
    return { user_id, key_id, auth, ...this.from };
  }

  /** Whether it shows somebody else's inbox: an administrator's look. */
  get looksOn(): boolean {
    return this.principal.user_id !== this.viewer.userId;
  }

  /** The credential stands for somebody with other roles or delegators by now. */
  renew(principal: Principal): void {
    this.principal = principal;
    this.viewer = viewerOf(principal, this.viewer.userId);
  }

  /** A frame about an event: sent, kept while loading, or left out if the list shows it already. */
  tell(event: FeedEvent, frame: Buffer): void {
    if (this.closing) return;
    if (this.waiting === null) {
      if (event.seq > (this.listed?.get(event.requestId) ?? 0)) this.send(frame);
      return;
    }
    this.waiting.push({ event, frame });
    this.waitingBytes += frame.length;
    if (this.waitingBytes > MAX_WAITING_BYTES) this.end(CLOSE.tooSlow, 'too much happened while loading');
  }

  get isOpen(): boolean {
    return !this.closing && this.ws.readyState === this.ws.OPEN;
  }

  /** Sends at once. @param flushed is called when the system has taken it, or never will */
  send(frame: Buffer | string, flushed: () => void = () => undefined): void {
    if (!this.isOpen) return flushed();
    if (this.ws.bufferedAmount > MAX_WAITING_BYTES) {
      flushed();
      return this.end(CLOSE.tooSlow, 'read too slowly: come back with since');
    }
    this.ws.send(frame, { binary: false }, flushed);
  }

  /** Sends and waits until the system has taken it: large things one after the other. Who does not take it in time is dropped. */
  async sendWhole(frame: Buffer): Promise<void> {
    const late = new AbortController();
    const taken = new Promise<boolean>((resolve) => this.send(frame, () => resolve(true)));
    const inTime = await Promise.race([taken, delay(TAKEN_WITHIN_MS, late.signal).then(() => false)]);
    late.abort();
    if (!inTime) this.end(CLOSE.tooSlow, 'read too slowly: come back with since');
  }

  /**
   * Goes live: what waited is sent, then frames as they come.
   * @param listed what the list has shown, by id: frames up to those seqs are left out
   */
  goLive(listed: Map<string, number> | null): void {
    this.listed = listed;
    const waiting = this.waiting ?? [];
    this.waiting = null;
    for (const { event, frame } of waiting) this.tell(event, frame);
  }

  /** Events from before the list have all come by now. */
  forgetList(): void {
    this.listed = null;
  }

  end(code: number, reason: string): void {
    if (this.closing) return;
    this.closing = true;
    this.waiting = null;
    this.ws.close(code, reason);
    // Who does not read will not see the close frame either.
    setTimeout(() => this.ws.terminate(), LINGER_MS).unref();
  }
}
