import { UmpireError } from '@umpire/contract';
import { counter, delay, gauge, isDataError, newId, transaction, withDeadline, type Logger, type Sql } from '@umpire/runtime';
import { createHash } from 'node:crypto';
import { insertReads, keepReads, lockReads, type ReadRow, type WaitingRead } from './read-log.queries.ts';

/** Reads that may wait to be written down. */
const CAPACITY = 20_000;
const BATCH = 500;
/** How long a read waits for room before it is refused. ms. */
const ROOM_WITHIN_MS = 2_000;
const WRITE_MS = 10_000;
const AGAIN_MS = 250;
/** Behind the answers: from one batch to the next, unless it would be full. Nobody waits for it, and a batch costs a commit however few it holds. */
const REST_MS = 20;
/** How long a stop waits for what is not written yet, ms. */
const DRAIN_MS = 5_000;

/** Who reads, and from where. */
export type Reader = Pick<ReadRow, 'user_id' | 'key_id' | 'auth' | 'address' | 'forwarded_for' | 'trace_id'>;

/** What was read: one escalation by id, or a list by what was asked and what it showed. */
export type Read =
  | { what: 'item' | 'status' | 'timeline' | 'explain' | 'outcome' | (string & {}); request_id: string }
  | { what: 'pending' | 'list' | (string & {}); asked: object; shown: string[]; subject_user?: string };

export type ReadLogOptions = { sql: Sql; logger: Logger; days: number; mode: 'behind' | 'before'; writeMs?: number };
type Waiting = WaitingRead & { done: () => void };

const written = counter('umpire_store_reads_logged_total', 'Reads of content written to the read log');
const refused = counter('umpire_store_reads_refused_total', 'Reads refused because the read log had no room');
const lost = counter('umpire_store_reads_unwritable_total', 'Reads that the database refused to hold; each is in the service log instead');
const waiting = gauge('umpire_store_reads_waiting', 'Reads that wait to be written down');

/**
 * The read log: who was shown what. Content is handed out only once its read has a place here. Mode `behind` keeps that place in
 * memory and writes in batches behind the answer, so a kill -9 loses the few hundredths of a second that were not written yet; mode `before`
 * answers after the write. When there is no room the read waits, and is refused after two seconds: nothing is read unlogged. A write whose end
 * was not heard of is tried again under the same ids and times, one attempt at a time: each read stands in the log once.
 */
export class ReadLog {
  private readonly options: ReadLogOptions;
  private readonly capacity: number;
  private readonly writer = newId();
  private queue: Waiting[] = [];
  private room: (() => void)[] = [];
  private writing: Promise<void> | null = null;
  private readonly stopping = new AbortController();

  constructor(options: ReadLogOptions, capacity = CAPACITY) {
    this.options = options;
    this.capacity = capacity;
  }

  /**
   * Has a read written down. Resolves when the content may be handed out.
   * @throws UmpireError `unavailable` when there is no room
   */
  async note(namespace: string, reader: Reader, via: ReadRow['via'], read: Read): Promise<void> {
    if (this.queue.length >= this.capacity) await this.waitForRoom();
    const kept = new Promise<void>((resolve) => this.queue.push({ id: newId(), at: null, row: rowOf(namespace, reader, via, read), done: resolve }));
    waiting.set(this.queue.length);
    this.writing ??= this.write();
    if (this.options.mode === 'before') await withDeadline(kept, WRITE_MS, 'read log');
  }

  /** Makes the partitions that come, and drops those whose time is over. @returns how many were dropped */
  upkeep(): Promise<number> {
    return keepReads(this.options.sql, this.options.days);
  }

  /** Writes what still waits. What cannot be written in time is counted in the log. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await withDeadline(this.writing ?? Promise.resolve(), DRAIN_MS, 'read log').catch(() => undefined);
    if (this.queue.length > 0) this.options.logger.error({ reads: this.queue.length }, 'reads_not_written');
  }

  private async waitForRoom(): Promise<void> {
    const free = Promise.withResolvers<void>();
    this.room.push(free.resolve);
    await withDeadline(free.promise, ROOM_WITHIN_MS, 'read log').catch(() => {
      // Whoever has given up must neither be kept nor take the room of one that still waits.
      const place = this.room.indexOf(free.resolve);
      if (place >= 0) this.room.splice(place, 1);
      refused.inc();
      throw new UmpireError('unavailable', 'this read cannot be recorded now, so it is not answered; try again', { extra: { retry_after: 1 } });
    });
  }

  private async write(): Promise<void> {
    while (this.queue.length > 0) {
      const batch = this.queue.slice(0, BATCH);
      try {
        await this.insert(batch);
        this.settle(batch);
        if (this.options.mode === 'behind' && this.queue.length < BATCH) await delay(REST_MS, this.stopping.signal);
      } catch (error) {
        if (isDataError(error)) await this.writeEach(batch);
        else if (this.stopping.signal.aborted) break;
        else {
          this.options.logger.warn({ err: error, reads: this.queue.length }, 'reads_wait');
          await delay(AGAIN_MS);
        }
      }
    }
    this.writing = null;
  }

  /** One row that the database refuses must not hold up the others. */
  private async writeEach(batch: typeof this.queue): Promise<void> {
    for (const one of batch) {
      try {
        await this.insert([one]);
      } catch (error) {
        if (!isDataError(error)) return;
        lost.inc();
        this.options.logger.error({ err: error, read: one.row }, 'read_unwritable');
      }
      this.settle([one]);
    }
  }

  /**
   * An attempt that nobody waits for any more may still be on its way. It holds the lock, or finds its rows: they keep the time that the first
   * attempt gave them.
   */
  private insert(batch: Waiting[]): Promise<void> {
    return transaction(this.options.sql, this.options.writeMs ?? WRITE_MS, async (tx) => {
      const now = await lockReads(tx, this.writer);
      await insertReads(tx, batch.map((one) => Object.assign(one, { at: one.at ?? now })));
    });
  }

  private settle(batch: typeof this.queue): void {
    this.queue.splice(0, batch.length);
    written.inc(batch.length);
    waiting.set(this.queue.length);
    for (const { done } of batch) done();
    for (const free of this.room.splice(0, Math.max(0, this.capacity - this.queue.length))) free();
  }
}

function rowOf(namespace: string, reader: Reader, via: ReadRow['via'], read: Read): ReadRow {
  const base = { namespace, via, what: read.what, ...reader };
  if ('request_id' in read) return { ...base, request_id: read.request_id, shown: [], subject_user: null, filter_digest: null };
  return { ...base, request_id: null, shown: read.shown, subject_user: read.subject_user ?? null, filter_digest: filterDigest(read.asked) };
}

/** @returns hex SHA-256 of a question: the same for the same filters, whatever the order of their names */
export function filterDigest(asked: object): string {
  const entries = Object.entries(asked).filter(([, value]) => value !== undefined && value !== null).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex');
}
