import { idToken } from '@umpire/contract';
import { counter, type Logger } from '@umpire/runtime';
import { Redis } from 'ioredis';
import type { HotRow } from './read.queries.ts';
import { tlsOptions, type RedisServer } from './redis-server.ts';

const reads = counter('umpire_store_cache_reads_total', 'Rendered escalations asked of the cache; kept: of a page that this process had just shown', ['result']);

/** Counts what needed no look into the cache, since this process still had it. */
export const countKept = (renderings: number) => reads.inc({ result: 'kept' }, renderings);

/** After a failure the cache is left alone this long: reads must not wait for a server that is away. */
const REST_MS = 1_000;

/** Old renderings wait so long for others to be dropped with, or until there are so many. */
const DROP_MS = 1_000;
const DROPPED_AT_ONCE = 1_000;

/**
 * Rendered escalations in Redis, read-through. An entry carries the version (`seq`) it was made from, and is used only for that
 * very version, which the caller has just read from Postgres: a stale, missing or lost entry changes speed, never an answer.
 */
export class RenderingCache {
  private readonly redis: Redis | null;
  private readonly prefix: string;
  private readonly seconds: number;
  private readonly now: () => number;
  private restUntil = 0;
  private readonly old = new Set<string>();
  private dropping: NodeJS.Timeout | undefined;

  constructor(options: RedisServer & { prefix: string; seconds: number; logger: Logger; now: () => number }) {
    this.prefix = options.prefix;
    this.seconds = options.seconds;
    this.now = options.now;
    // From zero: what appears with its first read would not be seen to rise.
    for (const result of ['hit', 'kept', 'miss', 'error']) reads.inc({ result }, 0);
    this.redis = options.url === undefined ? null : new Redis(options.url, {
      ...tlsOptions(options),
      lazyConnect: false,
      enableOfflineQueue: false,
      connectTimeout: 2_000,
      commandTimeout: 250,
      maxRetriesPerRequest: 0,
      retryStrategy: (times) => Math.min(times * 200, 3_000),
    });
    this.redis?.on('error', (error) => options.logger.debug({ err: error }, 'redis_error'));
  }

  /** @returns the rendering of each row's version, in order, as its bytes; null where there is none. */
  async get(rows: HotRow[]): Promise<(Buffer | null)[]> {
    const none = rows.map(() => null);
    if (rows.length === 0 || !this.usable()) return none;
    try {
      const entries = await this.redis!.mgetBuffer(rows.map((row) => this.key(row)));
      const found = entries.map((entry, index) => (entry === null ? null : ofVersion(entry, rows[index]!.seq)));
      const hits = found.reduce((count, entry) => (entry === null ? count : count + 1), 0);
      if (hits > 0) reads.inc({ result: 'hit' }, hits);
      if (hits < found.length) reads.inc({ result: 'miss' }, found.length - hits);
      return found;
    } catch {
      this.rest();
      return none;
    }
  }

  /** Keeps renderings; a failure is nobody's concern. */
  async put(entries: { row: HotRow; text: string }[]): Promise<void> {
    if (entries.length === 0 || !this.usable()) return;
    try {
      const pipeline = this.redis!.pipeline();
      for (const { row } of entries) this.old.delete(this.key(row));
      for (const { row, text } of entries) pipeline.set(this.key(row), `${row.seq}\n${text}`, 'EX', this.seconds);
      await pipeline.exec();
    } catch {
      this.rest();
    }
  }

  /** Drops renderings that a commit made old, with others, within a second: frees memory early, correctness does not need it. */
  dropSoon(rows: Pick<HotRow, 'namespace' | 'request_id'>[]): void {
    if (!this.usable()) return;
    for (const row of rows) this.old.add(this.key(row));
    if (this.old.size >= DROPPED_AT_ONCE) void this.dropOld();
    else if (this.old.size > 0) this.dropping ??= setTimeout(() => void this.dropOld(), DROP_MS);
  }

  /** Drops renderings at once: what was erased is not to be kept. */
  drop(rows: Pick<HotRow, 'namespace' | 'request_id'>[]): Promise<void> {
    return this.remove(rows.map((row) => this.key(row)));
  }

  async close(): Promise<void> {
    await this.dropOld();
    this.redis?.disconnect();
  }

  private dropOld(): Promise<void> {
    clearTimeout(this.dropping);
    this.dropping = undefined;
    const keys = [...this.old];
    this.old.clear();
    return this.remove(keys);
  }

  private async remove(keys: string[]): Promise<void> {
    if (keys.length === 0 || !this.usable()) return;
    try {
      await this.redis!.del(keys);
    } catch {
      this.rest();
    }
  }

  private key(row: Pick<HotRow, 'namespace' | 'request_id'>): string {
    return `${this.prefix}${row.namespace}:item:${idToken(row.request_id)}`;
  }

  private usable(): boolean {
    return this.redis !== null && this.redis.status === 'ready' && this.now() >= this.restUntil;
  }

  private rest(): void {
    reads.inc({ result: 'error' });
    this.restUntil = this.now() + REST_MS;
  }
}

function ofVersion(entry: Buffer, seq: number): Buffer | null {
  const version = `${seq}\n`;
  return entry.toString('latin1', 0, version.length) === version ? entry.subarray(version.length) : null;
}
