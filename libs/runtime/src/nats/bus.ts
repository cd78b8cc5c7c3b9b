import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager, type PubAck } from '@nats-io/jetstream';
import { NoRespondersError, RequestError, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { inboxPrefix, isOwnInbox, MAPPED_REPLY_PREFIX, namespaceOfSubject, UmpireError, type ErrorCode, type RequestSpec, type ServiceName } from '@umpire/contract';
import { isDataError, withDeadline } from '../postgres/connect.ts';
import type { Logger } from '../logger.ts';
import { currentTrace, inSpan, step, traceOfMessage, traceHeaders } from '../tracing/tracing.ts';
import { connectNats, type NatsLogin } from './connect.ts';
import { toHeaders } from './headers.ts';
import { StreamPublisher } from './stream-publisher.ts';

export type BusOptions = NatsLogin & {
  service: ServiceName;
  logger: Logger;
  /** The JetStream domain of our streams. */
  domain?: string | undefined;
  /** Put before every stream's name. */
  streamPrefix?: string;
  /** Copies of each stream; without it as many as it has. */
  replicas?: number | undefined;
  /** Whether it hears what it publishes itself, if it listens to that. */
  echo?: boolean;
  /** Whether this service makes and mends its streams and consumers, or only looks whether they are right. */
  topology?: 'ensure' | 'check';
};

/** Whether what `request` threw means that nobody listened: then nobody has done anything. */
export function isUnheard(error: unknown): boolean {
  const { cause } = error as { cause?: unknown };
  return cause instanceof NoRespondersError || (cause instanceof RequestError && cause.isNoResponders());
}

const ERROR_HEADER = 'Umpire-Error';
const MAX_CONCURRENT_REQUESTS = 512;
const ACK_MS = 5_000;

/** A service's connection to NATS: JetStream publishing, requests with deadlines, responders with reply checks. */
export class Bus {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly service: ServiceName;
  readonly streamPrefix: string;
  readonly replicas: number | undefined;
  readonly topology: 'ensure' | 'check';
  private readonly logger: Logger;
  private readonly publisher: StreamPublisher;

  private constructor(connection: NatsConnection, jsm: JetStreamManager, options: BusOptions) {
    this.connection = connection;
    this.js = jetstream(connection, { timeout: 5_000, ...inDomain(options.domain) });
    this.jsm = jsm;
    this.service = options.service;
    this.streamPrefix = options.streamPrefix ?? '';
    this.replicas = options.replicas;
    this.topology = options.topology ?? 'ensure';
    this.logger = options.logger;
    this.publisher = new StreamPublisher(connection, inboxPrefix.service(options.service), ACK_MS);
  }

  /** Connects, waiting for a server that is not up yet; afterwards reconnects for ever with jitter. */
  static async connect(options: BusOptions): Promise<Bus> {
    // The client waits for a server in silence; people who wait for the service should hear why.
    const waiting = setInterval(() => options.logger.warn({ server: withoutLogin(options.url) }, 'nats_not_reached_yet'), 2_000);
    const connection = await connectNats(options, {
      name: `umpire-${options.service}`,
      inboxPrefix: inboxPrefix.service(options.service),
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitter: 500,
      waitOnFirstConnect: true,
      pingInterval: 10_000,
      maxPingOut: 2,
      timeout: 5_000,
      noEcho: options.echo === false,
    }).finally(() => clearInterval(waiting));
    const bus = new Bus(connection, await jetstreamManager(connection, { checkAPI: false, timeout: 5_000, ...inDomain(options.domain) }), options);
    void bus.watch();
    return bus;
  }

  private async watch(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'ping' || status.type === 'update') continue;
      if (status.type === 'disconnect' || status.type === 'close') this.publisher.fail(`the connection was lost (${status.type})`);
      // We close only to stop; what the server takes away is reconnected for ever.
      this.logger[status.type === 'close' ? 'info' : 'warn']({ status: status.type, ...(status.type === 'error' ? { err: status.error } : {}) }, 'nats_status');
    }
  }

  /** @returns what a stream of the topology is called on this server. */
  streamName(name: string): string {
    return `${this.streamPrefix}${name}`;
  }

  get connected(): boolean {
    return !this.connection.isClosed() && !this.connection.isDraining();
  }

  /** Milliseconds to the server and back; rejects after 2 s. */
  async ping(): Promise<number> {
    return withDeadline(this.connection.rtt(), 2_000, 'nats ping');
  }

  /**
   * Publishes to a stream and waits for its ack (at most 5 s). Never throws at once.
   * @throws UmpireError `unavailable` when no ack came: the message may or may not be stored.
   */
  publish(subject: string, data: Uint8Array | string, { msgId, headers }: { msgId?: string; headers?: Record<string, string> } = {}): Promise<PubAck> {
    return this.publisher.publish(subject, data, msgId === undefined ? headers : { ...headers, 'Nats-Msg-Id': msgId });
  }

  /** Publishes without an ack: hints and answers only. */
  hint(subject: string, data: Uint8Array | string = ''): void {
    this.connection.publish(subject, data);
  }

  /**
   * Asks another service.
   * @throws UmpireError with the responder's code, or `unavailable` when nobody answered in time.
   */
  async request(subject: string, data: Uint8Array | string, timeoutMs: number): Promise<Uint8Array> {
    return step(`request ${subject}`, { kind: 'client', attributes: { 'messaging.system': 'nats', 'messaging.destination.name': subject } }, async () => {
      let reply: Msg;
      const trace = currentTrace();
      try {
        reply = await this.connection.request(subject, data, { timeout: timeoutMs, ...(trace === undefined ? {} : { headers: toHeaders(traceHeaders(trace)) }) });
      } catch (error) {
        throw new UmpireError('unavailable', `no answer on ${subject}: ${(error as Error).message}`, { cause: error });
      }
      const code = reply.headers?.get(ERROR_HEADER);
      if (code) throw new UmpireError(code as ErrorCode, reply.string());
      return reply.data;
    });
  }

  async requestJson<Reply>(subject: string, body: unknown, timeoutMs: number): Promise<Reply> {
    return JSON.parse(new TextDecoder().decode(await this.request(subject, JSON.stringify(body), timeoutMs))) as Reply;
  }

  /**
   * Answers a request of the topology as one of its queue group. A request whose reply subject is outside the asker's own inbox
   * is dropped and logged; one above the concurrency bound is answered `unavailable`.
   * @returns a function that stops answering and waits for what is in flight.
   */
  respond(spec: RequestSpec, handler: (data: Uint8Array, subject: string) => Promise<Uint8Array | string>): () => Promise<void> {
    let inFlight = 0;
    const whenNone: (() => void)[] = [];
    const subscription = this.connection.subscribe(spec.subject, {
      queue: spec.queue,
      callback: (error, message) => {
        if (error || !message.reply) return;
        if (!this.mayAnswer(spec, message)) {
          this.logger.warn({ subject: message.subject, reply: message.reply }, 'reply_subject_refused');
          return;
        }
        if (inFlight >= MAX_CONCURRENT_REQUESTS) return void this.refuse(message, new UmpireError('unavailable', 'too many requests in flight'));
        inFlight += 1;
        void this.answer(message, handler).finally(() => {
          inFlight -= 1;
          if (inFlight === 0) for (const done of whenNone.splice(0)) done();
        });
      },
    });
    return async () => {
      // Drain waits for the server's round trip; a connection that is already gone has nothing left to drain.
      await withDeadline(subscription.drain(), 2_000, 'subscription drain').catch(() => undefined);
      if (inFlight > 0) await new Promise<void>((resolve) => whenNone.push(resolve));
    };
  }

  /** Until the server has taken in what was sent, subscriptions too: 2 s at most, since one that is away is told of them when it is back. */
  async flush(): Promise<void> {
    await withDeadline(this.connection.flush(), 2_000, 'nats flush').catch(() => undefined);
  }

  /** Subscribes without answering. */
  listen(subject: string, handler: (data: Uint8Array, subject: string) => void): () => void {
    const subscription = this.connection.subscribe(subject, { callback: (error, message) => (error ? undefined : handler(message.data, message.subject)) });
    return () => subscription.unsubscribe();
  }

  async close(): Promise<void> {
    await withDeadline(this.connection.drain(), 3_000, 'nats drain').catch(() => this.connection.close());
  }

  private mayAnswer(spec: RequestSpec, message: Msg): boolean {
    const reply = message.reply!;
    return spec.askers.some((asker) => {
      if (asker !== 'producer') return reply.startsWith(`${inboxPrefix.service(asker)}.`);
      // From a namespace's own account: the server takes the answer there and nowhere else. Without accounts: by the prefix.
      if (reply.startsWith(MAPPED_REPLY_PREFIX)) return true;
      const namespace = namespaceOfSubject(message.subject);
      return namespace !== null && isOwnInbox(reply, namespace);
    });
  }

  private async answer(message: Msg, handler: (data: Uint8Array, subject: string) => Promise<Uint8Array | string>): Promise<void> {
    try {
      const trace = traceOfMessage(message);
      const answer = () => handler(message.data, message.subject);
      message.respond(trace === undefined ? await answer() : await inSpan(`answer ${message.subject}`, { kind: 'server', parent: trace }, answer));
    } catch (error) {
      this.refuse(message, error);
    }
  }

  private refuse(message: Msg, error: unknown): void {
    const known = error instanceof UmpireError ? error : isDataError(error) ? new UmpireError('bad_request', 'the database refuses what was asked for') : new UmpireError('unavailable', 'the responder failed', { cause: error });
    if (!(error instanceof UmpireError)) this.logger.error({ err: error, subject: message.subject }, 'request_failed');
    try {
      message.respond(known.message, { headers: toHeaders({ [ERROR_HEADER]: known.code }) });
    } catch (closed) {
      this.logger.warn({ err: closed, subject: message.subject }, 'reply_not_sent');
    }
  }
}

const inDomain = (domain: string | undefined) => (domain === undefined ? {} : { domain });

function withoutLogin(url: string): string {
  return url.replace(/\/\/[^@/,]*@/g, '//');
}
