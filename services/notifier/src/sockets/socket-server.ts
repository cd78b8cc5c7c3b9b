import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { UmpireError, type Principal } from '@umpire/contract';
import { counter, credentialEnd, gauge, readCredential, refuseCrossSite, toUmpireError, type Credential, type Logger, type RecheckingAuthenticator } from '@umpire/runtime';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import type { Opening } from './opening.service.ts';
import { parseMessage } from './said.ts';
import { CLOSE, Session } from './session.ts';
import type { SocketHub } from './socket-hub.ts';

const PATH = /^\/ws\/hitl\/([^/?#]+)\/?$/;
/** What a client may say at once, bytes: ping and subscribe. */
const MAX_MESSAGE = 4_096;
/** Messages that a client may send within `RATE_MS`. */
const MAX_MESSAGES = 100;
const RATE_MS = 10_000;
/** Tokens are asked about less often: each costs the store a signature. ms. */
const TOKEN_RECHECK_MS = 30_000;
const MAX_SOCKETS_PER_PERSON = 50;
const TICK_MS = 1_000;
const LINGER_MS = 500;

export type SocketServerParts = {
  hub: SocketHub;
  opening: Opening;
  authenticator: RecheckingAuthenticator;
  clock: { now(): number };
  logger: Logger;
  maxSockets: number;
  /** A socket that does not answer a ping within this time is dropped, ms. */
  heartbeatMs: number;
  /** How often the credential of an open socket is checked again, ms: with the tick and the question it ends within two seconds more. */
  recheckMs: number;
};

/** `/ws/hitl/{user_id}`: who may connect, heartbeats, what clients say, and the end. */
export class SocketServer {
  private readonly parts: SocketServerParts;
  /** Those that wait to be opened as well. */
  private connections = 0;
  private readonly wss = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_MESSAGE, clientTracking: false, skipUTF8Validation: false });
  private readonly open = gauge('umpire_notifier_sockets', 'Open sockets');
  private readonly ended = counter('umpire_notifier_sockets_ended_total', 'Sockets that ended, by close code', ['code']);
  private server: Server | null = null;
  private ticker: NodeJS.Timeout | undefined;
  private stopping = false;
  private rechecking: Promise<void> | null = null;
  private readonly onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void this.upgrade(request, socket, head);

  constructor(parts: SocketServerParts) {
    this.parts = parts;
  }

  /** Takes over the upgrades of an HTTP server: what is not ours is not found. */
  start(server: Server): void {
    this.server = server;
    server.on('upgrade', this.onUpgrade);
    this.ticker = setInterval(() => this.sweep(), TICK_MS);
    this.ticker.unref();
  }

  /** Tells every client to come back elsewhere, and waits for them briefly. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearInterval(this.ticker);
    const sessions = [...this.parts.hub.sessions()];
    for (const session of sessions) session.end(CLOSE.goingAway, 'stopping: come back');
    const gone = sessions.filter(({ ws }) => ws.readyState !== ws.CLOSED).map(({ ws }) => new Promise((resolve) => ws.once('close', resolve)));
    const late = new Promise((resolve) => setTimeout(resolve, LINGER_MS));
    if (sessions.length > 0) await Promise.race([Promise.all(gone), late]);
    for (const { ws } of sessions) ws.terminate();
    this.server?.off('upgrade', this.onUpgrade);
  }

  private async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const onError = () => socket.destroy();
    socket.on('error', onError);
    try {
      const { userId, since } = target(request);
      const { principal, credential } = await this.authenticate(request, userId);
      this.refuseTooMany(principal, userId);
      socket.off('error', onError);
      this.wss.handleUpgrade(request, socket, head, (ws) => this.connected(ws, new Session(ws, principal, credential, userId, originOf(request)), since));
    } catch (error) {
      refuse(socket, toUmpireError(error));
    }
  }

  private async authenticate(request: IncomingMessage, userId: string): Promise<{ principal: Principal; credential: Credential }> {
    const credential = readCredential(request);
    if (!credential) throw new UmpireError('unauthenticated', 'send Authorization: Bearer <key>, or sign in first');
    if (credential.kind === 'session') {
      // Browsers always name the page that opens a socket; a cookie without it proves nothing.
      if (request.headers.origin === undefined) throw new UmpireError('cross_site', 'a session needs the Origin of its own pages');
      refuseCrossSite(request);
    }
    const principal = await this.parts.authenticator.authenticate(credential);
    if (!principal) throw new UmpireError('unauthenticated', 'this credential is not known, has expired or was revoked');
    if (!mayWatch(principal, userId)) throw new UmpireError('forbidden', 'only your own items, or an administrator\'s look at anybody\'s');
    return { principal, credential };
  }

  private refuseTooMany({ namespace }: Principal, userId: string): void {
    const { hub, maxSockets } = this.parts;
    if (this.stopping || this.connections >= maxSockets) throw new UmpireError('unavailable', 'no room for another socket here');
    if (hub.countOf(namespace, userId) >= MAX_SOCKETS_PER_PERSON) throw new UmpireError('rate_limited', `at most ${MAX_SOCKETS_PER_PERSON} sockets a person`);
  }

  private connected(ws: WebSocket, session: Session, since: string | null): void {
    const { hub, opening } = this.parts;
    session.beatAt = performance.now() + this.parts.heartbeatMs;
    // The first look was answered from what may have been kept for five seconds: asked anew at the next tick.
    session.recheckAt = performance.now();
    let said = { count: 0, since: performance.now() };
    ws.on('message', (data, isBinary) => {
      const now = performance.now();
      if (now - said.since > RATE_MS) said = { count: 0, since: now };
      said.count += 1;
      if (said.count > MAX_MESSAGES || isBinary) return session.end(CLOSE.policy, isBinary ? 'text only' : 'too many messages');
      this.hear(session, data);
    });
    ws.on('pong', () => (session.alive = true));
    // A protocol fault of the client: ws closes by itself.
    ws.on('error', () => undefined);
    this.connections += 1;
    ws.once('close', (code) => {
      this.connections -= 1;
      hub.remove(session);
      this.open.set(hub.size);
      this.ended.inc({ code });
    });
    if (this.stopping) return session.end(CLOSE.goingAway, 'stopping: come back');
    void opening.open(session, since).then(() => this.open.set(hub.size));
  }

  private hear(session: Session, data: RawData): void {
    session.alive = true;
    const text = (data as Buffer).toString();
    if (text === 'ping') return session.send('pong');
    const message = parseMessage(text);
    if (message?.type === 'ping') return session.send('{"type":"pong"}');
    const id = message?.interaction_id;
    if (message?.type === 'subscribe' && typeof id === 'string' && id.length <= 512) return void this.parts.opening.subscribe(session, id);
    if (message?.type === 'unsubscribe' && typeof id === 'string') return this.parts.hub.unsubscribe(session, id);
    session.send(JSON.stringify({ type: 'error', code: 'bad_request', detail: 'ping, or {"type":"subscribe"|"unsubscribe","interaction_id":…}' }));
  }

  /** Pings, and asks again who stands behind each socket: spread over time, since each began at another. */
  private sweep(): void {
    const now = performance.now();
    for (const session of this.parts.hub.sessions()) {
      if (now >= session.beatAt) this.beat(session, now);
    }
    const due = [...this.parts.hub.sessions()].filter((session) => now >= session.recheckAt);
    if (due.length > 0 && !this.rechecking) this.rechecking = this.recheck(due, now).finally(() => (this.rechecking = null));
  }

  private beat(session: Session, now: number): void {
    session.beatAt = now + this.parts.heartbeatMs;
    if (!session.alive) return session.ws.terminate();
    session.alive = false;
    session.ws.ping();
  }

  /** Asks about all that are due in few questions: thousands of sockets cost the store some index look-ups a second. */
  private async recheck(sessions: Session[], now: number): Promise<void> {
    let principals: (Principal | null)[];
    try {
      principals = await this.parts.authenticator.recheck(sessions.map(({ credential }) => credential));
    } catch (error) {
      // Nobody can say now; the store that is away sends nothing either. Asked again at the next tick.
      this.parts.logger.warn({ err: error, sockets: sessions.length }, 'sockets_not_rechecked');
      return;
    }
    sessions.forEach((session, index) => {
      session.recheckAt = now + this.recheckIn(session);
      this.apply(session, principals[index]!);
    });
  }

  /** A token cannot be taken back, it can only end. */
  private recheckIn({ principal, credential }: Session): number {
    if (principal.auth !== 'jwt') return this.parts.recheckMs;
    return Math.max(0, Math.min(TOKEN_RECHECK_MS, credentialEnd(credential) - this.parts.clock.now()));
  }

  private apply(session: Session, principal: Principal | null): void {
    if (!principal || principal.namespace !== session.namespace || !mayWatch(principal, session.viewer.userId)) return session.end(CLOSE.credentialEnded, 'the credential has ended');
    this.parts.hub.reindex(session, () => session.renew(principal));
  }
}

/** Where a socket was opened from, for the read log. */
function originOf({ socket, headers }: IncomingMessage) {
  const forwarded = headers['x-forwarded-for'];
  return {
    address: socket.remoteAddress ?? null,
    forwarded_for: forwarded === undefined ? null : String(forwarded).slice(0, 200),
    trace_id: /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(String(headers['traceparent'] ?? ''))?.[1] ?? null,
  };
}

const mayWatch = ({ roles, user_id: own }: Principal, userId: string): boolean => roles.includes('admin') || (roles.includes('reviewer') && own === userId);

function target(request: IncomingMessage): { userId: string; since: string | null } {
  const url = URL.parse(request.url ?? '', 'http://any');
  const match = url && request.method === 'GET' ? PATH.exec(url.pathname) : null;
  if (!url || !match) throw new UmpireError('not_found', 'no socket is served here');
  try {
    return { userId: decodeURIComponent(match[1]!), since: url.searchParams.get('since') || null };
  } catch {
    throw new UmpireError('bad_request', 'the user id is not percent-encoded');
  }
}

const PHRASES: Record<number, string> = { 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 429: 'Too Many Requests', 500: 'Internal Server Error', 503: 'Service Unavailable' };

/** Answers an upgrade with problem details, as any other request. */
function refuse(socket: Duplex, error: UmpireError): void {
  const body = JSON.stringify(error.toProblem());
  const retry = error.status === 503 || error.status === 429 ? 'retry-after: 1\r\n' : '';
  socket.end(`HTTP/1.1 ${error.status} ${PHRASES[error.status] ?? 'Error'}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n${retry}\r\n${body}`);
}
