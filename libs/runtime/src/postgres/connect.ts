import { readFileSync } from 'node:fs';
import postgres from 'postgres';
import { backoffDelay } from '../backoff.ts';
import type { Logger } from '../logger.ts';

export type Sql = postgres.Sql<{ bigint: bigint }>;
export type Tx = postgres.TransactionSql<{ bigint: bigint }>;
/** What query functions take, so that they compose into transactions. */
export type Query = Sql | Tx;

export type PostgresOptions = {
  url: string;
  max: number;
  service: string;
  logger: Logger;
  /** Further run-time settings of every connection, such as `synchronous_commit`. A pooled one has none. */
  settings?: Record<string, string | number | boolean>;
  /** PEM file of the authority behind the server's certificate; without it the URL's `sslmode` alone says. */
  tlsCa?: string | undefined;
  /** A pooler gives each transaction another session: nothing is prepared, and these are the role's own settings. */
  pooled?: boolean;
};

/**
 * A session's deadlines, ms, and no parallel workers: to start one takes longer than most of our statements, and it takes a processor from
 * those of others. Behind a pooler they are the role's: `provision` sets them there.
 */
export const SESSION_SETTINGS = { statement_timeout: 15_000, lock_timeout: 10_000, idle_in_transaction_session_timeout: 15_000, max_parallel_workers_per_gather: 0 } as const;

/** A pool of prepared-statement connections with deadlines on connecting, statements and idle transactions. */
export function connectPostgres({ url, max, service, logger, settings = {}, tlsCa, pooled = false }: PostgresOptions): Sql {
  return postgres(url, {
    max,
    connect_timeout: 5,
    // Seconds. The driver's own goes up to 20 s, which a server that is back should not have to wait for.
    backoff: (failures: number) => (failures === 0 ? 0 : backoffDelay(failures, { baseMs: 20, maxMs: 2_000 }) / 1_000),
    idle_timeout: 600,
    max_lifetime: 30 * 60,
    types: { bigint: postgres.BigInt },
    prepare: !pooled,
    // One query at a time on a connection: PgBouncer gives the server back behind the first's end, and what came with it gets no answer.
    ...((pooled ? { max_pipeline: 0 } : {}) as object),
    ...(tlsCa === undefined ? {} : { ssl: { ca: readFileSync(tlsCa, 'utf8'), rejectUnauthorized: true } }),
    connection: { application_name: `umpire-${service}`, ...(pooled ? {} : { ...SESSION_SETTINGS, ...settings }) },
    onnotice: (notice) => logger.debug({ notice }, 'postgres_notice'),
  }) as unknown as Sql;
}

/**
 * Runs a transaction with a deadline: postgres.js may never settle a query whose connection dropped, so the caller must not
 * wait for it longer than the server's own time-outs.
 * @throws DeadlineError after `deadlineMs`; the server rolls the transaction back by its own time-outs.
 */
export async function transaction<T>(sql: Sql, deadlineMs: number, work: (tx: Tx) => Promise<T>): Promise<T> {
  return withDeadline(sql.begin((tx) => work(tx as unknown as Tx)) as Promise<T>, deadlineMs, 'postgres transaction');
}

export class DeadlineError extends Error {
  constructor(what: string, ms: number) {
    super(`${what} took longer than ${ms} ms`);
    this.name = 'DeadlineError';
  }
}

/** @throws DeadlineError if the promise has not settled after `ms`. Its late rejection is swallowed. */
export async function withDeadline<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(what, ms)), ms);
  });
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** The database's clock as an expression: ms since the epoch, truncated, as it is when the row is read. */
export const databaseClock = (sql: Query) => sql`floor(extract(epoch from clock_timestamp()) * 1000)::float8`;

/** @returns the database's clock, ms since the epoch, truncated; taken when the statement runs, not at the transaction's start. */
export async function databaseNow(sql: Query): Promise<number> {
  const [row] = await sql<{ now: number }[]>`select ${databaseClock(sql)} as now`;
  return row!.now;
}

const READING_MS = 10_000;
/** What two clocks may drift apart in that time, and the part of a millisecond that a reading leaves out. */
const MARGIN_MS = 1;

/**
 * What the database's clock must show by now, going by when it was last read: behind it by as long as that answer was under way, and not
 * ahead of it unless it was set. So whoever writes such a time has the statement that writes it look at the clock as well.
 */
export class PresumedClock {
  private reading: { now: number; at: number } | null = null;

  /** Call with the clock's reading (ms since the epoch) as soon as it is there. */
  learn(now: number): void {
    const at = performance.now();
    const { reading } = this;
    // The one that was under way for the shortest time is the best, until it is old.
    if (reading === null || at - reading.at > READING_MS || now - at > reading.now - reading.at) this.reading = { now, at };
  }

  /** What was presumed proved wrong. */
  forget(): void {
    this.reading = null;
  }

  /** @returns ms since the epoch, or null if it was not read of late */
  presume(): number | null {
    if (this.reading === null) return null;
    const age = performance.now() - this.reading.at;
    return age > READING_MS ? null : Math.floor(this.reading.now + age) - MARGIN_MS;
  }
}

/**
 * Whether an error is about the data (SQLSTATE class 22 data exception, 23 integrity, 54 program limit) rather than about the
 * server: such a row is rejected, everything else is tried again.
 */
export function isDataError(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^(22|23|54)/.test(code) && code.length === 5;
}
