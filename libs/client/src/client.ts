import { UmpireError, type Assignees, type Interaction, type Reason, type UiSchema } from '@umpire/contract';
import { Audit } from './admin/audit.ts';
import { Channels } from './admin/channels.ts';
import { Identity } from './admin/identity.ts';
import { Policies } from './admin/policies.ts';
import { ReadLog } from './admin/read-log.ts';
import { Rejected } from './admin/rejected.ts';
import { Session } from './admin/session.ts';
import { Timers } from './admin/timers.ts';
import { Webhooks } from './admin/webhooks.ts';
import { steadyClock } from './clock.ts';
import { cursorInLink, type Page, type PageOptions } from './http/pages.ts';
import { idPath, namePath } from './http/path.ts';
import { HttpTransport, type Repeat, type TransportOptions } from './http/transport.ts';
import { Inbox, type InboxOptions } from './inbox.ts';
import { cancelMessage, escalationMessage, interactionMessage, type Escalation } from './messages.ts';
import { waitUntilSettled, type WaitOptions } from './outcome-wait.ts';
import type { PipelineClient } from './pipeline-client.ts';
import type { CallOptions } from './retry.ts';
import type {
  Accepted, BulkAnswer, BulkReply, CancelReceipt, EscalationItem, Explanation, InteractionRequest, ListFilter, Oversight, Permit, Receipt, RespondReply, SettledOutcome, SignedReceipt, Stats, StatusReply, TimelineEntry,
} from './types.ts';

export type ClientOptions = TransportOptions;
/** A command goes through only while the escalation is still the version (`seq`) that the caller saw. */
export type CommandOptions = CallOptions & { ifMatch?: number | undefined };

/** Longest that the server is asked to wait for an outcome, seconds: shorter than what proxies allow. */
const SERVER_WAIT_SECONDS = 25;
/** An answer that says pending sooner than this was not waited for; asking again at once would be a busy loop. */
const SHORT_REST_MS = 1_000;

/**
 * Umpire over HTTP, for pipelines, reviewers and administrators, in Node and in browsers. What a call may do is up to the credential.
 * Every call can be aborted and has a time limit; what is safe to repeat is repeated; refusals are `UmpireError`s with the server's code.
 */
export class UmpireClient implements PipelineClient {
  readonly audit: Audit;
  readonly channels: Channels;
  readonly identity: Identity;
  readonly policies: Policies;
  readonly readLog: ReadLog;
  readonly rejected: Rejected;
  readonly session: Session;
  readonly timers: Timers;
  readonly webhooks: Webhooks;
  readonly transport: HttpTransport;

  constructor(options: ClientOptions) {
    this.transport = new HttpTransport(options);
    this.audit = new Audit(this.transport);
    this.channels = new Channels(this.transport);
    this.identity = new Identity(this.transport);
    this.policies = new Policies(this.transport);
    this.readLog = new ReadLog(this.transport);
    this.rejected = new Rejected(this.transport);
    this.session = new Session(this.transport);
    this.timers = new Timers(this.transport);
    this.webhooks = new Webhooks(this.transport);
  }

  /** The namespace that the credential belongs to. */
  async namespace(call?: CallOptions): Promise<string> {
    return (await this.session.who(call)).namespace;
  }

  // For pipelines

  /** Hands over a HITLRequest. Repeating it is harmless: the same id and content again is `duplicate`. */
  async escalate(request: Escalation, { interaction, ...call }: CallOptions & { interaction?: Interaction } = {}): Promise<Receipt> {
    return this.submit(escalationMessage(request, interaction).body, call);
  }

  /** Asks a pipeline's own question. */
  async interact(request: InteractionRequest, call?: CallOptions): Promise<Receipt> {
    return this.submit(interactionMessage(request).body, call);
  }

  /**
   * Takes a question back, also one that has not arrived yet.
   * @throws UmpireError `already_settled` with the outcome in `extra.outcome`, when it came too late
   */
  async cancel(requestId: string, { detail, reason, ...call }: CallOptions & { detail?: string; reason?: Reason } = {}): Promise<CancelReceipt> {
    return this.submit(cancelMessage(requestId, { detail, reason }).body, call);
  }

  /**
   * Any message of the contract as it is. One without an id needs an idempotency key to be repeatable: the client makes one.
   * @throws UmpireError `invalid` and its kin naming every field at fault, `id_conflict`, `too_large`, `rate_limited`, `unavailable`
   */
  submit<T = Receipt>(message: object | string, { idempotencyKey = crypto.randomUUID(), ...call }: CallOptions & { idempotencyKey?: string } = {}): Promise<T> {
    return this.transport.json({ method: 'POST', path: '/api/escalations', body: message, headers: { 'idempotency-key': idempotencyKey }, repeat: 'always' }, call);
  }

  /** @throws UmpireError `not_found` */
  status<Data = unknown>(requestId: string, { waitSeconds = 0, ...call }: CallOptions & { waitSeconds?: number } = {}): Promise<StatusReply<Data>> {
    const query = waitSeconds > 0 ? { wait: waitSeconds } : {};
    return this.transport.json({ method: 'GET', path: `/hitl/status/${idPath(requestId)}`, query, repeat: 'always', waitMs: waitSeconds * 1_000 }, call);
  }

  async findStatus<Data = unknown>(requestId: string, call?: CallOptions & { waitSeconds?: number }): Promise<StatusReply<Data> | null> {
    try {
      return await this.status<Data>(requestId, call);
    } catch (error) {
      if (error instanceof UmpireError && error.code === 'not_found') return null;
      throw error;
    }
  }

  /**
   * Waits for the outcome, for as long as the caller does; it is found also if it came long before. A server that is away is waited for.
   * @throws UmpireError `timeout`, `not_found`, `forbidden`; the signal's reason
   */
  waitForOutcome<Data = unknown>(requestId: string, options: WaitOptions = {}): Promise<SettledOutcome<Data>> {
    let asked = 0;
    return waitUntilSettled<Data>(requestId, {
      ask: (deadline) => {
        asked = steadyClock();
        const waitSeconds = Math.min(SERVER_WAIT_SECONDS, Math.floor(deadline.leftMs / 1_000));
        return this.findStatus<Data>(requestId, { signal: deadline.signal, timeoutMs: Math.min(deadline.leftMs, (waitSeconds + 15) * 1_000), waitSeconds });
      },
      rest: (deadline) => deadline.wait(Math.max(0, SHORT_REST_MS * (0.5 + Math.random()) - (steadyClock() - asked))),
    }, options);
  }

  /** Puts other data or another form before the people; what they said of the older one stops counting. */
  revise(requestId: string, change: { current_result?: unknown; review_data?: Record<string, unknown>; ui_schema?: UiSchema; prompt?: string; detail?: string }, options?: CommandOptions): Promise<Accepted> {
    return this.command(requestId, 'revise', change, options);
  }

  /** The one-shot permit to run an approved action: the same for the same consumer, refused to everybody else. */
  consume(requestId: string, permit: { consumer_id: string; action_digest: string }, options?: CommandOptions): Promise<Permit> {
    return this.command(requestId, 'consume', permit, options, 'always');
  }

  // For reviewers

  /** What waits for a person, oldest first. `userId` must be the credential's own, but for an administrator who looks. */
  async pending<Data = unknown>(userId: string, { limit, after, ...call }: PageOptions & CallOptions = {}): Promise<Page<EscalationItem<Data>>> {
    const reply = await this.transport.send({ method: 'GET', path: `/hitl/pending/${namePath(userId)}`, query: { limit, after }, repeat: 'always' }, call);
    return { items: this.transport.read(reply), next: cursorInLink(reply) };
  }

  /**
   * Answers. Committed when it returns; the same person repeating the same answer gets the first reply again, so it may be repeated.
   * @param revision the one that the person was shown: a newer one refuses the answer
   * @throws UmpireError `invalid` naming each field, `already_settled` and `deadline_passed` with the real outcome, `claimed_by_other`, …
   */
  respond(requestId: string, userInput: Record<string, unknown>, { revision, userId, ifMatch, ...call }: CommandOptions & { revision?: number; userId?: string } = {}): Promise<RespondReply> {
    const body = { interaction_id: requestId, user_input: userInput, revision, user_id: userId };
    return this.transport.json({ method: 'POST', path: '/hitl/respond', body, headers: ifMatchOf(ifMatch), repeat: 'always' }, call);
  }

  /** Up to a hundred answers, each with its own result; a refusal of one touches no other. */
  bulkRespond(answers: BulkAnswer[], call?: CallOptions): Promise<BulkReply> {
    return this.transport.json({ method: 'POST', path: '/hitl/bulk/respond', body: { items: answers }, repeat: 'always' }, call);
  }

  /** Escalations by what they are, a page at a time: all of the namespace for producers and administrators, for reviewers what they may read. */
  list<Data = unknown>({ limit, after, ...filter }: ListFilter & PageOptions = {}, call?: CallOptions): Promise<Page<EscalationItem<Data>>> {
    return this.transport.json({ method: 'GET', path: '/hitl/escalations', query: { ...filter, limit, after }, repeat: 'always' }, call);
  }

  /** Why it is pending, who can still decide, what fires next and when. */
  explain(requestId: string, call?: CallOptions): Promise<Explanation> {
    return this.transport.json({ method: 'GET', path: `/hitl/escalations/${idPath(requestId)}/explain`, repeat: 'always' }, call);
  }

  /** The person's inbox, live over a WebSocket: the list, then what is new, what has changed and what is over. */
  subscribe<Data = unknown>(userId: string, options: InboxOptions<Data>): Inbox<Data> {
    const probe = (call: CallOptions) => this.pending(userId, { limit: 1, ...call });
    return new Inbox<Data>({ url: this.transport.url, userId, authorization: () => this.transport.authorization(), probe }, options);
  }

  /** @throws UmpireError `not_found`, `forbidden` */
  get<Data = unknown>(requestId: string, call?: CallOptions): Promise<EscalationItem<Data>> {
    return this.transport.json({ method: 'GET', path: `/hitl/escalations/${idPath(requestId)}`, repeat: 'always' }, call);
  }

  /** What happened, in order, with actors. */
  timeline(requestId: string, { limit, after, ...call }: PageOptions & CallOptions = {}): Promise<Page<TimelineEntry>> {
    return this.transport.json({ method: 'GET', path: `/hitl/escalations/${idPath(requestId)}/timeline`, query: { limit, after }, repeat: 'always' }, call);
  }

  /**
   * The signed receipt of an outcome: a JWS that verifies with the keys of `audit.publicKeys()`.
   * @throws UmpireError `conflict` while it is pending, `erased`
   */
  receipt(requestId: string, call?: CallOptions): Promise<SignedReceipt> {
    return this.transport.json({ method: 'GET', path: `/hitl/escalations/${idPath(requestId)}/receipt`, repeat: 'always' }, call);
  }

  claim(requestId: string, { seconds, ...options }: CommandOptions & { seconds?: number } = {}): Promise<Accepted> {
    return this.command(requestId, 'claim', { seconds }, options, 'always');
  }

  release(requestId: string, options?: CommandOptions): Promise<Accepted> {
    return this.command(requestId, 'release', {}, options);
  }

  reassign(requestId: string, change: { to: Assignees; from?: string; detail?: string }, options?: CommandOptions): Promise<Accepted> {
    return this.command(requestId, 'reassign', change, options);
  }

  /** Lets somebody else answer from one's own seat for a while; `to: null` ends it. */
  delegate(requestId: string, change: { to: string | null; until?: string; seconds?: number; detail?: string }, options?: CommandOptions): Promise<Accepted> {
    return this.command(requestId, 'delegate', change, options);
  }

  raise(requestId: string, change: { to?: Assignees; detail?: string } = {}, options?: CommandOptions): Promise<Accepted> {
    return this.command(requestId, 'raise', change, options);
  }

  /** Silences one's own reminders; moves no deadline. */
  snooze(requestId: string, until: { until: string } | { seconds: number }, options?: CommandOptions): Promise<Accepted> {
    return this.command(requestId, 'snooze', until, options);
  }

  comment(requestId: string, text: string, options?: CommandOptions): Promise<Accepted> {
    return this.command(requestId, 'comment', { text }, options);
  }

  /** Ends what is pending, for an administrator: unlike `cancel`, an id that is not known is `not_found`. */
  cancelPending(requestId: string, { detail, ...options }: CommandOptions & { detail?: string } = {}): Promise<Accepted> {
    return this.command(requestId, 'cancel', { detail }, options);
  }

  /** Volumes, times to decision, outcomes by source, load per reviewer. For administrators. */
  stats({ hours, ...call }: CallOptions & { hours?: number } = {}): Promise<Stats> {
    return this.transport.json({ method: 'GET', path: '/hitl/stats', query: { hours }, repeat: 'always' }, call);
  }

  /** How people decide: how fast, how often a deadline does it for them, with whom they agree, what was reversed. For administrators. */
  oversight({ days, wordsPerMinute, ...call }: CallOptions & { days?: number; wordsPerMinute?: number } = {}): Promise<Oversight> {
    return this.transport.json({ method: 'GET', path: '/hitl/stats/oversight', query: { days, words_per_minute: wordsPerMinute }, repeat: 'always' }, call);
  }

  // The contract, for any language

  /** The description of the HTTP API (OpenAPI 3.1). */
  openApi(call?: CallOptions): Promise<Record<string, unknown>> {
    return this.transport.json({ method: 'GET', path: '/openapi.json', repeat: 'always' }, call);
  }

  schemas(call?: CallOptions): Promise<Page<{ name: string; href: string }>> {
    return this.transport.json({ method: 'GET', path: '/schemas', repeat: 'always' }, call);
  }

  schema(name: string, call?: CallOptions): Promise<Record<string, unknown>> {
    return this.transport.json({ method: 'GET', path: `/schemas/${namePath(name)}.json`, repeat: 'always' }, call);
  }

  asyncApi(call?: CallOptions): Promise<Record<string, unknown>> {
    return this.transport.json({ method: 'GET', path: '/asyncapi.json', repeat: 'always' }, call);
  }

  /** The contract seed's `get_escalation_semantics()`, as this server understands it. */
  semantics(call?: CallOptions): Promise<Record<string, unknown>> {
    return this.transport.json({ method: 'GET', path: '/semantics.json', repeat: 'always' }, call);
  }

  private command<T>(requestId: string, name: string, body: object, { ifMatch, ...call }: CommandOptions = {}, repeat: Repeat = 'refused'): Promise<T> {
    return this.transport.json({
      method: 'POST', path: `/hitl/escalations/${idPath(requestId)}/${name}`, body, headers: ifMatchOf(ifMatch), repeat: ifMatch === undefined ? repeat : 'refused',
    }, call);
  }
}

const ifMatchOf = (seq: number | undefined): Record<string, string> => (seq === undefined ? {} : { 'if-match': `"${seq}"` });
