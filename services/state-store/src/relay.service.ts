import { encodeUtf8, subjects, UmpireError, type Outcome } from '@umpire/contract';
import { backoffDelay, Batcher, counter, delay, gauge, inSpan, Loop, NoAckError, Registry, traceHeaders, withDeadline, type Bus, type Logger, type Sql } from '@umpire/runtime';
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

/** What of an event is needed once it is published. */
type Row = Pick<OutboxItem, 'namespace' | 'request_id' | 'seq' | 'id' | 'type'>;

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
  private readonly turns = new Turns(MOST_UNACKED);
  /** Monotonic ms of the stream's last answer. */
  private heardAt = Number.NEGATIVE_INFINITY;
  private readonly onSettled: (namespace: string, requestId: string) => void;

  constructor(sql: Sql, bus: Bus, logger: Logger, onSettled: (namespace: string, requestId: string) => void) {
    this.sql = sql;
    this.bus = bus;
    this.logger = logger;
    this.onSettled = onSettled;
    this.forget = new Batcher<Row, void>(async (rows) => {
      await this.forgetWithRetry(rows);
      return rows.map(() => undefined);
    }, { items: 500, size: Number.MAX_SAFE_INTEGER, lanes: 1, restMs: FORGET_EVERY_MS });
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
    for (const item of items) if (!this.carried.has(item.id)) void this.carry(item);
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
    return { leased: items.length, carrying: items.filter((item) => !this.carried.has(item.id)).map((item) => this.carry(item)) };
  }

  /** @returns whether it is published and its row gone */
  private carry(item: OutboxItem): Promise<boolean> {
    const { namespace, request_id, seq, id, type } = item;
    this.carried.set(id, true);
    return this.seeTo({ namespace, request_id, seq, id, type }, this.publishInTurn(item));
  }

  /** Holds the row alone: what was published may be hundreds of kilobytes, and rows stay a while. */
  private async seeTo(row: Row, publishing: Promise<boolean>): Promise<boolean> {
    try {
      if (!(await publishing)) {
        leftWaiting.inc();
        return false;
      }
      await this.forget.add(row, 1);
      return true;
    } catch (error) {
      failures.inc();
      this.logger.warn({ err: error, type: row.type, seq: row.seq }, 'publish_failed');
      return false;
    } finally {
      this.carried.delete(row.id);
      if (this.carried.size === 0) for (const done of this.whenDone.splice(0)) done();
    }
  }

  /** @returns false if its turn did not come: it is the sweeper's then */
  private async publishInTurn(item: OutboxItem): Promise<boolean> {
    const size = sizeOf(item);
    this.underWay += size;
    try {
      if (!(await this.turns.begin())) return false;
      const event = this.publishEvent(item);
      await (hasOutcome(item) ? Promise.all([event, this.publishOutcome(item)]) : event);
      published.inc({ type: item.type }, 1);
      return true;
    } finally {
      this.underWay -= size;
    }
  }

  /** It has a turn, and gives it back. */
  private async publishEvent(item: OutboxItem): Promise<void> {
    const began = performance.now();
    try {
      await this.publishTraced(item, subjects.event(item.namespace, item.type, item.reason), eventMessage(item, item.reason, item.payload));
      this.heardAt = performance.now();
    } catch (error) {
      if (!((error as Error).cause instanceof NoAckError)) this.heardAt = performance.now();
      // Nothing was heard in all that time: whoever waits in line would only wait for one deadline after the other.
      else if (this.heardAt < began) this.turns.dismiss();
      throw error;
    } finally {
      this.turns.end();
    }
  }

  /** Of what settles. It has no turn: its stream is another one, and may be away while that of events is not. */
  private async publishOutcome(item: OutboxItem): Promise<void> {
    const outcome = outcomeText(item);
    if (outcome === null) return;
    await this.publishTraced(item, subjects.outcome(item.namespace, item.reason), encodeUtf8(outcome));
    // Not kept by any stream: a producer that listens there hears at once, one that does not reads the outcome elsewhere.
    if (item.reply_subject !== null) this.bus.hint(item.reply_subject, encodeUtf8(outcome));
  }

  private publishTraced({ id, trace }: OutboxItem, subject: string, data: Uint8Array): Promise<unknown> {
    if (trace === undefined) return this.bus.publish(subject, data, { msgId: id });
    return inSpan(`publish ${subject.split('.').slice(2, -1).join(' ')}`, { parent: trace, kind: 'producer', attributes: { 'messaging.system': 'nats', 'messaging.destination.name': subject, 'messaging.message.id': id } }, ({ context }) =>
      this.bus.publish(subject, data, { msgId: id, headers: traceHeaders(context) }));
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

/** @returns the outcome's JSON text as it stands in the event, or null. */
function outcomeText(item: OutboxItem): string | null {
  if (!hasOutcome(item)) return null;
  const outcome = (JSON.parse(item.data) as { outcome?: Outcome }).outcome;
  return outcome ? JSON.stringify(outcome) : null;
}
