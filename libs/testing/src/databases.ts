import { connectPostgres, createLogger, migrate, readMigrations, type Sql } from '@umpire/runtime';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** The test run's Postgres, superuser, any database. */
    postgresUrl: string;
    template: string;
  }
}

const services = new URL('../../../services/', import.meta.url);
const COMPONENTS = ['intake', 'state-store', 'notifier', 'timeout-scheduler'];
const logger = createLogger('test', 'silent');

export type TestDatabase = { sql: Sql; url: string; drop: () => Promise<void> };

/** Makes the template database that every test clones: all services' migrations. Called once by the global set-up. */
export async function createTemplate(postgresUrl: string, name: string): Promise<void> {
  const server = connectPostgres({ url: withDatabase(postgresUrl, 'postgres'), max: 1, service: 'test', logger });
  await server`create database ${server(name)}`;
  await server.end();
  const sql = connectPostgres({ url: withDatabase(postgresUrl, name), max: 2, service: 'test', logger });
  for (const component of COMPONENTS) {
    const folder = fileURLToPath(new URL(`${component}/sql/migrations`, services));
    if (existsSync(folder)) await migrate(sql, component, await readMigrations(folder));
  }
  await sql.end();
}

/** A database of its own with all schemas, cloned in some ten milliseconds. */
export async function testDatabase(): Promise<TestDatabase> {
  const postgresUrl = inject('postgresUrl');
  const name = `t_${randomBytes(8).toString('hex')}`;
  const server = connectPostgres({ url: withDatabase(postgresUrl, 'postgres'), max: 1, service: 'test', logger });
  await server`create database ${server(name)} template ${server(inject('template'))}`;
  const url = withDatabase(postgresUrl, name);
  const sql = connectPostgres({ url, max: 10, service: 'test', logger });
  return {
    sql,
    url,
    drop: async () => {
      await sql.end({ timeout: 1 });
      await server`drop database ${server(name)} with (force)`;
      await server.end({ timeout: 1 });
    },
  };
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.toString();
}
