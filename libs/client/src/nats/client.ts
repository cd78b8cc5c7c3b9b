import { connect, type NatsConnection } from '@nats-io/transport-node';
import { inboxPrefix, subjects, UmpireError, type Interaction, type Reason } from '@umpire/contract';
import { cancelMessage, escalationMessage, interactionMessage, type Escalation } from '../messages.ts';
import { waitUntilSettled, type WaitOptions } from '../outcome-wait.ts';
import type { PipelineClient } from '../pipeline-client.ts';
import { Deadline, DEFAULT_RETRY, retrying, type CallOptions } from '../retry.ts';
import type { CancelReceipt, InteractionRequest, Receipt, SettledOutcome, StatusReply } from '../types.ts';
import type { NatsOptions } from './connection-file.ts';
import { checkReply, faultOf } from './errors.ts';
import { OutcomeReader, type OutcomeHandler, type OutcomesOptions } from './outcomes.ts';
import { Publisher } from './publisher.ts';
import { SettledWatch } from './settled-watch.ts';

export type SendOptions = CallOptions & {
  /** False only makes sure that the message is durable, which is faster; what is wrong with it then shows in the dead letters alone. */
  verdict?: boolean | undefined;
};

const TIMEOUT_MS = 30_000;
const ASK_MS = 3_000;

/** Umpire over NATS, for pipelines: what they ask is durable at once, and outcomes come as soon as they are there. */
export class UmpireNats implements PipelineClient {
  readonly connection: NatsConnection;
  private readonly options: NatsOptions;
  private readonly publisher: Publisher;
  private readonly closing = new AbortController();

  private constructor(connection: NatsConnection, options: NatsOptions) {
    this.connection = connection;
    this.options = options;
    this.publisher = new Publisher(connection, prefixOf(options), DEFAULT_RETRY);
    void connection.closed().then((error) => this.closing.abort(new UmpireError('unavailable', error ? `the connection was closed: ${error.message}` : 'this client was closed', { cause: error })));
  }

  /**
   * Connects, and from then on reconnects by itself for as long as the client is open.
   * @throws UmpireError `unauthenticated`, `unavailable`
   */
  static async connect(options: NatsOptions): Promise<UmpireNats> {
    const { servers, user, pass, name = 'umpire-client' } = options;
    try {
      const connection = await connect({
        servers, name, inboxPrefix: prefixOf(options), ...(user === undefined ? {} : { user }), ...(pass === undefined ? {} : { pass }),
        maxReconnectAttempts: -1, reconnectTimeWait: 250, reconnectJitter: 500, pingInterval: 10_000, maxPingOut: 2,
      });
      return new UmpireNats(connection, options);
    } catch (error) {
      throw faultOf(error, 'no connection to NATS');
    }
  }

  async namespace(): Promise<string> {
    return this.options.namespace;
  }

  /** Hands over a HITLRequest; durable when it returns. */
  async escalate(request: Escalation, { interaction, verdict, ...call }: SendOptions & { interaction?: Interaction } = {}): Promise<Receipt> {
    const message = escalationMessage(request, interaction);
    return this.submit(message.requestId, subjects.review(this.options.namespace, message.reason), message.body, { verdict, ...call });
  }

  /** Asks a pipeline's own question; durable when it returns. */
  async interact(request: InteractionRequest, options: SendOptions = {}): Promise<Receipt> {
    const message = interactionMessage(request);
    return this.submit(message.requestId, subjects.review(this.options.namespace, message.reason), message.body, options);
  }

  /**
   * Takes a question back, also one that has not arrived yet. Name its reason, if it is known: a cancel overtakes nothing in the queue of
   * its own reason.
   * @throws UmpireError `already_settled` with the outcome in `extra.outcome`, when it came too late
   */
  async cancel(requestId: string, { detail, reason, verdict = true, ...call }: SendOptions & { detail?: string; reason?: Reason } = {}): Promise<CancelReceipt> {
    const message = cancelMessage(requestId, { detail, reason });
    const subject = subjects.cancel(this.options.namespace, message.reason);
    const deadline = this.deadline(call);
    const { status } = verdict ? await this.publisher.publishForVerdict(subject, message.body, deadline) : await this.publisher.publish(subject, message.body, deadline);
    return { request_id: requestId, status: status as CancelReceipt['status'] };
  }

  /** @returns where an escalation stands, null for an id that is not known */
  async findStatus<Data = unknown>(requestId: string, call: CallOptions = {}): Promise<StatusReply<Data> | null> {
    const deadline = this.deadline(call);
    return retrying(deadline, DEFAULT_RETRY, () => true, () => this.ask<Data>(requestId, deadline));
  }

  /**
   * Waits for the outcome, for as long as the caller does: it hears of it at once, and finds it also if it came long before, while
   * nobody was listening, or while the line was cut.
   * @throws UmpireError `timeout`, `not_found`; the signal's reason
   */
  async waitForOutcome<Data = unknown>(requestId: string, options: WaitOptions = {}): Promise<SettledOutcome<Data>> {
    // Listening begins before the first question, so that nothing can happen between the two.
    const watch = new SettledWatch(this.connection, subjects.settled(this.options.namespace, requestId));
    try {
      return await waitUntilSettled<Data>(requestId, {
        ask: (deadline) => {
          watch.clear();
          return this.ask<Data>(requestId, deadline);
        },
        rest: (deadline) => watch.wait(deadline),
      }, { ...options, signal: this.until(options.signal) });
    } finally {
      watch.close();
    }
  }

  /**
   * Hands every outcome of the namespace to a handler, at least once, also those of a time when nobody read: the durable consumer
   * remembers. Acked once the handler is done; what it throws on comes again later. Deduplicate by `outcome.id`.
   */
  outcomes<Data = unknown>(handler: OutcomeHandler<Data>, options: OutcomesOptions = {}): OutcomeReader<Data> {
    const consumer = options.consumer ?? this.options.outcomeConsumer;
    if (!consumer) throw new UmpireError('not_found', 'no outcome consumer is named: UMPIRE_NAMESPACES declares them');
    const load = (requestId: string) => this.findStatus<Data>(requestId);
    return new OutcomeReader<Data>({ connection: this.connection, consumer, streamPrefix: this.options.streamPrefix, domain: this.options.domain, handler, load, parse: this.parse, options }).start();
  }

  /** Sends what is on its way, then closes. Whoever still waits gets `unavailable`. */
  async close(): Promise<void> {
    if (!this.connection.isClosed()) await this.connection.drain().catch(() => this.connection.close());
  }

  private async submit(requestId: string, subject: string, body: string, { verdict = true, ...call }: SendOptions): Promise<Receipt> {
    const deadline = this.deadline(call);
    const published = verdict ? await this.publisher.publishForVerdict(subject, body, deadline) : await this.publisher.publish(subject, body, deadline);
    return published.status === 'stored' ? { request_id: requestId, status: 'stored', duplicate: published.duplicate } : { request_id: requestId, status: 'queued' };
  }

  private async ask<Data>(requestId: string, deadline: Deadline): Promise<StatusReply<Data> | null> {
    const subject = subjects.queryOutcome(this.options.namespace);
    try {
      const reply = await deadline.within(this.connection.request(subject, JSON.stringify({ request_id: requestId }), { timeout: Math.max(1, Math.min(ASK_MS, deadline.leftMs)) }));
      checkReply(reply);
      const status = this.parse(reply.string()) as (Omit<StatusReply<Data>, 'status'> & { status: StatusReply['status'] | 'not_found' });
      return status.status === 'not_found' ? null : (status as StatusReply<Data>);
    } catch (error) {
      deadline.check(error);
      throw faultOf(error, `no answer on ${subject}`);
    }
  }

  private get parse(): (text: string) => unknown {
    return this.options.parse ?? JSON.parse;
  }

  private deadline({ signal, timeoutMs }: CallOptions): Deadline {
    return new Deadline({ signal: this.until(signal), timeoutMs: timeoutMs ?? this.options.timeoutMs ?? TIMEOUT_MS });
  }

  private until(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.closing.signal]) : this.closing.signal;
  }
}

const prefixOf = (options: NatsOptions): string => options.inboxPrefix ?? inboxPrefix.namespace(options.namespace);
