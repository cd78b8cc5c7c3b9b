import type { Sql } from '@umpire/runtime';
import { COMPONENTS, migrationsOf, type Component } from './provisioning.ts';

export type SchemaState = {
  component: Component['service'];
  /** Number of the newest migration that the database has, and that this build has. */
  database: number;
  build: number;
  /** `ahead`: by migrations that this build can work beside; `beyond`: by one that it cannot. */
  state: 'current' | 'behind' | 'ahead' | 'beyond' | 'changed';
  /** Names of those that are still to be applied, oldest first. */
  pending: string[];
};

/** Says of each component how far its schema is; changes nothing, and needs to read `public.umpire_migrations` alone. */
export async function schemaStates(sql: Sql): Promise<SchemaState[]> {
  const [table] = await sql<{ there: boolean }[]>`select to_regclass('public.umpire_migrations') is not null as there`;
  const rows = table!.there
    ? await sql<{ component: string; number: number; checksum: string; breaking: boolean }[]>`
        select component, number, checksum, coalesce((to_jsonb(m) ->> 'breaking')::boolean, false) as breaking from public.umpire_migrations m order by component, number`
    : [];
  return Promise.all(COMPONENTS.map(async ({ service }): Promise<SchemaState> => {
    const migrations = await migrationsOf(service);
    const applied = rows.filter(({ component }) => component === service);
    const done = new Set(applied.map(({ number }) => number));
    const known = new Map(migrations.map((migration) => [migration.number, migration]));
    const changed = applied.some(({ number, checksum }) => known.has(number) && known.get(number)!.checksum !== checksum);
    const missing = migrations.filter(({ number }) => !done.has(number));
    const unknown = applied.filter(({ number }) => !known.has(number));
    const [database, build] = [applied.at(-1)?.number ?? 0, migrations.at(-1)?.number ?? 0];
    const state = changed ? 'changed' : unknown.some(({ breaking }) => breaking) ? 'beyond' : missing.length > 0 ? 'behind' : unknown.length > 0 ? 'ahead' : 'current';
    const pending = missing.map(({ number, name }) => `${String(number).padStart(4, '0')}_${name}`);
    return { component: service, database, build, state, pending };
  }));
}
