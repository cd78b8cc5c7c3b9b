import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { Sql } from './connect.ts';

export type Migration = { number: number; name: string; sql: string; checksum: string };

/**
 * Reads the numbered files `0001_name.sql` of a folder.
 * @throws Error on a gap or a name that does not fit.
 */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(files.map(async (file, index) => {
    const match = /^(\d{4})_([a-z0-9_]+)\.sql$/.exec(file);
    if (!match || Number(match[1]) !== index + 1) throw new Error(`migration ${file} must be named ${String(index + 1).padStart(4, '0')}_name.sql`);
    const sql = await readFile(`${folder}/${file}`, 'utf8');
    return { number: index + 1, name: match[2]!, sql, checksum: createHash('sha256').update(sql).digest('hex') };
  }));
}

/**
 * Brings one component's schema forward. Each file is one transaction; an advisory lock makes it safe to run from several
 * processes at once; nothing is ever undone.
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
    const newest = applied.at(-1)?.number ?? 0;
    if (newest > migrations.length) {
      throw new Error(`the database's ${component} schema is at ${newest}, newer than this build's ${migrations.length}: deploy the newer build`);
    }
    for (const row of applied) {
      if (migrations[row.number - 1]!.checksum !== row.checksum) throw new Error(`migration ${row.number} of ${component} was changed after it had been applied`);
    }
    for (const migration of migrations.slice(newest)) {
      await connection.unsafe(`begin;\n${migration.sql}\n;insert into public.umpire_migrations (component, number, name, checksum) values
        ('${component}', ${migration.number}, '${migration.name}', '${migration.checksum}'); commit;`).simple().catch(async (error: unknown) => {
        await connection`rollback`;
        throw new Error(`migration ${migration.number} of ${component} (${migration.name}) failed: ${(error as Error).message}`, { cause: error });
      });
    }
    return migrations.length - newest;
  } finally {
    await connection`select pg_advisory_unlock(${lock.toString()}::bigint)`.catch(() => undefined);
    connection.release();
  }
}
