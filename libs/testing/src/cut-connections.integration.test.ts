import { withDeadline, type Sql } from '@umpire/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from './databases.ts';
import { eventually } from './wait.ts';

// The driver as published throws outside of every promise here, which ends the process, or leaves the pool waiting for ever
// (patches/postgres@3.4.9.patch).
let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

/** A query on a connection that is being cut may fail; none may wait for ever, and soon one succeeds. */
async function answersAgain(sql: Sql): Promise<void> {
  await eventually('a query succeeds', async () => {
    const [{ answer }] = await neverHangs(sql<[{ answer: number }]>`select 7 as answer`, 'the next query');
    return answer === 7;
  });
}

async function neverHangs<T>(work: Promise<T>, what: string): Promise<T> {
  return withDeadline(work, 10_000, what).catch((error: Error) => {
    if (error.name === 'DeadlineError') hung.push(what);
    throw error;
  });
}
const hung: string[] = [];

it('rejects what a cut connection held, and goes on', async () => {
  const { sql } = database;
  const rounds = 60;
  let settled = 0;
  let rejected = 0;
  for (let round = 0; round < rounds; round++) {
    const cut = sql.begin(async (tx) => {
      const [{ pid }] = await tx<[{ pid: number }]>`select pg_backend_pid() as pid`;
      await sql`select pg_terminate_backend(${pid})`;
      if (round % 3 > 0) await new Promise((resolve) => setImmediate(resolve));
      await tx`select 1`;
      await Promise.all([tx`select 2`, tx`select 3`]);
    });
    await neverHangs(cut, 'a transaction on a cut connection').catch(() => rejected++);
    settled++;
    await answersAgain(sql);
  }
  expect({ settled, hung }).toEqual({ settled: rounds, hung: [] });
  expect(rejected).toBeGreaterThan(rounds / 2);
});

it('stays usable while the server ends all its connections again and again', async () => {
  const { sql } = database;
  for (let round = 0; round < 20; round++) {
    const work = Array.from({ length: 20 }, (_, i) => neverHangs(sql.begin(async (tx) => {
      await tx`select ${i}::int`;
      await tx`select pg_sleep(0.002)`;
    }), 'a transaction of many').catch(() => undefined));
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`.catch(() => undefined);
    await Promise.all(work);
  }
  await answersAgain(sql);
  expect(hung).toEqual([]);
});
