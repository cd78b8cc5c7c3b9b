import type { Sql } from '@umpire/runtime';
import type { TestDatabase } from './databases.ts';

/**
 * A clock for the database that stands still until it is set. A connection whose `search_path` names its schema before
 * `pg_catalog` finds this `clock_timestamp()` instead of the server's, in the very statements that production runs.
 */
export class VirtualClock {
  /** Where to connect to for this clock. */
  readonly url: string;
  private readonly sql: Sql;

  private constructor({ sql, url }: TestDatabase) {
    this.sql = sql;
    this.url = `${url}?search_path=virtual,pg_catalog`;
  }

  /** It begins at the present second, standing still. */
  static async make(database: TestDatabase): Promise<VirtualClock> {
    await database.sql.unsafe(`
      create schema virtual;
      create table virtual.clock (at timestamptz, ahead interval not null default '0');
      insert into virtual.clock values (date_trunc('second', pg_catalog.clock_timestamp()));
      create function virtual.clock_timestamp() returns timestamptz language sql volatile as 'select coalesce(at, pg_catalog.clock_timestamp() + ahead) from virtual.clock'`).simple();
    return new VirtualClock(database);
  }

  /** ms */
  async now(): Promise<number> {
    const [row] = await this.sql<{ now: number }[]>`select floor(extract(epoch from virtual.clock_timestamp()) * 1000)::float8 as now`;
    return row!.now;
  }

  /** Stands at this moment. @param at ms */
  async set(at: number): Promise<void> {
    await this.sql`update virtual.clock set at = to_timestamp(${at}::float8 / 1000)`;
  }

  /** Runs as the server's clock does, but so much ahead of it. */
  async runAhead(ms: number): Promise<void> {
    await this.sql`update virtual.clock set at = null, ahead = ${ms}::float8 * interval '1 millisecond'`;
  }
}
