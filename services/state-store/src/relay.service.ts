import { encodeUtf8, subjects, UmpireError, type Outcome } from '@umpire/contract';
import { backoffDelay, Batcher, counter, delay, gauge, inSpan, Loop, NoAckError, Registry, traceHeaders, withDeadline, type Bus, type Logger, type Sql, type TraceContext } from '@umpire/runtime';
import { eventMessage } from './event-record.ts';
import { deleteOutbox, leaseOutbox, outboxDepth, type OutboxItem } from './outbox.queries.ts';
import { Turns } from './turns.ts';

/** With this much on its way to JetStream the relay leaves new events to the sweeper: they are safe in the outbox. Bytes of payloads, characters of the rest. */
const MOST_UNDER_WAY = 16 * 1024 * 1024;
/**
 * Events without an ack at a time. The server stores all that has come for a stream, with a sync for each, before it sends what it has for others:
 * acks, and what consumers wait for. A thousand at once would keep all of them for half a second.
 */
const MOST_UNACKED = 256;
/** What waits longer than two seconds for its turn is every sweeper's as well. */
const MOST_IN_LINE = 4_096;
/** How long a stop lets those in line have their turn; then the next process's sweeper has them. One deadline of the broker's fits behind it. */
const STOP_GRACE_MS = 2_000;
const SWEEP_ITEMS = 500;
const SWEEP_EVERY_MS = 1_000;
/** What is published may stay in the outbox a little, long before the sweeper looks at it: many rows go with one statement. */
const FORGET_EVERY_MS = 50;

const published = counter('umpire_store_events_published_total', 'Events acknowledged by JetStream', ['type']);
const outboxWaiting = gauge('umpire_store_outbox_waiting', 'Events committed and not yet acknowledged by JetStream');
const outboxOldest = gauge('umpire_store_outbox_oldest_seconds', 'Age of the oldest of them');
const leftWaiting = counter('umpire_store_events_left_to_sweeper_total', 'Events that were not published right after their commit, since too much was on its way or the broker gave no acks');
const failures = counter('umpire_store_publish_failures_total', 'Publishes without an ack; the sweeper tries again');

/** What of an event is needed once it is published. `tell` is called when it and its row are done with, or given up. */
type Row = Pick<OutboxItem, 'namespace' | 'request_id' | 'seq' | 'id' | 'type'> & { tell: ((published: boolean) => void) | undefined };

/** What waits for its turn: messages as bytes, outside V8's heap, since what waits there outlives every young collection. */
type Carried = {
  row: Row;
  trace: TraceContext;
  subject: string;
  message: Uint8Array;
  outcome: OutcomeMessage | null;
  /** Of its content: bytes of the payload, characters of the rest. */
  size: number;
};

type OutcomeMessage = { subject: string; message: Uint8Array; replySubject: string | null };

const SENT = new Uint8Array();

/**
 * Carries committed events to JetStream: in process right after the commit, and by a sweeper for what a crash or an unreachable
 * broker left. An outbox row goes only after JetStream's ack; the event id is the message id, so the same event published twice
 * inside the stream's window is stored once, and outside it deduplicated by consumers.
 */
export class Relay {
  private readonly sql: Sql;
  private readonly bus: Bus;
  private readonly logger: Logger;
  private readonly forget: Batcher<Row, void>;
  private readonly sweeper: Loop;
  private readonly depth: Loop;
  /** Ids of what this process carries: until JetStream's ack, then until its row is gone. */
  private readonly carried = new Registry<true>();
  /** To be told when it carries nothing any more. */
  private readonly whenDone: (() => void)[] = [];
  private underWay = 0;
  private readonly turns = new Turns<Carried>(MOST_UNACKED, (event) => void this.publish(event), (event) => this.leave(event));
  /** Monotonic ms of the stream's last answer. */
  private heardAt = Number.NEGATIVE_INFINITY;
  private readonly onSettled: (namespace: string, requestId: string) => void;

  constructor(sql: Sql, bus: Bus, logger: Logger, onSettled: (namespace: string, requestId: string) => void) {
    this.sql = sql;
    this.bus = bus;
    this.logger = logger;
    this.onSettled = onSettled;
    this.forget = new Batcher<Row, void>((rows) => this.forgetAll(rows), { items: 500, size: Number.MAX_SAFE_INTEGER, lanes: 1, restMs: FORGET_EVERY_MS });
    this.sweeper = new Loop({ name: 'outbox-sweeper', intervalMs: SWEEP_EVERY_MS, runOnce: () => this.sweepOnce(), logger });
    this.depth = new Loop({ name: 'outbox-depth', intervalMs: 5_000, runOnce: () => this.measureOnce(), logger });
  }

  start(): void {
    this.sweeper.start();
    this.depth.start();
  }

  /** Finishes what is being published (the sweeper of the next process has the rest). */
  async stop(): Promise<void> {
    const late = setTimeout(() => this.turns.close(), STOP_GRACE_MS);
    await Promise.all([this.sweeper.stop(), this.depth.stop()]);
    if (this.carried.size > 0) await new Promise<void>((resolve) => this.whenDone.push(resolve));
    clearTimeout(late);
  }

  /** Events whose turn has not come. */
  get waiting(): number {
    return this.turns.waiting;
  }

  /** Publishes just committed events without making anyone wait for it. */
  publishSoon(items: OutboxItem[]): void {
    for (const item of items) if (hasOutcome(item)) this.settled(item);
    if (this.turns.waiting + items.length > MOST_IN_LINE || this.underWay + items.reduce((sum, item) => sum + sizeOf(item), 0) > MOST_UNDER_WAY) return leftWaiting.inc(items.length);
    // The sweeper may have it already, if the commit took so long.
    for (const item of items) if (!this.carried.has(item.id)) this.carry(item);
  }

  /** One sweep. @returns how many events it carried */
  async sweepOnce(): Promise<number> {
    const { leased, carrying } = await this.carryLeased();
    if (carrying.length === 0) return leased;
    const done = (await Promise.all(carrying)).filter(Boolean).length;
    this.logger.info({ leased: carrying.length, published: done }, 'outbox_swept');
    if (done === 0) throw new UmpireError('unavailable', 'no event of the outbox could be published');
    return done;
  }

  /** Begins with what the sweeper may have. The events themselves are held only by whoever publishes them. */
  private async carryLeased(): Promise<{ leased: number; carrying: Promise<boolean>[] }> {
    const items = await withDeadline(leaseOutbox(this.sql, SWEEP_ITEMS), 10_000, 'outbox lease');
    // What only waits for its turn here is late, not lost: to publish it again would make all of it later.
    const open = items.filter((item) => !this.carried.has(item.id));
    return { leased: items.length, carrying: open.map((item) => new Promise<boolean>((tell) => this.carry(item, tell))) };
  }

  private carry(item: OutboxItem, tell?: (published: boolean) => void): void {
    const { namespace, request_id, seq, id, type } = item;
    const row: Row = { namespace, request_id, seq, id, type, tell };
    this.carried.set(id, true);
    try {
      const event: Carried = { row, trace: item.trace, subject: subjects.event(namespace, type, item.reason), message: eventMessage(item, item.reason, item.payload), outcome: outcomeOf(item), size: sizeOf(item) };
      this.underWay += event.size;
      this.turns.take(event);
    } catch (error) {
      this.fail(row, error);
    }
  }

  /** Its turn has come. What was sent is held no longer: it may be hundreds of kilobytes, and if no ack comes the outbox has it. Never rejects. */
  private async publish(event: Carried): Promise<void> {
    try {
      const acked = this.publishEvent(event);
      event.message = SENT;
      await (event.outcome === null ? acked : both(acked, this.publishOutcome(event.row.id, event.trace, event.outcome)));
      published.inc({ type: event.row.type }, 1);
      void this.forget.add(event.row, 1);
    } catch (error) {
      this.fail(event.row, error);
    } finally {
      this.underWay -= event.size;
    }
  }

  /** Its turn does not come: it is the sweeper's then. */
  private leave(event: Carried): void {
    this.underWay -= event.size;
    leftWaiting.inc();
    this.end(event.row, false);
  }

  private fail(row: Row, error: unknown): void {
    failures.inc();
    this.logger.warn({ err: error, id: row.id, type: row.type, seq: row.seq }, 'publish_failed');
    this.end(row, false);
  }

  private end({ id, tell }: Row, done: boolean): void {
    this.carried.delete(id);
    tell?.(done);
    if (this.carried.size === 0) for (const whenDone of this.whenDone.splice(0)) whenDone();
  }

  /** It has a turn, and gives it back: a publish rejects, and never throws at once. */
  private publishEvent({ row, trace, subject, message }: Carried): Promise<void> {
    const began = performance.now();
    return this.publishTraced(row.id, trace, subject, message).then(() => this.acked(), (error: unknown) => this.unacked(error, began));
  }

  private acked(): void {
    this.heardAt = performance.now();
    this.turns.end();
  }

  /** @param began when it was sent, monotonic ms @throws the error */
  private unacked(error: unknown, began: number): never {
    if (!((error as Error).cause instanceof NoAckError)) this.heardAt = performance.now();
    // Nothing was heard in all that time: whoever waits in line would only wait for one deadline after the other.
    else if (this.heardAt < began) this.turns.dismiss();
    this.turns.end();
    throw error;
  }

  /** Of what settles. It has no turn: its stream is another one, and may be away while that of events is not. */
  private async publishOutcome(id: string, trace: TraceContext, { subject, message, replySubject }: OutcomeMessage): Promise<void> {
    await this.publishTraced(id, trace, subject, message);
    // Not kept by any stream: a producer that listens there hears at once, one that does not reads the outcome elsewhere.
    if (replySubject !== null) this.bus.hint(replySubject, message);
  }

  private publishTraced(id: string, trace: TraceContext, subject: string, data: Uint8Array): Promise<unknown> {
    if (trace === undefined) return this.bus.publish(subject, data, { msgId: id });
    return inSpan(`publish ${subject.split('.').slice(2, -1).join(' ')}`, { parent: trace, kind: 'producer', attributes: { 'messaging.system': 'nats', 'messaging.destination.name': subject, 'messaging.message.id': id } }, ({ context }) =>
      this.bus.publish(subject, data, { msgId: id, headers: traceHeaders(context) }));
  }

  /** Never rejects. */
  private async forgetAll(rows: Row[]): Promise<void[]> {
    try {
      await this.forgetWithRetry(rows);
    } catch (error) {
      return rows.map((row) => this.fail(row, error));
    }
    return rows.map((row) => this.end(row, true));
  }

  /** A failed delete is only a second publish under the same id, so a few tries are enough. */
  private async forgetWithRetry(rows: Row[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await withDeadline(deleteOutbox(this.sql, rows), 5_000, 'outbox delete');
      } catch (error) {
        if (attempt >= 3) throw error;
        await delay(backoffDelay(attempt, { baseMs: 50, maxMs: 500 }));
      }
    }
  }

  /** Wakes who waits for the outcome, here and at the other replicas. A lost hint costs them one polling interval. */
  private settled(item: OutboxItem): void {
    this.onSettled(item.namespace, item.request_id);
    try {
      this.bus.hint(subjects.settled(item.namespace, item.request_id));
    } catch (error) {
      this.logger.debug({ err: error }, 'settled_hint_not_sent');
    }
  }

  private async measureOnce(): Promise<number> {
    const { waiting, oldest_seconds } = await withDeadline(outboxDepth(this.sql), 5_000, 'outbox depth');
    outboxWaiting.set(waiting);
    outboxOldest.set(oldest_seconds);
    return 0;
  }
}

const sizeOf = (item: OutboxItem) => item.data.length + (item.payload?.length ?? 0);

const SETTLING: ReadonlySet<string> = new Set(['resolved', 'expired', 'cancelled']);
const hasOutcome = (item: OutboxItem) => SETTLING.has(item.type);

/** @returns the outcome as it stands in the event, and where it goes; null for what settles nothing */
function outcomeOf(item: OutboxItem): OutcomeMessage | null {
  if (!hasOutcome(item)) return null;
  const { outcome } = JSON.parse(item.data) as { outcome?: Outcome };
  return outcome ? { subject: subjects.outcome(item.namespace, item.reason), message: encodeUtf8(JSON.stringify(outcome)), replySubject: item.reply_subject } : null;
}

/** Waits for both, whatever becomes of one. @throws what the first of them rejected with */
async function both(...promises: [Promise<unknown>, Promise<unknown>]): Promise<void> {
  const lost = (await Promise.allSettled(promises)).find((result) => result.status === 'rejected');
  if (lost) throw lost.reason;
}
