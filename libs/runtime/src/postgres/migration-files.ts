import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';

/**
 * One step forward of a schema. What a file's first lines (comments) may say of it:
 *
 *     -- no transaction            it makes or drops indexes `concurrently`, statement by statement, while the table is in use
 *     -- breaking                  the version before cannot work beside it: an older build then refuses to migrate
 *     -- formerly <checksum>       it was written anew and leaves the same schema; databases that have the former one have this one
 */
export type Migration = { number: number; name: string; sql: string; checksum: string; concurrent: boolean; breaking: boolean };

const NAME = /^(\d{4})_([a-z0-9_]+)\.sql$/;

/**
 * Reads the numbered files `0001_name.sql` of a folder. Numbers may have gaps: they are given out to work that goes on side by side.
 * @throws Error on a number that is there twice, a name that does not fit, or a migration without a transaction that holds more than indexes.
 */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  const migrations = await Promise.all(files.map(async (file) => readMigration(file, await readFile(`${folder}/${file}`, 'utf8'))));
  const twice = migrations.find(({ number }, index) => migrations[index + 1]?.number === number);
  if (twice) throw new Error(`two migrations have the number ${twice.number}`);
  return migrations;
}

/** @throws Error as `readMigrations` does */
export function readMigration(file: string, sql: string): Migration {
  const match = NAME.exec(file);
  if (!match) throw new Error(`migration ${file} must be named like 0001_name.sql`);
  const head = /^(?:--[^\n]*\n|\s*\n)*/.exec(sql)![0];
  const says = (line: RegExp) => line.exec(head);
  const concurrent = says(/^-- no transaction$/m) !== null;
  if (concurrent) indexStatements(sql, file);
  else if (/\bindex\s+concurrently\b/i.test(sql)) throw new Error(`migration ${file} makes an index concurrently: it must say "-- no transaction"`);
  return {
    number: Number(match[1]), name: match[2]!, sql, concurrent, breaking: says(/^-- breaking$/m) !== null,
    checksum: says(/^-- formerly ([0-9a-f]{64})$/m)?.[1] ?? createHash('sha256').update(sql).digest('hex'),
  };
}

export type IndexStatement = { text: string; index: string; act: 'create' | 'drop' };

/**
 * The statements of a migration that runs without a transaction. Each can be run again: what a failed try left is known by the index's name.
 * @throws Error if there is anything but indexes made and dropped concurrently, each with its schema
 */
export function indexStatements(sql: string, file: string): IndexStatement[] {
  const texts = sql.replaceAll(/--[^\n]*/g, '').split(';').map((text) => text.trim()).filter((text) => text !== '');
  return texts.map((text) => {
    const create = /^create (?:unique )?index concurrently if not exists (\w+) on (\w+)\.\w+\s/i.exec(text);
    if (create) return { text, index: `${create[2]}.${create[1]}`, act: 'create' as const };
    const drop = /^drop index concurrently if exists (\w+\.\w+)$/i.exec(text);
    if (drop) return { text, index: drop[1]!, act: 'drop' as const };
    throw new Error(`migration ${file} runs without a transaction and may only hold "create index concurrently if not exists … on schema.table" and "drop index concurrently if exists schema.index", not: ${text.slice(0, 80)}`);
  });
}
