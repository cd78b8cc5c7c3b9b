import { hexOf } from '@umpire/record';
import type { Query } from '@umpire/runtime';

/** Rows of one statement: what is made for it and read of it keeps the process from everything else. */
const AT_ONCE = 500;

export type CheckpointCursor = { xid: string; namespace: string; request_id: string; idle_seconds: number };
export type GrownChain = { namespace: string; request_id: string; xid: string; seq: number; head: Uint8Array; after_seq: number; after_hash: Uint8Array | null };

/**
 * Takes the cursor for this transaction; null while another replica has it. A cursor from another cluster's future begins anew: what is
 * sealed already is passed over.
 * @param wait until the other replica is done
 */
export async function takeCheckpointCursor(sql: Query, wait: boolean): Promise<CheckpointCursor | null> {
  const [row] = await sql<CheckpointCursor[]>`
    select case when changed_xid > pg_snapshot_xmax(pg_current_snapshot()) then '0' else changed_xid::text end as xid, namespace, request_id,
      least(extract(epoch from clock_timestamp() - moved_at), 1e9)::float8 as idle_seconds
    from store.checkpoint_cursor ${wait ? sql`for update` : sql`for update skip locked`}`;
  return row ?? null;
}

/** @returns seconds since something was last sealed, or found not to need it; waits for no replica that seals now */
export async function sealingAge(sql: Query): Promise<number> {
  const [row] = await sql<{ seconds: number }[]>`select least(extract(epoch from clock_timestamp() - moved_at), 1e9)::float8 as seconds from store.checkpoint_cursor`;
  return row!.seconds;
}

/** A null place keeps where it stands and only notes the time. */
export async function moveCheckpointCursor(sql: Query, to: { xid: string; namespace: string; request_id: string } | null): Promise<void> {
  if (to === null) await sql`update store.checkpoint_cursor set moved_at = clock_timestamp()`;
  else await sql`update store.checkpoint_cursor set changed_xid = ${to.xid}::text::xid8, namespace = ${to.namespace}, request_id = ${to.request_id}, moved_at = clock_timestamp()`;
}

/** The id that the next transaction will have. */
export async function nextXid(sql: Query): Promise<string> {
  const [row] = await sql<{ xid: string }[]>`select pg_snapshot_xmax(pg_current_snapshot())::text as xid`;
  return row!.xid;
}

/** Whether every transaction below an id has ended. */
export async function isOver(sql: Query, xid: string): Promise<boolean> {
  const [row] = await sql<{ over: boolean }[]>`select pg_snapshot_xmin(pg_current_snapshot()) >= ${xid}::text::xid8 as over`;
  return row!.over;
}

/**
 * Escalations changed behind the cursor, below the oldest running transaction, with the head sealed last. A statement's snapshot, so
 * head and `seq` belong together.
 */
export const grownChains = (sql: Query, { xid, namespace, request_id }: Omit<CheckpointCursor, 'idle_seconds'>, limit: number) =>
  sql<GrownChain[]>`
    select e.namespace, e.request_id, e.changed_xid::text as xid, e.seq, e.head, coalesce(s.seq, 0) as after_seq, s.hash as after_hash
    from (
      select namespace, request_id, changed_xid, seq, head from store.escalations
      where changed_xid < pg_snapshot_xmin(pg_current_snapshot())
        and changed_xid >= ${xid}::text::xid8
        and (changed_xid > ${xid}::text::xid8 or (namespace, request_id) > (${namespace}, ${request_id}))
      order by changed_xid, namespace, request_id limit ${limit}
    ) as e
    left join lateral (
      select seq, hash from store.sealed_heads h where h.namespace = e.namespace and h.request_id = e.request_id order by h.seq desc limit 1
    ) as s on true
    order by e.changed_xid, e.namespace, e.request_id`;

/** How many escalations have changed behind the cursor, counted up to a bound. */
export async function countChanged(sql: Query, { xid, namespace, request_id }: Omit<CheckpointCursor, 'idle_seconds'>, bound: number): Promise<number> {
  const [row] = await sql<{ changed: number }[]>`
    select count(*)::int as changed from (
      select from store.escalations
      where changed_xid < pg_snapshot_xmin(pg_current_snapshot())
        and changed_xid >= ${xid}::text::xid8
        and (changed_xid > ${xid}::text::xid8 or (namespace, request_id) > (${namespace}, ${request_id}))
      limit ${bound}) as counted`;
  return row!.changed;
}

export type CheckpointRow = { number: number; at: string; jws: string; digest: Uint8Array; chains: number; events: number; log_number: number; log_hash: Uint8Array };

const columns = (sql: Query) => sql`number, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, jws, digest, chains, events, log_number, log_hash`;

export async function lastCheckpoint(sql: Query, namespace: string): Promise<CheckpointRow | null> {
  const [row] = await sql<CheckpointRow[]>`select ${columns(sql)} from store.checkpoints where namespace = ${namespace} order by number desc limit 1`;
  return row ?? null;
}

export async function checkpointNumber(sql: Query, namespace: string, number: number): Promise<CheckpointRow | null> {
  const [row] = await sql<CheckpointRow[]>`select ${columns(sql)} from store.checkpoints where namespace = ${namespace} and number = ${number}`;
  return row ?? null;
}

/** Newest first, below `before`. */
export const checkpointsBefore = (sql: Query, namespace: string, before: number, limit: number) =>
  sql<CheckpointRow[]>`select ${columns(sql)} from store.checkpoints where namespace = ${namespace} and number < ${before} order by number desc limit ${limit}`;

/** The first checkpoint made at or after a time (RFC 3339); null if there is none yet. */
export async function checkpointAt(sql: Query, namespace: string, time: string): Promise<number | null> {
  const [row] = await sql<{ number: number }[]>`select number from store.checkpoints where namespace = ${namespace} and at >= ${time}::timestamptz order by at, number limit 1`;
  return row?.number ?? null;
}

export type NewCheckpoint = Omit<CheckpointRow, 'digest' | 'log_hash'> & { namespace: string; kid: string; digest: string; log_hash: string };

/** Keeps a checkpoint and what it sealed. */
export async function insertCheckpoint(sql: Query, checkpoint: NewCheckpoint, chains: GrownChain[]): Promise<void> {
  const { namespace, number } = checkpoint;
  await sql`
    insert into store.checkpoints (namespace, number, at, kid, jws, digest, chains, events, log_number, log_hash)
    values (${namespace}, ${number}, ${checkpoint.at}, ${checkpoint.kid}, ${checkpoint.jws}, decode(${checkpoint.digest}, 'hex'), ${checkpoint.chains}, ${checkpoint.events},
      ${checkpoint.log_number}, decode(${checkpoint.log_hash}, 'hex'))`;
  for (let from = 0; from < chains.length; from += AT_ONCE) await insertHeads(sql, namespace, number, chains.slice(from, from + AT_ONCE));
}

const insertHeads = (sql: Query, namespace: string, number: number, chains: GrownChain[]) =>
  sql`
    insert into store.sealed_heads (namespace, request_id, seq, hash, after_seq, after_hash, number)
    select ${namespace}, request_id, seq, decode(hash, 'hex'), after_seq, decode(after_hash, 'hex'), ${number}
    from unnest(${chains.map((c) => c.request_id)}::text[], ${chains.map((c) => c.seq)}::int[], ${chains.map((c) => hexOf(c.head))}::text[],
      ${chains.map((c) => c.after_seq)}::int[], ${chains.map((c) => (c.after_hash === null ? null : hexOf(c.after_hash)))}::text[]) as t (request_id, seq, hash, after_seq, after_hash)`;

/** The first checkpoint that seals an event, or null while none does. */
export async function sealOf(sql: Query, namespace: string, requestId: string, seq: number): Promise<{ number: number; digest: Uint8Array } | null> {
  const [row] = await sql<{ number: number; digest: Uint8Array }[]>`
    select c.number, c.digest from store.sealed_heads h join store.checkpoints c on c.namespace = h.namespace and c.number = h.number
    where h.namespace = ${namespace} and h.request_id = ${requestId} and h.seq >= ${seq} order by h.seq limit 1`;
  return row ?? null;
}
