import { keyDigest, migrate, newId, readMigrations, type Sql } from '@umpire/runtime';
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
const COMPONENTS = [
  { service: 'intake', role: 'umpire_intake', schemas: ['intake'] },
  { service: 'state-store', role: 'umpire_state_store', schemas: ['store', 'identity'] },
  { service: 'notifier', role: 'umpire_notifier', schemas: ['notifier'] },
  { service: 'timeout-scheduler', role: 'umpire_scheduler', schemas: ['scheduler'] },
] as const;

/** @returns how many migrations were applied and keys added */
export async function provision(sql: Sql, wanted: Provision): Promise<{ migrations: number; keys: number }> {
  let migrations = 0;
  for (const { service } of COMPONENTS) {
    const folder = fileURLToPath(new URL(`../../${service}/sql/migrations`, import.meta.url));
    migrations += await migrate(sql, service, await readMigrations(folder));
  }
  for (const component of COMPONENTS) await grant(sql, component, wanted.roles[component.service]);
  let keys = 0;
  for (const key of wanted.keys) keys += await addKey(sql, key);
  return { migrations, keys };
}

async function grant(sql: Sql, { role, schemas }: (typeof COMPONENTS)[number], password: string): Promise<void> {
  await sql.begin(async (tx) => {
    // Roles belong to the whole server: two first starts at once must not both create one.
    await tx`select pg_advisory_xact_lock(hashtextextended('umpire-roles', 0))`;
    const [exists] = await tx`select 1 from pg_roles where rolname = ${role}`;
    if (!exists) await tx`create role ${tx(role)} login`;
    // DDL takes no parameters; the server's own quoting keeps the password a literal.
    const [statement] = await tx<{ text: string }[]>`select format('alter role %I password %L', ${role}::text, ${password}::text) as text`;
    await tx.unsafe(statement!.text);
    for (const schema of schemas) {
      const [present] = await tx`select 1 from pg_namespace where nspname = ${schema}`;
      if (!present) continue;
      await tx`grant usage on schema ${tx(schema)} to ${tx(role)}`;
      await tx`grant select, insert, update, delete on all tables in schema ${tx(schema)} to ${tx(role)}`;
      await tx`grant usage on all sequences in schema ${tx(schema)} to ${tx(role)}`;
      await tx`grant execute on all functions in schema ${tx(schema)} to ${tx(role)}`;
    }
  });
}

async function addKey(sql: Sql, key: Provision['keys'][number]): Promise<number> {
  const rows = await sql`
    insert into identity.keys (id, namespace, name, digest, roles, user_id)
    values (${newId()}, ${key.namespace}, ${key.name}, decode(${keyDigest(key.key)}, 'hex'), ${key.roles}, ${key.user_id ?? null})
    on conflict (digest) do nothing returning 1`;
  return rows.length;
}
