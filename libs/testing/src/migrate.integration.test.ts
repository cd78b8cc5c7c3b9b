import { migrate, type Migration } from '@umpire/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from './databases.ts';
import { eventually, signal } from './wait.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

const step = (number: number, sql: string): Migration => ({ number, name: `step_${number}`, sql, checksum: String(number) });

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
