import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { backoffDelay } from '../backoff.ts';
import { delay } from '../clock.ts';
import type { Sql } from './connect.ts';

export type Migration = { number: number; name: string; sql: string; checksum: string };

const LOCK_MS = 3_000;
const LOCK_TRIES = 20;
const LOCK_NOT_AVAILABLE = '55P03';

type Reserved = Awaited<ReturnType<Sql['reserve']>>;

/**
 * Reads the numbered files `0001_name.sql` of a folder. Numbers may have gaps: they are given out to work that goes on side by side.
 * @throws Error on a number that is there twice or a name that does not fit.
 */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  const migrations = await Promise.all(files.map(async (file) => {
    const match = /^(\d{4})_([a-z0-9_]+)\.sql$/.exec(file);
    if (!match) throw new Error(`migration ${file} must be named like 0001_name.sql`);
    const sql = await readFile(`${folder}/${file}`, 'utf8');
    return { number: Number(match[1]), name: match[2]!, sql, checksum: createHash('sha256').update(sql).digest('hex') };
  }));
  const twice = migrations.find(({ number }, index) => migrations[index + 1]?.number === number);
  if (twice) throw new Error(`two migrations have the number ${twice.number}`);
  return migrations;
}

/**
 * Brings one component's schema forward: what has not been applied yet, by number. Each file is one transaction; an advisory lock makes
 * it safe to run from several processes at once; nothing is ever undone.
 * @returns how many migrations were applied
 * @throws Error if an applied file was changed, or the database is newer than these files.
 */
export async function migrate(sql: Sql, component: string, migrations: Migration[]): Promise<number> {
  const lock = createHash('sha256').update('umpire-migrations').digest().readBigInt64BE(0);
  const connection = await sql.reserve();
  try {
    await connection`select pg_advisory_lock(${lock.toString()}::bigint)`;
    await connection`create table if not exists public.umpire_migrations (
      component text not null, number integer not null, name text not null, checksum text not null,
      applied_at timestamptz not null default clock_timestamp(), primary key (component, number))`;
    const applied = await connection<{ number: number; checksum: string }[]>`
      select number, checksum from public.umpire_migrations where component = ${component} order by number`;
    const known = new Map(migrations.map((migration) => [migration.number, migration]));
    for (const row of applied) {
      const migration = known.get(row.number);
      if (!migration) throw new Error(`the database's ${component} schema has migration ${row.number}, which this build does not know: deploy the newer build`);
      if (migration.checksum !== row.checksum) throw new Error(`migration ${row.number} of ${component} was changed after it had been applied`);
    }
    const done = new Set(applied.map((row) => row.number));
    const missing = migrations.filter(({ number }) => !done.has(number));
    for (const migration of missing) await apply(connection, component, migration);
    return missing.length;
  } finally {
    await connection`select pg_advisory_unlock(${lock.toString()}::bigint)`.catch(() => undefined);
    connection.release();
  }
}

/**
 * A migration that waits for a table's lock makes everybody behind it wait as well, so it waits for seconds only, lets them through and
 * tries again: the services of the version before go on meanwhile.
 */
async function apply(connection: Reserved, component: string, { number, name, sql, checksum }: Migration): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await connection.unsafe(`begin; set local lock_timeout = ${LOCK_MS}; set local statement_timeout = 0;\n${sql}\n;insert into public.umpire_migrations (component, number, name, checksum) values
        ('${component}', ${number}, '${name}', '${checksum}'); commit;`).simple();
      return;
    } catch (error) {
      await connection`rollback`;
      if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE || attempt === LOCK_TRIES) {
        throw new Error(`migration ${number} of ${component} (${name}) failed: ${(error as Error).message}`, { cause: error });
      }
      await delay(backoffDelay(attempt, { baseMs: 200, maxMs: 5_000 }));
    }
  }
}
