import { migrate, readMigration, type Migration } from '@umpire/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from './databases.ts';
import { eventually, signal } from './wait.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

const step = (number: number, sql: string): Migration => readMigration(`${String(number).padStart(4, '0')}_step.sql`, sql);

const TABLE = step(1, 'create table public.busy (id int)');

it('lets others through while it waits for a table that is in use, and goes on when that is over', { timeout: 120_000 }, async () => {
  const { sql } = database;
  expect(await migrate(sql, 'trial', [TABLE])).toBe(1);
  const [locked, release] = [signal(), signal()];
  const reader = sql.begin(async (tx) => {
    await tx`select * from public.busy`;
    locked.fire();
    await release.promise;
  });
  await locked.promise;
  const both = [TABLE, step(2, 'alter table public.busy add column more int')];
  const migrating = migrate(sql, 'trial', both);
  const waiting = () => sql`select 1 from pg_locks l join pg_class c on c.oid = l.relation where c.relname = 'busy' and not l.granted`;
  await eventually('the migration waits for the lock', async () => (await waiting()).length > 0);
  // Would stand behind the migration until the reader has ended, if that did not step aside.
  await sql`select * from public.busy`;
  release.fire();
  await reader;
  expect(await migrating).toBe(1);
  expect(await sql`select more from public.busy`).toEqual([]);
  expect(await migrate(sql, 'trial', both)).toBe(0);
});

describe('indexes made concurrently', () => {
  const LARGE = step(1, 'create table public.large as select n, n % 10 as twice from generate_series(1, 100) as n');
  const index = (name: string, unique = '') => step(2, `-- no transaction\n-- a table that is in use\ncreate ${unique}index concurrently if not exists ${name} on public.large (${unique === '' ? 'n' : 'twice'});\n`);
  const validity = async (name: string) => (await database.sql<{ indisvalid: boolean }[]>`select indisvalid from pg_index where indexrelid = to_regclass(${name})`)[0]?.indisvalid;

  it('keep no writer waiting, even while they wait for one themselves; two migrations at once do not stand in each other\'s way', { timeout: 120_000 }, async () => {
    const { sql } = database;
    await migrate(sql, 'indexes', [LARGE]);
    const [wrote, release] = [signal(), signal()];
    const writer = sql.begin(async (tx) => {
      await tx`insert into public.large (n) values (0)`;
      wrote.fire();
      await release.promise;
    });
    await wrote.promise;
    const migrating = [1, 2].map(() => migrate(sql, 'indexes', [LARGE, index('by_n')]));
    await eventually('the index waits for the writer', async () => (await sql`select 1 from pg_stat_progress_create_index where lockers_total > lockers_done`).length > 0);
    // A plain index would hold this up until it is there, which it cannot be before the other writer has ended.
    await sql`insert into public.large (n) values (-1)`;
    release.fire();
    await writer;
    expect((await Promise.all(migrating)).sort()).toEqual([0, 1]);
    expect(await validity('public.by_n')).toBe(true);
  });

  it('are made again where a try left one that is not valid', async () => {
    const { sql } = database;
    const steps = [LARGE, index('by_twice', 'unique ')];
    await migrate(sql, 'again', [step(1, 'select 1')]);
    const again = [step(1, 'select 1'), steps[1]!];
    await expect(migrate(sql, 'again', again)).rejects.toThrow(/by_twice/);
    expect(await validity('public.by_twice')).toBe(false);
    await sql`delete from public.large where n > 9 or n < 1`;
    expect(await migrate(sql, 'again', again)).toBe(1);
    expect(await validity('public.by_twice')).toBe(true);
  });

  it('are all that such a file may hold, and are refused within a transaction', () => {
    expect(() => step(3, '-- no transaction\nalter table public.large add column more int;')).toThrow(/may only hold/);
    expect(() => step(3, '-- no transaction\ncreate index concurrently by_x on public.large (n);')).toThrow(/if not exists/);
    expect(() => step(3, 'create index concurrently if not exists by_x on public.large (n);')).toThrow(/no transaction/);
  });
});

it('takes a file that was written anew for the one that was applied, if it says so', async () => {
  const former = step(1, 'create table public.former (id int)');
  expect(await migrate(database.sql, 'anew', [former])).toBe(1);
  await expect(migrate(database.sql, 'anew', [step(1, 'create table if not exists public.former (id int)')])).rejects.toThrow(/was changed/);
  expect(await migrate(database.sql, 'anew', [step(1, `-- formerly ${former.checksum}\ncreate table if not exists public.former (id int)`)])).toBe(0);
});

it('leaves a database that is ahead as it is, unless what it does not know is breaking', async () => {
  const [first, second] = [step(1, 'create table public.ahead (id int)'), step(2, 'alter table public.ahead add column more int')];
  await migrate(database.sql, 'ahead', [first, second]);
  expect(await migrate(database.sql, 'ahead', [first])).toBe(0);
  const third = step(3, '-- Renames what is read.\n-- breaking\nalter table public.ahead rename column more to less');
  await migrate(database.sql, 'ahead', [first, second, third]);
  await expect(migrate(database.sql, 'ahead', [first, second])).rejects.toThrow(/cannot work beside/);
});
