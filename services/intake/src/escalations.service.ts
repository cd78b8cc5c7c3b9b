import { HEADERS, parseReviewSubject, subjects, UmpireError, type Principal, type SubmitItem } from '@umpire/contract';
import { inSpan, newId, traceHeaders, type Bus, type Logger } from '@umpire/runtime';
import type { AnswerInbox } from './answer.inbox.ts';
import { answerOf, faultsOf, type Answer } from './answer.ts';
import { refuse } from './dead-letter.ts';
import type { DirectSubmissions } from './direct.service.ts';
import type { IntakeConfig } from './intake.config.ts';
import { acceptedTotal, postsTotal } from './intake.metrics.ts';
import { idOfIdempotencyKey } from './interaction-id.ts';
import { codeOf } from './message/errors.ts';
import { readMessage, type PolicyFinder, type ReadMessage } from './message/read-message.ts';
import { toSubmission } from './submission.ts';
import { noteTaken } from './taken.ts';

/** What a producer is told at once. `queued`: durable in the stream, the store has not answered yet. */
export type Receipt =
  | { request_id: string; status: 'stored'; duplicate: boolean }
  | { request_id: string; status: 'cancelled' | 'tombstoned'; duplicate: false }
  | { request_id: string | null; status: 'queued' };

/** JetStream's "maximum messages (per subject) exceeded". */
const STREAM_FULL = new Set([10_077]);
const FULL_RETRY_SECONDS = 5;

/**
 * Takes posted messages: checked here, so that a producer hears of every fault at once, then handed to the store. What the store does
 * not answer, and what leans on being delivered again, is put into the review stream like any other: 202 means committed or durable.
 */
export class EscalationsService {
  private readonly inFlight = new Map<string, number>();
  private readonly bus: Bus;
  private readonly inbox: AnswerInbox;
  private readonly direct: DirectSubmissions;
  private readonly logger: Logger;
  private readonly policyFor: PolicyFinder;
  private readonly followsTasks: (namespace: string) => boolean;
  private readonly config: IntakeConfig;
  private readonly now: () => number;

  constructor(deps: { bus: Bus; inbox: AnswerInbox; direct: DirectSubmissions; logger: Logger; policyFor: PolicyFinder; followsTasks: (namespace: string) => boolean; config: IntakeConfig; now: () => number }) {
    this.bus = deps.bus;
    this.inbox = deps.inbox;
    this.direct = deps.direct;
    this.logger = deps.logger;
    this.policyFor = deps.policyFor;
    this.followsTasks = deps.followsTasks;
    this.config = deps.config;
    this.now = deps.now;
  }

  /**
   * @param body the message's bytes, in any of the forms that the stream takes
   * @param idempotencyKey names an interaction that brings no id of its own: the same key is the same interaction
   * @param onDeprecated called if the message is in an old form, whatever becomes of it
   * @throws UmpireError `malformed_json`, `too_large`, `invalid`, `unsupported`, `reason_mismatch` with every field at fault;
   *   `id_conflict`; `already_settled` with the outcome, for a cancel that came late; `rate_limited`; `unavailable`
   */
  submit({ namespace }: Principal, body: Uint8Array, idempotencyKey: string | undefined, onDeprecated: () => void): Promise<Receipt> {
    return this.counted(namespace, () => this.take(namespace, body, idempotencyKey, onDeprecated));
  }

  /**
   * Puts the bytes of a message that was refused into the stream again, where they came from.
   * @param subject of the caller's namespace
   * @returns what becomes of it now; `request_id` is null if it is queued and names no id
   * @throws UmpireError `unsupported` for what did not come from the review stream; else as `submit`
   */
  redrive({ namespace }: Principal, subject: string, body: Uint8Array): Promise<Receipt> {
    const parsed = parseReviewSubject(subject);
    if (parsed?.namespace !== namespace) throw new UmpireError('unsupported', `what was on ${subject} cannot be sent again`);
    return this.counted(namespace, async () => {
      const read = readMessage(body, { namespace, subject: parsed, submission: '', interactionId: () => '', now: this.now }, () => null);
      return this.publish({ namespace, subject, body, headers: {}, requestId: (read.ok ? read.item.request_id : read.requestId) || null }, this.config.verdictWaitMs);
    });
  }

  private async counted(namespace: string, work: () => Promise<Receipt>): Promise<Receipt> {
    if (!(namespace in this.config.namespaces)) throw new UmpireError('forbidden', `the namespace ${namespace} is not declared here`);
    const running = this.inFlight.get(namespace) ?? 0;
    if (running >= this.config.maxInFlight) {
      postsTotal().inc({ result: 'rate_limited' });
      throw new UmpireError('rate_limited', `${running} messages of this namespace are being taken; try again`, { extra: { retry_after: 1 } });
    }
    this.inFlight.set(namespace, running + 1);
    try {
      const receipt = await work();
      postsTotal().inc({ result: 'duplicate' in receipt && receipt.duplicate ? 'duplicate' : receipt.status });
      return receipt;
    } catch (error) {
      postsTotal().inc({ result: error instanceof UmpireError ? error.code : 'internal' });
      throw error;
    } finally {
      this.inFlight.set(namespace, (this.inFlight.get(namespace) ?? 1) - 1);
    }
  }

  private async take(namespace: string, body: Uint8Array, idempotencyKey: string | undefined, onDeprecated: () => void): Promise<Receipt> {
    const waitEnds = performance.now() + this.config.verdictWaitMs;
    const submission = `http-${newId()}:0@${this.now()}000000`;
    let made: string | null = null;
    const read = readMessage(body, {
      namespace,
      subject: null,
      submission,
      interactionId: () => (made = idempotencyKey === undefined ? newId() : idOfIdempotencyKey(namespace, idempotencyKey)),
      now: this.now,
    }, this.policyFor);
    if (read.deprecated !== undefined) onDeprecated();
    if (!read.ok) {
      throw new UmpireError(codeOf(read.errors), refusalText(read.errors.length), { errors: read.errors, extra: { request_id: read.requestId } });
    }
    const posted: Posted = { namespace, subject: subjectOf(read.item), body, headers: made === null ? {} : { [HEADERS.interactionId]: made }, requestId: read.item.request_id };
    const answer = this.standsAlone(read.item) ? await this.submitDirectly(posted, read) : 'unsent';
    if (typeof answer !== 'string') return receiptOf(posted.requestId, answer);
    // The store may have it already: what it says of the one from the stream would not be what it says of this post.
    return this.publish(posted, answer === 'unsent' ? waitEnds - performance.now() : 0);
  }

  /**
   * Whether nothing else follows from it than that it is stored. What a newer evaluation of a task does to earlier ones goes by the
   * place of each in the stream, and is made good by the next delivery if the store ends on the way; a cancel goes behind what it cancels.
   */
  private standsAlone(item: SubmitItem): boolean {
    return item.type !== 'cancel' && !this.followsTasks(item.namespace);
  }

  /** Hands it to the store. What the store refuses gets its dead letter before the producer hears of it. */
  private async submitDirectly(posted: Posted, read: ReadMessage): Promise<Answer | 'unsent' | 'unknown'> {
    const { namespace, reason, submission } = read.item;
    const told = await this.direct.submit(toSubmission(read.item, read.payload));
    if (typeof told === 'string') return told;
    noteTaken(read, submission, this.logger);
    acceptedTotal().inc({ namespace, reason, status: told.status });
    const errors = faultsOf(told);
    if (errors === null) return answerOf(told);
    const answer = { ...answerOf(told), errors };
    await refuse(this.bus, this.logger, { namespace, reason, subject: posted.subject, submission, data: posted.body, errors }, answer);
    return answer;
  }

  /**
   * Puts it into the stream, and waits up to `waitMs` for the verdict of whoever takes it from there. Without a message id: a publish
   * that the stream took for a repeat would get none.
   */
  private async publish({ namespace, subject, body, headers, requestId }: Posted, waitMs: number): Promise<Receipt> {
    const expected = this.inbox.expect(namespace);
    try {
      await inSpan('intake publish', { kind: 'producer', attributes: { 'messaging.system': 'nats', 'messaging.destination.name': subject } }, ({ context }) =>
        this.bus.publish(subject, body, { headers: { ...headers, ...traceHeaders(context), [HEADERS.replyTo]: expected.subject } }));
    } catch (error) {
      expected.forget();
      const code = ((error as Error).cause as { code?: unknown } | undefined)?.code;
      if (typeof code !== 'number' || !STREAM_FULL.has(code)) throw error;
      throw new UmpireError('unavailable', `the queue of ${subject.split('.').at(-1)} is full; try again later`, { extra: { retry_after: FULL_RETRY_SECONDS }, cause: error });
    }
    if (waitMs > 0) return receiptOf(requestId, await expected.within(waitMs));
    expected.forget();
    return receiptOf(requestId, null);
  }
}

/** A message as it goes into the stream, or would; `requestId` is null if it names none. */
type Posted = { namespace: string; subject: string; body: Uint8Array; headers: Record<string, string>; requestId: string | null };

function subjectOf({ type, namespace, reason }: SubmitItem): string {
  return type === 'cancel' ? subjects.cancel(namespace, reason) : subjects.review(namespace, reason);
}

function receiptOf(sentId: string | null, answer: Answer | null): Receipt {
  if (answer === null) return { request_id: sentId, status: 'queued' };
  const requestId = sentId ?? answer.request_id ?? '';
  switch (answer.status) {
    case 'stored':
      return { request_id: requestId, status: 'stored', duplicate: answer.duplicate };
    case 'cancelled':
    case 'tombstoned':
      return { request_id: requestId, status: answer.status, duplicate: false };
    case 'late':
      throw new UmpireError('already_settled', 'the cancel came after the outcome', { extra: { request_id: requestId, ...(answer.outcome ? { outcome: answer.outcome } : {}) } });
    case 'conflict':
      throw new UmpireError('id_conflict', undefined, { ...(answer.errors ? { errors: answer.errors } : {}), extra: { request_id: requestId } });
    case 'rejected':
      throw new UmpireError(codeOf(answer.errors ?? []), refusalText(answer.errors?.length ?? 0), { errors: answer.errors ?? [], extra: { request_id: requestId } });
  }
}

function refusalText(faults: number): string {
  return faults === 1 ? 'one thing is wrong with the message; see errors' : `${faults} things are wrong with the message; see errors`;
}
