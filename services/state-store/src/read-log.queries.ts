import type { Query } from '@umpire/runtime';
import { utc } from './keys.queries.ts';

/** One read, as it is written down. */
export type ReadRow = {
  namespace: string;
  what: string;
  via: 'http' | 'socket' | 'nats';
  request_id: string | null;
  shown: string[];
  subject_user: string | null;
  filter_digest: string | null;
  user_id: string | null;
  key_id: string | null;
  auth: 'api_key' | 'jwt' | 'session' | 'nats';
  address: string | null;
  forwarded_for: string | null;
  trace_id: string | null;
};

/** A read as it is shown. `at` RFC 3339. */
export type ReadView = ReadRow & { id: string; at: string };

/** A read on its way: its id, and, once a first attempt to write it has begun, the time that it has in the log for good. */
export type WaitingRead = { id: string; at: string | null; row: ReadRow };

/** One writer at a time under a name, to the end of the transaction. @returns the database's clock, RFC 3339, as fine as the log's */
export async function lockReads(sql: Query, writer: string): Promise<string> {
  const [row] = await sql<{ at: string }[]>`select to_char(clock_timestamp()::timestamptz(3) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, pg_advisory_xact_lock(hashtextextended(${writer}, 0))`;
  return row!.at;
}

/**
 * One statement whatever the number of rows: arrays of arrays do not exist in Postgres, so the ids travel as JSON. What an earlier attempt
 * has written already, without anybody hearing of it, is left out: a row's place in the index by time says so.
 */
export async function insertReads(sql: Query, reads: (WaitingRead & { at: string })[]): Promise<void> {
  const rows = reads.map(({ row }) => row);
  const texts = (pick: (row: ReadRow) => string | null) => rows.map(pick);
  await sql`
    insert into store.reads (id, at, namespace, what, via, request_id, shown, subject_user, filter_digest, user_id, key_id, auth, address, forwarded_for, trace_id)
    select id, at, namespace, what, via, request_id, case shown when '[]' then '{}' else array(select jsonb_array_elements_text(shown::jsonb)) end,
      subject_user, filter_digest, user_id, key_id, auth, address, forwarded_for, trace_id
    from unnest(
      ${reads.map(({ id }) => id)}::uuid[], ${reads.map(({ at }) => at)}::timestamptz[], ${texts((row) => row.namespace)}::text[], ${texts((row) => row.what)}::text[], ${texts((row) => row.via)}::text[],
      ${texts((row) => row.request_id)}::text[], ${texts((row) => JSON.stringify(row.shown))}::text[], ${texts((row) => row.subject_user)}::text[],
      ${texts((row) => row.filter_digest)}::text[], ${texts((row) => row.user_id)}::text[], ${texts((row) => row.key_id)}::text[], ${texts((row) => row.auth)}::text[],
      ${texts((row) => row.address)}::text[], ${texts((row) => row.forwarded_for)}::text[], ${texts((row) => row.trace_id)}::text[]
    ) as given (id, at, namespace, what, via, request_id, shown, subject_user, filter_digest, user_id, key_id, auth, address, forwarded_for, trace_id)
    where not exists (select from store.reads as kept where kept.namespace = given.namespace and kept.at = given.at and kept.id = given.id)`;
}

/** @returns how many weeks were dropped */
export async function keepReads(sql: Query, days: number): Promise<number> {
  const [row] = await sql<{ dropped: number }[]>`select store.keep_reads(make_interval(days => ${days}::integer)) as dropped`;
  return row!.dropped;
}

export type ReadFilter = { request_id: string | null; user_id: string | null; what: string | null; since: string; until: string | null };
export type ReadCursor = { at: string; id: string };

/** A page, newest first. An id is looked for in both: what was asked for by it, and the lists that showed it. */
export function findReads(sql: Query, namespace: string, filter: ReadFilter, after: ReadCursor | null, limit: number) {
  const rest = sql`
    and at >= ${filter.since}::timestamptz and (${filter.until}::timestamptz is null or at < ${filter.until}::timestamptz)
    and (${filter.user_id}::text is null or user_id = ${filter.user_id}) and (${filter.what}::text is null or what = ${filter.what})
    and (${after?.at ?? null}::timestamptz is null or (at, id) < (${after?.at ?? null}::timestamptz, ${after?.id ?? null}::uuid))
    order by at desc, id desc limit ${limit}`;
  const columns = sql`id, namespace, at, what, via, request_id, shown, subject_user, filter_digest, user_id, key_id, auth, address, forwarded_for, trace_id`;
  const rows = filter.request_id === null
    ? sql`select ${columns} from store.reads where namespace = ${namespace} ${rest}`
    : sql`(select ${columns} from store.reads where namespace = ${namespace} and request_id = ${filter.request_id} ${rest})
        union all (select ${columns} from store.reads where namespace = ${namespace} and shown @> array[${filter.request_id}]::text[] ${rest})`;
  return sql<ReadView[]>`
    select id, namespace, ${utc(sql, 'at')}, what, via, request_id, shown, subject_user, filter_digest, user_id, key_id, auth, address, forwarded_for, trace_id
    from (${rows}) as found order by found.at desc, id desc limit ${limit}`;
}
