import { createHash } from 'node:crypto';
import { backoffDelay } from '../backoff.ts';
import { delay } from '../clock.ts';
import type { Sql } from './connect.ts';
import { indexStatements, type Migration } from './migration-files.ts';

const LOCK_MS = 3_000;
const LOCK_TRIES = 20;
/** An index that is made concurrently keeps nobody waiting: it may wait long for transactions that began before it. */
const CONCURRENT_LOCK_MS = 600_000;
const TURN = { baseMs: 50, maxMs: 1_000 };
const LOCK_NOT_AVAILABLE = '55P03';

type Reserved = Awaited<ReturnType<Sql['reserve']>>;
type Applied = { number: number; checksum: string; breaking: boolean };

/**
 * Brings one component's schema forward: what has not been applied yet, by number. Each file is one transaction (or indexes made
 * concurrently, one by one); a lock makes it safe to run from several processes at once; nothing is ever undone. A database that is ahead,
 * by migrations that an older version can work beside, is left as it is.
 * @returns how many migrations were applied
 * @throws Error if an applied file was changed, or the database has a breaking migration that these files do not.
 */
export async function migrate(sql: Sql, component: string, migrations: Migration[]): Promise<number> {
  const connection = await sql.reserve();
  try {
    await takeTurn(connection);
    try {
      await makeTable(connection);
      const applied = await connection<Applied[]>`
        select number, checksum, breaking from public.umpire_migrations where component = ${component} order by number`;
      refuseUnlessServed(component, migrations, applied);
      const done = new Set(applied.map((row) => row.number));
      const missing = migrations.filter(({ number }) => !done.has(number));
      for (const migration of missing) await apply(connection, component, migration);
      return missing.length;
    } finally {
      await connection`select pg_advisory_unlock(${TURN_LOCK}::bigint)`.catch(() => undefined);
    }
  } finally {
    connection.release();
  }
}

const TURN_LOCK = createHash('sha256').update('umpire-migrations').digest().readBigInt64BE(0).toString();

/** Asks again and again instead of waiting in the server: a statement that waits is one that an index made concurrently waits for. */
async function takeTurn(connection: Reserved): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const [row] = await connection<{ mine: boolean }[]>`select pg_try_advisory_lock(${TURN_LOCK}::bigint) as mine`;
    if (row!.mine) return;
    await delay(backoffDelay(attempt, TURN));
  }
}

async function makeTable(connection: Reserved): Promise<void> {
  await connection`create table if not exists public.umpire_migrations (
    component text not null, number integer not null, name text not null, checksum text not null,
    applied_at timestamptz not null default clock_timestamp(), primary key (component, number))`;
  const [there] = await connection`select 1 from pg_attribute where attrelid = 'public.umpire_migrations'::regclass and attname = 'breaking' and not attisdropped`;
  if (!there) await connection`alter table public.umpire_migrations add column breaking boolean not null default false`;
}

function refuseUnlessServed(component: string, migrations: Migration[], applied: Applied[]): void {
  const known = new Map(migrations.map((migration) => [migration.number, migration]));
  for (const { number, checksum, breaking } of applied) {
    const migration = known.get(number);
    if (!migration && breaking) throw new Error(`the database's ${component} schema has migration ${number}, which this build does not know and cannot work beside: deploy the newer build`);
    if (migration && migration.checksum !== checksum) throw new Error(`migration ${number} of ${component} was changed after it had been applied`);
  }
}

/**
 * A migration that waits for a table's lock makes everybody behind it wait as well, so it waits for seconds only, lets them through and
 * tries again: the services of the version before go on meanwhile.
 */
async function apply(connection: Reserved, component: string, migration: Migration): Promise<void> {
  const { number, name } = migration;
  for (let attempt = 1; ; attempt++) {
    try {
      await (migration.concurrent ? applyIndexes : applyWhole)(connection, component, migration);
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE || attempt === LOCK_TRIES) {
        throw new Error(`migration ${number} of ${component} (${name}) failed: ${(error as Error).message}`, { cause: error });
      }
      await delay(backoffDelay(attempt, { baseMs: 200, maxMs: 5_000 }));
    }
  }
}

const noteOf = (component: string, { number, name, checksum, breaking }: Migration) =>
  `insert into public.umpire_migrations (component, number, name, checksum, breaking) values ('${component}', ${number}, '${name}', '${checksum}', ${breaking})`;

async function applyWhole(connection: Reserved, component: string, migration: Migration): Promise<void> {
  try {
    await connection.unsafe(`begin; set local lock_timeout = ${LOCK_MS}; set local statement_timeout = 0;\n${migration.sql}\n;${noteOf(component, migration)}; commit;`).simple();
  } catch (error) {
    await connection`rollback`;
    throw error;
  }
}

/** Whatever an earlier try left unfinished (an index that is not valid serves nobody) goes first; what it finished stays. */
async function applyIndexes(connection: Reserved, component: string, migration: Migration): Promise<void> {
  const [before] = await connection<{ lock_timeout: string; statement_timeout: string }[]>`
    select current_setting('lock_timeout') as lock_timeout, current_setting('statement_timeout') as statement_timeout`;
  await setTimeouts(connection, { lock_timeout: String(CONCURRENT_LOCK_MS), statement_timeout: '0' });
  try {
    for (const { text, index, act } of indexStatements(migration.sql, migration.name)) {
      if (act === 'create' && (await isInvalid(connection, index))) await connection.unsafe(`drop index concurrently if exists ${index}`);
      await connection.unsafe(text);
    }
    await connection.unsafe(noteOf(component, migration));
  } finally {
    await setTimeouts(connection, before!);
  }
}

async function setTimeouts(connection: Reserved, timeouts: { lock_timeout: string; statement_timeout: string }): Promise<void> {
  for (const [name, value] of Object.entries(timeouts)) await connection`select set_config(${name}, ${value}, false)`;
}

async function isInvalid(connection: Reserved, index: string): Promise<boolean> {
  const [row] = await connection<{ invalid: boolean }[]>`select not indisvalid as invalid from pg_index where indexrelid = to_regclass(${index})`;
  return row?.invalid ?? false;
}
