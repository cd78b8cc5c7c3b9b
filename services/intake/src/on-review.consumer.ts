import type { JsMsg } from '@nats-io/jetstream';
import { durableConsumers, HEADERS, isOwnInbox, LIMITS, parseReviewSubject, REASONS, type FieldError, type Namespaces, type Reason } from '@umpire/contract';
import { DurableConsumer, inBatch, traceOfMessage, withDeadline, type Bus, type Logger, type Sql, type TraceContext } from '@umpire/runtime';
import type { AnswerInbox } from './answer.inbox.ts';
import { answerOf, faultsOf, type Answer } from './answer.ts';
import { refuse } from './dead-letter.ts';
import { acceptedTotal, batchMessages, poisonTotal } from './intake.metrics.ts';
import { noteTaken } from './taken.ts';
import { idFromHeaders, idOfSubmission } from './interaction-id.ts';
import { readMessage, type PolicyFinder, type ReadMessage, type RefusedMessage } from './message/read-message.ts';
import type { StoreClient } from './store.client.ts';
import { toSubmission, withTrace, type Submission } from './submission.ts';
import { clearSuspect, noteSuspect } from './suspect.queries.ts';

/**
 * A message that was handed out this often and never got a verdict is suspected: reading it may be what ends the process. Restarts
 * during an outage look the same, so it is noted that it is being read.
 */
const SUSPECTED_AFTER = 10;
/** Reading it was the last thing that this many processes did: it is refused unread. */
const MOST_DEATHS = 3;
const STATEMENT_MS = 5_000;

type Subject = { namespace: string; verb: 'review' | 'cancel'; reason: Reason };
type Accepted = Submission & { message: JsMsg };

/**
 * Takes review messages of one namespace and reason from the stream to the state store: read, refuse what is wrong, submit the rest,
 * and be done with a batch only when each message's verdict and what follows from it (a dead letter, an answer) are out.
 *
 * A store or stream that is away is a throw: the durable consumer keeps the batch alive and hands it over again. What was settled
 * before the throw is skipped then.
 */
export class ReviewHandler {
  private readonly settled = new WeakSet<JsMsg>();
  /** Suspects that this process has noted. Postgres may fail it again and again: what it survives ends no process. */
  private readonly noted = new WeakSet<JsMsg>();
  private readonly bus: Bus;
  private readonly answers: AnswerInbox;
  private readonly store: StoreClient;
  private readonly sql: Sql;
  private readonly policyFor: PolicyFinder;
  private readonly logger: Logger;
  private readonly now: () => number;

  constructor(deps: { bus: Bus; answers: AnswerInbox; store: StoreClient; sql: Sql; policyFor: PolicyFinder; logger: Logger; now: () => number }) {
    this.bus = deps.bus;
    this.answers = deps.answers;
    this.store = deps.store;
    this.sql = deps.sql;
    this.policyFor = deps.policyFor;
    this.logger = deps.logger;
    this.now = deps.now;
  }

  /** @throws UmpireError `unavailable` while the store or the dead letters' stream gives no answer; what Postgres throws, if a message is suspected */
  async handle(messages: JsMsg[]): Promise<void> {
    const open = messages.filter((message) => !this.settled.has(message));
    batchMessages().observe(open.length);
    const causes = open.map(traceOfMessage);
    await inBatch('intake take', causes, { kind: 'consumer', begin: true, attributes: { 'messaging.system': 'nats' } }, (traces) => this.take(open, traces));
  }

  private async take(open: JsMsg[], traces: TraceContext[]): Promise<void> {
    const accepted: Accepted[] = [];
    const refusals: Promise<void>[] = [];
    for (const [index, message] of open.entries()) {
      const read = message.info.deliveryCount > SUSPECTED_AFTER ? await this.readSuspect(message) : this.read(message);
      noteTaken(read, submissionOf(message), this.logger);
      if (read.ok) accepted.push({ message, ...withTrace(toSubmission(read.item, read.payload), traces[index]) });
      else refusals.push(this.reject(message, read.errors, { request_id: read.requestId, status: 'rejected', duplicate: false, errors: read.errors }));
    }
    await Promise.all(refusals);
    const [first] = accepted;
    if (first) await this.submitAll(first.reason, accepted);
  }

  /** @throws what Postgres throws: it is not read then */
  private async readSuspect(message: JsMsg): Promise<ReadMessage | RefusedMessage> {
    const submission = submissionOf(message);
    const again = this.noted.has(message);
    this.noted.add(message);
    const reads = await withDeadline(noteSuspect(this.sql, submission, again), STATEMENT_MS, 'suspect');
    const subject = parseReviewSubject(message.subject);
    if (reads > MOST_DEATHS && subject !== null) {
      poisonTotal().inc({ namespace: subject.namespace, reason: subject.reason });
      return refused(subject.reason, 'poison', `ended ${MOST_DEATHS} processes that read it`);
    }
    const read = this.read(message);
    await withDeadline(clearSuspect(this.sql, submission), STATEMENT_MS, 'suspect');
    return read;
  }

  private read(message: JsMsg): ReadMessage | RefusedMessage {
    const subject = parseReviewSubject(message.subject);
    if (subject === null) return refused('unknown', 'not_allowed', 'is on a subject that is not for reviews');
    try {
      return readMessage(message.data, originOf(message, subject, this.now), this.policyFor);
    } catch (error) {
      // A fault of ours in reading one message must not hold up the rest of its reason.
      this.logger.error({ err: error, submission: submissionOf(message) }, 'message_not_read');
      return refused(subject.reason, 'internal', 'could not be read; it has been logged');
    }
  }

  /** Frames go one after the other, so that a cancel stays behind what it cancels. */
  private async submitAll(reason: Reason, accepted: Accepted[]): Promise<void> {
    for (let done = 0; done < accepted.length; ) {
      const rest = accepted.slice(done);
      const verdicts = await this.store.submit(reason, rest);
      await Promise.all(verdicts.map(async (verdict, index) => {
        const { message, namespace } = rest[index]!;
        acceptedTotal().inc({ namespace, reason, status: verdict.status });
        const faults = faultsOf(verdict);
        if (faults) return this.reject(message, faults, { ...answerOf(verdict), errors: faults });
        this.settle(message, answerOf(verdict));
      }));
      done += verdicts.length;
    }
  }

  /** Dead letter first, then the answer: whoever hears of the refusal finds it. */
  private async reject(message: JsMsg, errors: FieldError[], answer: Answer): Promise<void> {
    const subject = parseReviewSubject(message.subject);
    const namespace = subject?.namespace ?? message.subject.split('.')[1] ?? '';
    const reason = subject?.reason ?? 'unknown';
    await refuse(this.bus, this.logger, { namespace, reason, subject: message.subject, submission: submissionOf(message), data: message.data, errors }, answer);
    this.settle(message, answer);
  }

  private settle(message: JsMsg, answer: Answer): void {
    const replyTo = message.headers?.get(HEADERS.replyTo);
    const namespace = parseReviewSubject(message.subject)?.namespace;
    if (replyTo && namespace !== undefined) {
      if (isOwnInbox(replyTo, namespace)) this.answers.send(replyTo, answer);
      else this.logger.warn({ namespace, submission: submissionOf(message) }, 'reply_subject_refused');
    }
    this.settled.add(message);
  }
}

function refused(reason: Reason | 'unknown', code: string, message: string): RefusedMessage {
  return { ok: false, requestId: null, reason, errors: [{ path: '', code, message }] };
}

/**
 * Names one message and no other, the same at every delivery: place in the stream and time of storing, since a stream that was lost
 * and made again counts from one again.
 */
const submissionOf = (message: JsMsg) => `${message.info.stream}:${message.seq}@${message.timestampNanos}`;

function originOf(message: JsMsg, { namespace, verb, reason }: Subject, now: () => number) {
  const submission = submissionOf(message);
  return {
    namespace,
    subject: { verb, reason },
    submission,
    interactionId: () => idFromHeaders(message.headers) ?? idOfSubmission(namespace, submission),
    now,
  };
}

/** @returns the durable consumers of these namespaces, one for each reason: a flood of one delays no other. */
export function reviewConsumers(namespaces: Namespaces, bus: Bus, handler: ReviewHandler, logger: Logger): DurableConsumer[] {
  // From zero: what appears with its first poison message would not be seen to rise.
  for (const namespace of Object.keys(namespaces)) for (const reason of REASONS) poisonTotal().inc({ namespace, reason }, 0);
  const specs = durableConsumers(namespaces).filter((spec) => spec.reader === 'intake');
  return specs.map((spec) => new DurableConsumer({
    bus, spec, logger, maxItems: LIMITS.batchItems, maxBytes: LIMITS.batch, remakeFrom: 'beginning', handle: (messages) => handler.handle(messages),
  }));
}
