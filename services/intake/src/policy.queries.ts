import type { Query, Tx } from '@umpire/runtime';

/** A policy and its version in force. `document` is JSON text. */
export type PolicyRow = { namespace: string; id: string; version: number; enabled: boolean; document: string; created_by: string; created_at: Date };
export type VersionRow = { version: number; active: boolean; document: string; created_by: string; created_at: Date };

/** @returns a number that rises with every change of any policy */
export async function findRevision(sql: Query): Promise<bigint> {
  const [row] = await sql<{ revision: bigint }[]>`select revision from intake.policy_revision`;
  return row!.revision;
}

/** Every policy that is not deleted, and the revision that they are: one statement, so both are of one moment. */
export async function findPolicies(sql: Query): Promise<{ revision: bigint; policies: PolicyRow[] }> {
  const rows = await sql<({ revision: bigint } & (PolicyRow | { id: null }))[]>`
    select r.revision, p.namespace, p.id, p.enabled, v.version, v.document, v.created_by, v.created_at
    from intake.policy_revision r
    left join (intake.policies p join intake.policy_versions v on v.namespace = p.namespace and v.id = p.id and v.version = p.active_version) on true`;
  return { revision: rows[0]!.revision, policies: rows.filter((row) => row.id !== null) };
}

/** Says that something changes, and keeps other changes waiting until this one is committed. */
export async function raiseRevision(tx: Tx): Promise<void> {
  await tx`update intake.policy_revision set revision = revision + 1`;
}

export type PolicyHead = { active_version: number | null; enabled: boolean; latest: number; document: string | null };

/** What is known under an id, deleted ones included. Call after `raiseRevision`, which keeps it from changing. */
export async function findHead(tx: Tx, namespace: string, id: string): Promise<PolicyHead | undefined> {
  const [row] = await tx<PolicyHead[]>`
    select p.active_version, p.enabled, v.document,
      (select max(version) from intake.policy_versions where namespace = ${namespace} and id = ${id}) as latest
    from intake.policies p
    left join intake.policy_versions v on v.namespace = p.namespace and v.id = p.id and v.version = p.active_version
    where p.namespace = ${namespace} and p.id = ${id}`;
  return row;
}

export async function countPolicies(tx: Query, namespace: string): Promise<number> {
  const [row] = await tx<{ count: number }[]>`select count(*)::int as count from intake.policies where namespace = ${namespace} and active_version is not null`;
  return row!.count;
}

export async function insertPolicy(tx: Tx, namespace: string, id: string): Promise<void> {
  await tx`insert into intake.policies (namespace, id, active_version, enabled) values (${namespace}, ${id}, null, true)`;
}

/** @returns when it was made */
export async function insertVersion(tx: Tx, version: { namespace: string; id: string; version: number; document: string; created_by: string }): Promise<Date> {
  const [row] = await tx<{ created_at: Date }[]>`
    insert into intake.policy_versions (namespace, id, version, document, created_by)
    values (${version.namespace}, ${version.id}, ${version.version}, ${version.document}, ${version.created_by}) returning created_at`;
  return row!.created_at;
}

/** Puts a version in force, or none, which deletes the policy. */
export async function setActive(tx: Tx, namespace: string, id: string, state: { version: number | null; enabled: boolean }): Promise<void> {
  await tx`
    update intake.policies set active_version = ${state.version}, enabled = ${state.enabled}, changed_at = clock_timestamp()
    where namespace = ${namespace} and id = ${id}`;
}

/** The version in force. */
export async function findPolicy(sql: Query, namespace: string, id: string): Promise<PolicyRow | undefined> {
  const [row] = await sql<PolicyRow[]>`
    select p.namespace, p.id, p.enabled, v.version, v.document, v.created_by, v.created_at
    from intake.policies p join intake.policy_versions v on v.namespace = p.namespace and v.id = p.id and v.version = p.active_version
    where p.namespace = ${namespace} and p.id = ${id}`;
  return row;
}

/** @returns a version's document, of a deleted policy too */
export async function findDocument(sql: Query, namespace: string, id: string, version: number): Promise<string | undefined> {
  const [row] = await sql<{ document: string }[]>`select document from intake.policy_versions where namespace = ${namespace} and id = ${id} and version = ${version}`;
  return row?.document;
}

/** By id, from the one after `after`. */
export async function findPolicyPage(sql: Query, namespace: string, after: string, limit: number): Promise<PolicyRow[]> {
  return sql<PolicyRow[]>`
    select p.namespace, p.id, p.enabled, v.version, v.document, v.created_by, v.created_at
    from intake.policies p join intake.policy_versions v on v.namespace = p.namespace and v.id = p.id and v.version = p.active_version
    where p.namespace = ${namespace} and p.id > ${after} order by p.id limit ${limit}`;
}

/** Newest first, below `before`; those of a deleted policy too, since escalations name them. */
export async function findVersionPage(sql: Query, namespace: string, id: string, before: number, limit: number): Promise<VersionRow[]> {
  return sql<VersionRow[]>`
    select v.version, v.version is not distinct from p.active_version as active, v.document, v.created_by, v.created_at
    from intake.policy_versions v join intake.policies p on p.namespace = v.namespace and p.id = v.id
    where v.namespace = ${namespace} and v.id = ${id} and v.version < ${before} order by v.version desc limit ${limit}`;
}
