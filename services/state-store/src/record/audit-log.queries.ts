import { randomBytes } from 'node:crypto';
import type { Principal } from '@umpire/contract';
import { CHAIN_START, hexOf, logHash, saltedDigest } from '@umpire/record';
import type { Query, Tx } from '@umpire/runtime';

/** What was done to the record itself, by whom. */
export type LogEntry = { kind: 'export' | 'person_export' | 'key' | 'retention' | 'erasure'; by: string; [field: string]: unknown };

/**
 * Adds to a namespace's own log. Entries of one namespace are written one after the other: each is chained to the one before.
 * @returns its number
 */
export async function appendLog(tx: Tx, namespace: string, { kind, ...entry }: LogEntry): Promise<number> {
  await tx`select pg_advisory_xact_lock(hashtextextended(${`umpire-audit-log:${namespace}`}, 0))`;
  const [row] = await tx<{ number: number; hash: Uint8Array | null; at: string }[]>`
    select coalesce(l.number, 0) as number, l.hash, to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at
    from (select 1) as one left join lateral (
      select number, hash from store.audit_log where namespace = ${namespace} order by number desc limit 1
    ) as l on true`;
  const number = row!.number + 1;
  const text = JSON.stringify(entry);
  const salt = randomBytes(16);
  const digest = saltedDigest(salt, text);
  const hash = logHash(row!.hash ?? CHAIN_START, { namespace, number, at: row!.at, kind, digest });
  await tx`
    insert into store.audit_log (namespace, number, at, kind, entry, salt, digest, hash)
    values (${namespace}, ${number}, ${row!.at}, ${kind}, convert_to(${text}, 'UTF8'), decode(${hexOf(salt)}, 'hex'), decode(${hexOf(digest)}, 'hex'), decode(${hexOf(hash)}, 'hex'))`;
  return number;
}

/** Who asks, as the log names them. */
export const askerOf = ({ user_id, key_id }: Principal): string => user_id ?? `key:${key_id}`;

/** An entry of a namespace's log as it was written; null where there is none of this kind, or somebody else's. */
export async function ownEntry(sql: Query, caller: Principal, kind: LogEntry['kind'], number: number): Promise<Record<string, unknown> | null> {
  const [row] = await sql<{ entry: string }[]>`
    select convert_from(entry, 'UTF8') as entry from store.audit_log where namespace = ${caller.namespace} and number = ${number} and kind = ${kind}`;
  const entry = row ? (JSON.parse(row.entry) as Record<string, unknown>) : null;
  return entry?.['by'] === askerOf(caller) ? entry : null;
}

export type LogRow = { number: number; at: string; kind: string; entry: string; salt: string; digest: string; hash: string };

/** Entries behind `after`, up to and with `until`, in order; salts, digests and hashes as hex. */
export const logEntries = (sql: Query, namespace: string, after: number, until: number, limit: number) =>
  sql<LogRow[]>`
    select number, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, kind, convert_from(entry, 'UTF8') as entry,
      encode(salt, 'hex') as salt, encode(digest, 'hex') as digest, encode(hash, 'hex') as hash
    from store.audit_log where namespace = ${namespace} and number > ${after} and number <= ${until} order by number limit ${limit}`;

/** Where a namespace's log stands; number 0 before its first entry. */
export async function logHead(sql: Query, namespace: string): Promise<{ number: number; hash: Uint8Array }> {
  const [row] = await sql<{ number: number; hash: Uint8Array }[]>`select number, hash from store.audit_log where namespace = ${namespace} order by number desc limit 1`;
  return row ?? { number: 0, hash: CHAIN_START };
}

/** Namespaces whose log has grown since their last checkpoint. */
export const namespacesWithNewEntries = (sql: Query) =>
  sql<{ namespace: string }[]>`
    with recursive space as (
      (select namespace from store.audit_log order by namespace limit 1)
      union all
      select (select l.namespace from store.audit_log l where l.namespace > space.namespace order by l.namespace limit 1) from space where space.namespace is not null
    )
    select s.namespace from space s
    where s.namespace is not null
      and (select number from store.audit_log l where l.namespace = s.namespace order by number desc limit 1)
        > coalesce((select log_number from store.checkpoints c where c.namespace = s.namespace order by number desc limit 1), 0)`;
