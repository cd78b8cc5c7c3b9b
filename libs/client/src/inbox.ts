import { UmpireError, type ErrorCode, type EscalationStatus, type EventType, type Outcome } from '@umpire/contract';
import { delay, steadyClock } from './clock.ts';
import { namePath } from './http/path.ts';
import { backoffDelay, isPassing, type CallOptions } from './retry.ts';
import type { EscalationItem } from './types.ts';

/** What the server sends. `id` is that of the event, the same as on JetStream and in webhooks; `seq` counts per escalation. */
export type InboxFrame<Data = unknown> =
  /** The whole inbox (its first page, oldest first, and how many there are): it replaces what was shown. */
  | { type: 'pending_interactions'; data: EscalationItem<Data>[]; total: number; id: string | null; resync?: true }
  | { type: 'new_interaction' | 'interaction_updated'; id: string; seq: number; event: EventType; data: EscalationItem<Data> }
  /** It is over, or (`reason: reassigned`) goes on without this person. */
  | { type: 'interaction_closed'; id: string; seq: number; event: EventType; data: { interaction_id: string; status: EscalationStatus; outcome: Outcome | null; reason?: 'reassigned' } }
  | { type: 'subscribed'; interaction_id: string; seq: number; data: EscalationItem<Data> }
  | { type: 'error'; code: ErrorCode; detail?: string; interaction_id?: string };

export type InboxState = 'connecting' | 'open' | 'stopped';

export type InboxOptions<Data = unknown> = {
  /** Called in order, one frame at a time. */
  onFrame: (frame: InboxFrame<Data>) => void;
  onState?: ((state: InboxState) => void) | undefined;
  /** Hears what `onFrame` threw. */
  onError?: ((error: unknown) => void) | undefined;
  /** The id of the last event that was seen, to go on from there without a list. */
  since?: string | undefined;
  signal?: AbortSignal | undefined;
  /** How often the line is tested, milliseconds; 15 s. A line that does not answer within as much again is given up. */
  heartbeatMs?: number | undefined;
};

export type InboxParts = {
  url: string;
  userId: string;
  authorization: () => Promise<Record<string, string>>;
  /** Asks for the same over HTTP: a socket that is refused does not say why. @throws UmpireError */
  probe: (call: CallOptions) => Promise<unknown>;
};

const HEARTBEAT_MS = 15_000;
const AGAIN = { baseMs: 250, maxMs: 10_000 };
/** Close codes of the server's own: the credential has ended (a newer one may be let in), and a client that misbehaves. */
const CREDENTIAL_ENDED = 4401;
const POLICY = 1008;

/**
 * A person's inbox, live. When the line drops it comes back by itself and goes on behind the last event it saw, without gap or
 * repetition; where that is too long ago the whole inbox comes again.
 */
export class Inbox<Data = unknown> {
  /** Resolves when it has ended: with why, or null after `stop`. */
  readonly done: Promise<UmpireError | null>;
  private readonly parts: InboxParts;
  private readonly options: InboxOptions<Data>;
  private readonly stopping = new AbortController();
  private readonly followed = new Set<string>();
  private since: string | undefined;
  private socket: WebSocket | null = null;

  constructor(parts: InboxParts, options: InboxOptions<Data>) {
    this.parts = parts;
    this.options = options;
    this.since = options.since;
    options.signal?.addEventListener('abort', () => void this.stop(), { once: true });
    if (options.signal?.aborted) this.stopping.abort();
    this.done = this.run();
  }

  /** The id of the last event that was seen. */
  get position(): string | undefined {
    return this.since;
  }

  /** Also hears of one that is not in the inbox, if the credential may read it. */
  follow(requestId: string): void {
    this.followed.add(requestId);
    this.say({ type: 'subscribe', interaction_id: requestId });
  }

  unfollow(requestId: string): void {
    this.followed.delete(requestId);
    this.say({ type: 'unsubscribe', interaction_id: requestId });
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.socket?.close(1000);
    await this.done;
  }

  private async run(): Promise<UmpireError | null> {
    let ending: UmpireError | null = null;
    for (let failures = 0; !this.stopping.signal.aborted && ending === null; ) {
      this.tell('connecting');
      const began = steadyClock();
      const { opened, code } = await this.connect().catch(() => ({ opened: false, code: 1006 }));
      if (this.stopping.signal.aborted) break;
      if (code === POLICY) ending = new UmpireError('bad_request', 'the server closed the socket: it was told too much, or nonsense');
      else if (!opened || code === CREDENTIAL_ENDED) ending = await this.refusal();
      failures = opened && steadyClock() - began > AGAIN.maxMs ? 1 : failures + 1;
      if (ending === null) await delay(backoffDelay(failures, AGAIN), this.stopping.signal);
    }
    this.tell('stopped');
    return ending;
  }

  /** @returns when the socket has closed, with its code */
  private async connect(): Promise<{ opened: boolean; code: number }> {
    const query = this.since === undefined ? '' : `?since=${encodeURIComponent(this.since)}`;
    const headers = await this.parts.authorization();
    const socket = openSocket(`${this.parts.url.replace(/^http/, 'ws')}/ws/hitl/${namePath(this.parts.userId)}${query}`, headers);
    this.socket = socket;
    let opened = false;
    let heard = steadyClock();
    const heartbeatMs = this.options.heartbeatMs ?? HEARTBEAT_MS;
    const heartbeat = setInterval(() => {
      // A line that is dead does not say so: its close frame would not come either.
      if (steadyClock() - heard > 2 * heartbeatMs) finish(1006);
      else if (opened) socket.send('ping');
    }, heartbeatMs);
    const { promise, resolve } = Promise.withResolvers<{ opened: boolean; code: number }>();
    const finish = (code: number) => resolve({ opened, code });
    socket.addEventListener('open', () => {
      opened = true;
      heard = steadyClock();
      this.tell('open');
      for (const id of this.followed) this.say({ type: 'subscribe', interaction_id: id });
    });
    socket.addEventListener('message', ({ data }) => {
      heard = steadyClock();
      if (typeof data === 'string' && data !== 'pong') this.take(data);
    });
    socket.addEventListener('close', ({ code }) => finish(code));
    socket.addEventListener('error', () => undefined);
    const ended = await promise;
    clearInterval(heartbeat);
    this.socket = null;
    socket.close();
    return ended;
  }

  private take(text: string): void {
    if (this.stopping.signal.aborted) return;
    try {
      const frame = JSON.parse(text) as InboxFrame<Data>;
      this.options.onFrame(frame);
      if ('id' in frame && frame.id !== null) this.since = frame.id;
    } catch (error) {
      this.options.onError?.(error);
    }
  }

  /** Why it was not let in, or null if coming back may help. */
  private async refusal(): Promise<UmpireError | null> {
    try {
      await this.parts.probe({ signal: this.stopping.signal, timeoutMs: AGAIN.maxMs });
      return null;
    } catch (error) {
      return error instanceof UmpireError && !isPassing(error) && error.status < 500 ? error : null;
    }
  }

  private say(message: object): void {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(message));
  }

  private tell(state: InboxState): void {
    this.options.onState?.(state);
  }
}

/** @throws UmpireError `unsupported`: a browser's socket sends no header, so there a key has to sign in first */
function openSocket(url: string, headers: Record<string, string>): WebSocket {
  if (Object.keys(headers).length === 0) return new WebSocket(url);
  if ('document' in globalThis) throw new UmpireError('unsupported', 'a browser\'s socket cannot send a key: sign in first, and leave the key out');
  return new WebSocket(url, { headers });
}
