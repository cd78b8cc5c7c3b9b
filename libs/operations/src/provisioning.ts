import { keyDigest, migrate, newId, readMigrations, SESSION_SETTINGS, type Migration, type Sql } from '@umpire/runtime';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

export const provisionSchema = z.object({
  /** Role passwords by service. */
  roles: z.record(z.enum(['intake', 'state-store', 'notifier', 'timeout-scheduler']), z.string().min(8)),
  keys: z.array(z.object({
    namespace: z.string(),
    key: z.string(),
    roles: z.array(z.string()).min(1),
    user_id: z.string().nullish(),
    name: z.string(),
  })),
});
export type Provision = z.infer<typeof provisionSchema>;

/** Which service owns which schemas, and the Postgres role that is granted only those. */
export const COMPONENTS = [
  { service: 'intake', role: 'umpire_intake', schemas: ['intake'] },
  { service: 'state-store', role: 'umpire_state_store', schemas: ['store', 'identity'] },
  { service: 'notifier', role: 'umpire_notifier', schemas: ['notifier'] },
  { service: 'timeout-scheduler', role: 'umpire_scheduler', schemas: ['scheduler'] },
] as const;

/**
 * The record is only ever added to: these rows the store's role may add and read, and neither change nor delete, except for a column that
 * search needs. Erasure goes through functions that run with their owner's rights.
 */
const KEPT: Partial<Record<Component['service'], { tables: string[]; changing: Record<string, string[]> }>> = {
  'state-store': {
    tables: ['store.events', 'store.payloads', 'store.checkpoints', 'store.sealed_heads', 'store.audit_log', 'store.signing_keys'],
    changing: { 'store.payloads': ['document'] },
  },
};
export type Component = (typeof COMPONENTS)[number];
export type RolePasswords = Partial<Record<Component['service'], string>>;

/** @returns a service's migrations as this build has them */
export function migrationsOf(service: Component['service']): Promise<Migration[]> {
  return readMigrations(fileURLToPath(new URL(`../../../services/${service}/sql/migrations`, import.meta.url)));
}

/**
 * Migrates, then gives each service's role its rights on its own schemas.
 * @param passwords of roles that are ours to make and to set; the others must exist (a managed Postgres may not let us)
 * @returns how many migrations were applied
 * @throws Error that names the roles that are missing
 */
export async function migrateAll(sql: Sql, passwords: RolePasswords): Promise<number> {
  let applied = 0;
  for (const { service } of COMPONENTS) applied += await migrate(sql, service, await migrationsOf(service));
  const foreign = COMPONENTS.filter(({ service }) => passwords[service] === undefined).map(({ role }) => role);
  const known = await sql<{ rolname: string }[]>`select rolname from pg_roles where rolname = any(${foreign})`;
  const missing = foreign.filter((role) => !known.some(({ rolname }) => rolname === role));
  if (missing.length > 0) throw new Error(`these roles are not there, and no password was given to make them with: ${missing.join(', ')}`);
  for (const component of COMPONENTS) await grant(sql, component, passwords[component.service]);
  return applied;
}

/** @returns how many migrations were applied and keys added */
export async function provision(sql: Sql, wanted: Provision): Promise<{ migrations: number; keys: number }> {
  const migrations = await migrateAll(sql, wanted.roles);
  let keys = 0;
  for (const key of wanted.keys) keys += await addKey(sql, key);
  return { migrations, keys };
}

async function grant(sql: Sql, { service, role, schemas }: Component, password: string | undefined): Promise<void> {
  await sql.begin(async (tx) => {
    // Roles belong to the whole server: two first starts at once must not both create one.
    await tx`select pg_advisory_xact_lock(hashtextextended('umpire-roles', 0))`;
    if (password !== undefined) {
      const [exists] = await tx`select 1 from pg_roles where rolname = ${role}`;
      if (!exists) await tx`create role ${tx(role)} login`;
      // DDL takes no parameters; the server's own quoting keeps the password a literal.
      const [statement] = await tx<{ text: string }[]>`select format('alter role %I password %L', ${role}::text, ${password}::text) as text`;
      await tx.unsafe(statement!.text);
      // Behind a pooler a service cannot set them for its session.
      for (const [name, value] of Object.entries(SESSION_SETTINGS)) await tx.unsafe(`alter role ${role} set ${name} = ${value}`);
    }
    for (const schema of schemas) {
      const [present] = await tx`select 1 from pg_namespace where nspname = ${schema}`;
      if (!present) continue;
      await tx`grant usage on schema ${tx(schema)} to ${tx(role)}`;
      await tx`grant select, insert, update, delete on all tables in schema ${tx(schema)} to ${tx(role)}`;
      await tx`grant usage on all sequences in schema ${tx(schema)} to ${tx(role)}`;
      await tx`grant execute on all functions in schema ${tx(schema)} to ${tx(role)}`;
    }
    const kept = KEPT[service];
    for (const table of kept?.tables ?? []) await tx`revoke update, delete, truncate on ${tx(table)} from ${tx(role)}`;
    for (const [table, columns] of Object.entries(kept?.changing ?? {})) await tx`grant update (${tx(columns)}) on ${tx(table)} to ${tx(role)}`;
  });
}

/** @returns 1 if the key was new */
export async function addKey(sql: Sql, key: Provision['keys'][number]): Promise<number> {
  const rows = await sql`
    insert into identity.keys (id, namespace, name, digest, roles, user_id)
    values (${newId()}, ${key.namespace}, ${key.name}, decode(${keyDigest(key.key)}, 'hex'), ${key.roles}, ${key.user_id ?? null})
    on conflict (digest) do nothing returning 1`;
  return rows.length;
}
