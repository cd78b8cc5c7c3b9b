import { oneAfterTheOther, shortTransaction } from '@umpire/runtime';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from './databases.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await database.sql`create table public.notes (id int primary key, text text not null)`;
});
beforeEach(async () => {
  await database.sql`truncate public.notes`;
});
afterAll(() => database.drop());

const DEADLINE_MS = 10_000;
const ids = async () => (await database.sql<{ id: number }[]>`select id from public.notes order by id`).map(({ id }) => id);

it('runs one statement after the other, the second on what the first has committed', async () => {
  for (let id = 1; id <= 30; id++) {
    const [inserted, [seen]] = await oneAfterTheOther(database.sql, DEADLINE_MS, 'notes',
      (query) => query<{ xid: string }[]>`insert into public.notes values (${id}, 'a') returning pg_current_xact_id()::text as xid`,
      (query) => query<{ count: number; pid: number; status: string }[]>`select count(*)::int as count, pg_xact_status(max(xmin::text)::xid8) as status from public.notes`);
    expect(inserted).toHaveLength(1);
    expect(seen).toMatchObject({ count: id, status: 'committed' });
  }
});

it('tells what the first statement throws, and keeps what the second did', async () => {
  const both = oneAfterTheOther(database.sql, DEADLINE_MS, 'notes', (query) => query`insert into public.notes values (1, null)`, (query) => query`insert into public.notes values (2, 'b')`);
  await expect(both).rejects.toMatchObject({ code: '23502' });
  expect(await ids()).toEqual([2]);
});

it('holds a lock from the first statement to the end, and commits the last', async () => {
  await database.sql`insert into public.notes values (1, '0')`;
  const add = () => shortTransaction(database.sql, DEADLINE_MS, async (tx) => {
    const [row] = await tx<{ text: string }[]>`select text from public.notes where id = 1 for update`;
    return { result: row!.text, last: tx`update public.notes set text = ${String(Number(row!.text) + 1)} where id = 1` };
  });
  const seen = await Promise.all(Array.from({ length: 200 }, add));
  expect(seen.map(Number).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, n) => n));
  expect(await database.sql`select text from public.notes`).toMatchObject([{ text: '200' }]);
});

it.each([
  ['the last statement fails', (id: number) => ({ result: null, id, text: null, failing: false })],
  ['the work throws', (id: number) => ({ result: null, id, text: 'a', failing: true })],
])('writes nothing when %s, and leaves a connection that works', async (_name, plan) => {
  for (let id = 1; id <= 12; id++) {
    const { text, failing } = plan(id);
    const work = shortTransaction(database.sql, DEADLINE_MS, async (tx) => {
      await tx`insert into public.notes values (${id}, 'work')`;
      if (failing) throw new Error('no');
      return { result: null, last: tx`insert into public.notes values (${id + 1_000}, ${text})` };
    });
    await expect(work).rejects.toThrow(failing ? 'no' : /null value/);
    await shortTransaction(database.sql, DEADLINE_MS, async (tx) => ({ result: null, last: tx`insert into public.notes values (${id + 100}, 'after')` }));
  }
  expect(await ids()).toEqual(Array.from({ length: 12 }, (_, n) => n + 101));
});

it('leaves the connection outside of any transaction', async () => {
  const readOnly = () => shortTransaction(database.sql, DEADLINE_MS, async (tx) => ({ result: (await tx<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]!.pid, last: null }));
  const pids = new Set(await Promise.all(Array.from({ length: 20 }, readOnly)));
  const idle = await database.sql<{ state: string }[]>`select state from pg_stat_activity where pid = any (${[...pids]}::int[]) and pid <> pg_backend_pid()`;
  expect(idle.every(({ state }) => state === 'idle')).toBe(true);
});

/**
 * A plan that no longer fits what it selects is made anew by the driver, which sends the statement again: behind a commit that has been sent
 * already it would run on its own, without the locks (patches/postgres@3.4.9.patch).
 */
it('never sends a statement again behind its commit', async () => {
  const write = (id: number) => shortTransaction(database.sql, DEADLINE_MS, async (tx) => {
    await tx`select 1 as one`;
    return { result: null, last: tx`insert into public.notes values (${id}, 'x') returning *` };
  });
  await Promise.all(Array.from({ length: 40 }, (_, id) => write(id)));
  await database.sql`alter table public.notes add column more int`;
  try {
    const after = await Promise.allSettled(Array.from({ length: 40 }, (_, n) => write(n + 100)));
    const failed = after.flatMap((one, n) => (one.status === 'rejected' ? [n + 100] : []));
    expect(failed.length).toBeGreaterThan(0);
    const kept = await ids();
    expect(failed.filter((id) => kept.includes(id))).toEqual([]);
    // The plan was forgotten all the same: the next one on that connection works.
    const again = await Promise.allSettled(failed.map(write));
    expect(again.filter(({ status }) => status === 'rejected')).toEqual([]);
  } finally {
    await database.sql`alter table public.notes drop column more`;
  }
});

it('rejects what a cut connection held', async () => {
  const { sql } = database;
  for (let round = 1; round <= 20; round++) {
    const cut = shortTransaction(sql, DEADLINE_MS, async (tx) => {
      const [row] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
      await sql`select pg_terminate_backend(${row!.pid})`;
      return { result: null, last: tx`insert into public.notes values (${round}, 'cut')` };
    });
    await expect(cut).rejects.not.toMatchObject({ name: 'DeadlineError' });
  }
  expect(await ids()).toEqual([]);
});
