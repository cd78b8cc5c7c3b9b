import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import { createInbox, headers, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { HEADERS, sha256, toHex, UmpireError, type ErrorCode, type FieldError, type Outcome } from '@umpire/contract';
import { delay } from '../clock.ts';
import { retrying, type Deadline, type RetryPolicy } from '../retry.ts';
import { faultOf } from './errors.ts';

/** What intake tells whoever asked for a verdict. */
type Verdict = {
  request_id: string | null;
  status: 'stored' | 'conflict' | 'rejected' | 'cancelled' | 'late' | 'tombstoned';
  duplicate: boolean;
  errors?: FieldError[];
  outcome?: Outcome;
};

export type Published = { status: 'stored' | 'cancelled' | 'tombstoned'; duplicate: boolean } | { status: 'queued' };

/** How long a publish waits for the stream's ack before it is tried again, and then for the store's verdict. Milliseconds. */
const ACK_MS = 5_000;
const VERDICT_MS = 2_000;

/**
 * Publishes to the review stream. With a verdict, the caller learns what became of the message; without, only that it is durable, and
 * a repeat within the stream's window is dropped there.
 */
export class Publisher {
  private readonly connection: NatsConnection;
  private readonly js: JetStreamClient;
  private readonly inboxPrefix: string;
  private readonly retry: RetryPolicy;

  constructor(connection: NatsConnection, inboxPrefix: string, retry: RetryPolicy) {
    this.connection = connection;
    this.js = jetstream(connection, { timeout: ACK_MS });
    this.inboxPrefix = inboxPrefix;
    this.retry = retry;
  }

  /**
   * Durable when it returns. The id is a digest of subject and body, never the request's: other content under the same id must not be
   * taken for a repeat.
   */
  async publish(subject: string, body: string, deadline: Deadline): Promise<{ status: 'queued' }> {
    const msgID = toHex(sha256(`${subject}\n${body}`));
    await retrying(deadline, this.retry, () => true, () => this.attempt(subject, body, { msgID }, deadline));
    return { status: 'queued' };
  }

  /**
   * Publishes and waits a little for the store's verdict. It carries no message id: a repeat that the stream dropped would get none.
   * @throws UmpireError as a POST would: `invalid` and its kin, `id_conflict`, `already_settled`
   */
  async publishForVerdict(subject: string, body: string, deadline: Deadline): Promise<Published> {
    const inbox = createInbox(this.inboxPrefix);
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    const subscription = this.connection.subscribe(inbox, { max: 1, callback: (error, message) => (error ? undefined : resolve(message.json<Verdict>())) });
    const header = headers();
    header.set(HEADERS.replyTo, inbox);
    try {
      await retrying(deadline, this.retry, () => true, () => this.attempt(subject, body, { headers: header }, deadline));
      const verdict = await Promise.race([promise, delay(Math.min(VERDICT_MS, deadline.leftMs), deadline.signal).then(() => null)]);
      return verdict === null ? { status: 'queued' } : publishedAs(verdict);
    } finally {
      end(subscription);
    }
  }

  private async attempt(subject: string, body: string, options: { msgID?: string; headers?: ReturnType<typeof headers> }, deadline: Deadline): Promise<void> {
    try {
      await deadline.within(this.js.publish(subject, body, { ...options, timeout: Math.max(1, Math.min(ACK_MS, deadline.leftMs)), retries: 0 }));
    } catch (error) {
      deadline.check(error);
      throw faultOf(error, `${subject} gave no ack`);
    }
  }
}

function publishedAs(verdict: Verdict): Published {
  const extra = { request_id: verdict.request_id, ...(verdict.outcome ? { outcome: verdict.outcome } : {}) };
  switch (verdict.status) {
    case 'stored':
    case 'cancelled':
    case 'tombstoned':
      return { status: verdict.status, duplicate: verdict.duplicate };
    case 'late':
      throw new UmpireError('already_settled', 'the cancel came after the outcome', { extra });
    case 'conflict':
      throw new UmpireError('id_conflict', undefined, { errors: verdict.errors ?? [], extra });
    case 'rejected':
      throw new UmpireError(codeOf(verdict.errors ?? []), 'the message was refused; see errors', { errors: verdict.errors ?? [], extra });
  }
}

const UNREADABLE: ReadonlySet<string> = new Set(['invalid_json', 'invalid_utf8', 'too_deep']);

/** The one code for a list of errors, as POST chooses it. */
function codeOf(errors: readonly FieldError[]): ErrorCode {
  const codes = new Set(errors.map((error) => error.code));
  if (errors.some((error) => UNREADABLE.has(error.code))) return 'malformed_json';
  if (codes.has('too_large')) return 'too_large';
  if (codes.size !== 1) return 'invalid';
  return codes.has('reason_mismatch') ? 'reason_mismatch' : codes.has('unsupported') ? 'unsupported' : 'invalid';
}

function end(subscription: Subscription): void {
  if (!subscription.isClosed()) subscription.unsubscribe();
}
