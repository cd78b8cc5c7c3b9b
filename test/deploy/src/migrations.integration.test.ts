import { migrateAll, schemaStates } from '@umpire/operations';
import { connectPostgres, createLogger, type Sql } from '@umpire/runtime';
import { testDatabase, type TestDatabase } from '@umpire/testing';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { findServers } from '../../../deploy/local/find-servers.mjs';
import { Steps } from '../../../deploy/local/steps.mjs';

const PASSWORDS = { intake: 'only-for-tests', 'state-store': 'only-for-tests', notifier: 'only-for-tests', 'timeout-scheduler': 'only-for-tests' };
const NAME = `earlier_${process.pid}`;
let fresh: TestDatabase;
let server: Sql;
let earlier: Sql;
let url: string;

const connect = (to: string) => connectPostgres({ url: to, max: 1, service: 'test', logger: createLogger('test', 'silent'), settings: { lock_timeout: 0 } });
const withDatabase = (name: string) => Object.assign(new URL(inject('postgresUrl')), { pathname: `/${name}` }).href;

beforeAll(async () => {
  fresh = await testDatabase();
  server = connect(withDatabase('postgres'));
  await server`create database ${server(NAME)}`;
  url = withDatabase(NAME);
  const loader = connect(url);
  await loader.unsafe(await readFile(new URL('earlier/0.1.0-before-11.sql', import.meta.url), 'utf8')).simple();
  await loader.end();
  earlier = connect(url);
});
afterAll(async () => {
  await earlier.end({ timeout: 1 });
  await server`drop database ${server(NAME)} with (force)`;
  await server.end({ timeout: 1 });
  await fresh.drop();
});

/** The schema as pg_dump writes it, without what differs from run to run. */
async function schemaOf(of: string): Promise<string> {
  const { postgres } = await findServers(new Steps({ quiet: true }), { external: { nats: true, redis: true } });
  const own = join(postgres!.bin, 'pg_dump');
  const { stdout } = await promisify(execFile)(existsSync(own) ? own : 'pg_dump', ['--schema-only', '--no-owner', '--no-privileges', of], { env: { ...process.env, ...postgres!.env }, maxBuffer: 16 * 1024 * 1024 });
  return stdout.split('\n').filter((line) => !line.startsWith('\\')).join('\n');
}

type Statement = { role: string; text: string; parameters: (string | null)[] };
/** What the previous version's services asked of Postgres while its demo ran (`npm run test:upgrade -- --record`), one sample of each statement. */
const statements: Statement[] = readFileSync(new URL('earlier/0.1.0-before-11.statements.jsonl', import.meta.url), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
const SCHEMAS: Record<string, string> = { umpire_intake: 'intake', umpire_state_store: 'store, identity', umpire_notifier: 'notifier', umpire_scheduler: 'scheduler' };

/** The rights that the previous version's own migration gave its roles. */
async function grantAsBefore(sql: Sql): Promise<void> {
  for (const [role, schemas] of Object.entries(SCHEMAS)) {
    await sql.unsafe(`do $$ begin create role ${role} login; exception when duplicate_object or unique_violation then null; end $$;
      grant usage on schema ${schemas} to ${role}; grant select, insert, update, delete on all tables in schema ${schemas} to ${role}; grant usage on all sequences in schema ${schemas} to ${role};
      grant execute on all functions in schema ${schemas} to ${role}`).simple();
  }
}

/**
 * Asks all of it once, in order, as the roles that asked it, and leaves nothing of it behind.
 * @returns for each what came of it: how many rows, or the error's code
 */
async function askAll(sql: Sql, when: string): Promise<[statement: string, came: string][]> {
  const came: [string, string][] = [];
  const undo = new Error('asked');
  await sql.begin(async (tx) => {
    for (const [index, { role, text, parameters }] of statements.entries()) {
      const name = `${when}_${index}`;
      const values = parameters.length === 0 ? '' : `(${parameters.map((value) => (value === null ? 'null' : `'${value.replaceAll("'", "''")}'`)).join(', ')})`;
      const said = await tx.savepoint(async (step) => {
        await step.unsafe(`set local role ${role}`);
        await step.unsafe(`prepare ${name} as ${text}`);
        const { count } = await step.unsafe(`execute ${name} ${values}`);
        await step.unsafe('reset role');
        return `${count} rows`;
      }).catch((error: { code?: string }) => `error ${error.code}`);
      came.push([`${role}: ${text}`, said]);
    }
    throw undo;
  }).catch((error: unknown) => {
    if (error !== undo) throw error;
  });
  return came;
}

const countsOf = async (sql: Sql) => Object.fromEntries(await Promise.all(['store.escalations', 'store.payloads', 'store.events', 'store.assignments', 'store.outbox', 'store.tombstones', 'identity.keys',
  'identity.group_members', 'intake.policies', 'intake.policy_versions', 'scheduler.marks', 'scheduler.timers'].map(async (table) => [table, (await sql.unsafe(`select count(*)::int as count from ${table}`))[0]!['count'] as number])));

describe('a database of an earlier state', () => {
  let before: Record<string, number>;
  let cameBefore: Awaited<ReturnType<typeof askAll>>;

  it('is behind, and says by what', async () => {
    before = await countsOf(earlier);
    expect(Object.values(before).every((count) => count > 0)).toBe(true);
    const states = await schemaStates(earlier);
    expect(states.find(({ component }) => component === 'state-store')).toMatchObject({ state: 'behind', database: 9, pending: expect.arrayContaining([expect.stringMatching(/^00\d\d_\w+$/)]) });
  });

  it('answers what its services ask of it', async () => {
    await grantAsBefore(earlier);
    cameBefore = await askAll(earlier, 'before');
    expect(statements.length).toBeGreaterThan(50);
    expect(cameBefore.filter(([, came]) => !came.startsWith('error')).length).toBeGreaterThan(statements.length * 0.8);
  });

  it('is brought forward to what a fresh one is, to the letter', async () => {
    expect(await migrateAll(earlier, PASSWORDS)).toBeGreaterThan(0);
    expect((await schemaStates(earlier)).map(({ state }) => state)).toEqual(['current', 'current', 'current', 'current']);
    expect(await schemaOf(url)).toBe(await schemaOf(fresh.url));
  });

  it('keeps its rows', async () => {
    expect(await countsOf(earlier)).toEqual(before);
    const [row] = await earlier<{ summary: string; seq: number }[]>`select summary, seq from store.escalations where namespace = 'default' and request_id = 'row-7'`;
    expect(row).toEqual({ summary: 'common w7 n7', seq: 2 });
  });

  it('is left alone the second time', async () => {
    expect(await migrateAll(earlier, {})).toBe(0);
  });

  it('answers the previous version\'s services as it did before, statement by statement, with the rights that they have now', async () => {
    expect(await askAll(earlier, 'after')).toEqual(cameBefore);
  });

  it('is served by the previous version as well: nothing that it reads or writes is gone or has become needed', async () => {
    const dump = await readFile(new URL('earlier/0.1.0-before-11.sql', import.meta.url), 'utf8');
    const table = /^CREATE (?:UNLOGGED )?TABLE (\w+\.\w+) \(\n([\s\S]*?)\n\)/gm;
    const held = await earlier<{ name: string; column: string; needed: boolean }[]>`
      select table_schema || '.' || table_name as name, column_name as column, is_nullable = 'NO' and column_default is null and is_identity = 'NO' and is_generated = 'NEVER' as needed
      from information_schema.columns where table_schema in ('store', 'identity', 'intake', 'notifier', 'scheduler')`;
    const tables = [...dump.matchAll(table)].filter(([, name]) => !name!.startsWith('public.'));
    expect(tables.length).toBeGreaterThan(15);
    for (const [, name, body] of tables) {
      const columns = body!.split('\n').map((line) => /^ {4}"?(\w+)"? /.exec(line)?.[1]).filter((column) => column !== undefined && column !== 'CONSTRAINT');
      const now = held.filter((column) => column.name === name);
      expect([name, columns.filter((column) => !now.some((one) => one.column === column))]).toEqual([name, []]);
      expect([name, now.filter(({ column, needed }) => needed && !columns.includes(column)).map(({ column }) => column)]).toEqual([name, []]);
    }
  });
});
