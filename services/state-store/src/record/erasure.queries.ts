import type { Query } from '@umpire/runtime';

export type ErasureRow = {
  id: string;
  namespace: string;
  scope: 'content' | 'person';
  request_id: string | null;
  user_id: string | null;
  pseudonym: string | null;
  reason: string;
  requested_by: string;
  requested_at: string;
  after_id: string;
  escalations: number;
  events: number;
  done_at: string | null;
};

const columns = (sql: Query) => sql`id, namespace, scope, request_id, user_id, pseudonym, reason, requested_by,
  to_char(requested_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as requested_at, after_id, escalations, events,
  to_char(done_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as done_at`;

/** @param erasure done at once where `done`: an escalation's */
export async function insertErasure(sql: Query, erasure: Pick<ErasureRow, 'id' | 'namespace' | 'scope' | 'request_id' | 'user_id' | 'pseudonym' | 'reason' | 'requested_by'> & { done: boolean; events: number }): Promise<ErasureRow> {
  const [row] = await sql<ErasureRow[]>`
    insert into store.erasures (id, namespace, scope, request_id, user_id, pseudonym, reason, requested_by, escalations, events, done_at)
    values (${erasure.id}, ${erasure.namespace}, ${erasure.scope}, ${erasure.request_id}, ${erasure.user_id}, ${erasure.pseudonym}, ${erasure.reason}, ${erasure.requested_by},
      ${erasure.done ? 1 : 0}, ${erasure.events}, case when ${erasure.done} then clock_timestamp() end)
    returning ${columns(sql)}`;
  return row!;
}

export async function findErasure(sql: Query, namespace: string, id: string): Promise<ErasureRow | null> {
  const [row] = await sql<ErasureRow[]>`select ${columns(sql)} from store.erasures where namespace = ${namespace} and id = ${id}`;
  return row ?? null;
}

/** A person's erasure that is still under way. */
export async function openErasureOf(sql: Query, namespace: string, userId: string): Promise<ErasureRow | null> {
  const [row] = await sql<ErasureRow[]>`select ${columns(sql)} from store.erasures where namespace = ${namespace} and scope = 'person' and user_id = ${userId} and done_at is null limit 1`;
  return row ?? null;
}

/** Newest first, behind a place. */
export const listErasures = (sql: Query, namespace: string, before: string | null, limit: number) =>
  sql<ErasureRow[]>`
    select ${columns(sql)} from store.erasures
    where namespace = ${namespace} and id < coalesce(${before}::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff') order by id desc limit ${limit}`;

/**
 * Takes an erasure that is under way for this transaction; null while there is none, or others have them. It begins ten seconds after it was
 * asked for: credentials are remembered for five, and nothing shall be done under the name behind its back.
 */
export async function takeErasure(sql: Query): Promise<ErasureRow | null> {
  const [row] = await sql<ErasureRow[]>`select ${columns(sql)} from store.erasures where done_at is null and requested_at < clock_timestamp() - interval '10 seconds' order by requested_at limit 1 for update skip locked`;
  return row ?? null;
}

export async function advanceErasure(sql: Query, id: string, step: { after_id: string; escalations: number; events: number }): Promise<void> {
  await sql`update store.erasures set after_id = ${step.after_id}, escalations = escalations + ${step.escalations}, events = events + ${step.events} where id = ${id}`;
}

/** The person's name goes from here as well. @returns null where another replica has finished it */
export async function finishErasure(sql: Query, id: string): Promise<ErasureRow | null> {
  const [row] = await sql<ErasureRow[]>`update store.erasures set user_id = null, done_at = clock_timestamp() where id = ${id} and done_at is null returning ${columns(sql)}`;
  return row ?? null;
}

/** Which of the ids still have events that JetStream has not acknowledged: those have to be told first. */
export const unpublishedOf = (sql: Query, namespace: string, ids: string[]) =>
  sql<{ request_id: string }[]>`select distinct request_id from store.outbox where namespace = ${namespace} and request_id = any (${ids})`;

/** Events that webhooks tell of: whoever keeps what they said finds it by these ids. */
const TOLD = ['opened', 'raised', 'reminded', 'iterated', 'resolved', 'expired', 'cancelled'];

export async function toldEvents(sql: Query, namespace: string, ids: string[]): Promise<Map<string, string[]>> {
  const rows = await sql<{ request_id: string; event_ids: string[] }[]>`
    select request_id, array_agg(id::text order by seq) as event_ids from store.events where namespace = ${namespace} and request_id = any (${ids}) and type = any (${TOLD}) group by request_id`;
  return new Map(rows.map((row) => [row.request_id, row.event_ids]));
}

/** Takes away actors, data and payloads; how many events had any is counted first. */
export async function eraseContent(sql: Query, namespace: string, ids: string[]): Promise<number> {
  const [row] = await sql<{ events: number }[]>`
    select count(*)::int as events from store.events where namespace = ${namespace} and request_id = any (${ids}) and type <> 'erased' and (actor is not null or data is not null)`;
  await sql`select store.erase_content(${namespace}, ${ids})`;
  await sql`
    update store.escalations set claimed_by = null, excluded = '{}', task_id = null, summary = null, prompt = null, content_digest = null
    where namespace = ${namespace} and request_id = any (${ids})`;
  await sql`delete from store.assignments where namespace = ${namespace} and request_id = any (${ids})`;
  await sql`delete from store.tombstones where namespace = ${namespace} and request_id = any (${ids})`;
  // A verdict may be what somebody wrote.
  await sql`update store.oversight_ends set verdict = null where namespace = ${namespace} and request_id = any (${ids})`;
  await sql`update store.oversight_answers set verdict = null where namespace = ${namespace} and request_id = any (${ids})`;
  return row!.events;
}

/** The id behind which the next so many escalations of a namespace end, in the order of the key; null at the end. */
export async function windowEnd(sql: Query, namespace: string, after: string, size: number): Promise<string | null> {
  const [row] = await sql<{ request_id: string }[]>`
    select max(request_id) as request_id from (
      select request_id from store.escalations where namespace = ${namespace} and request_id > ${after} order by request_id limit ${size}) as part`;
  return row?.request_id ?? null;
}

/**
 * Escalations of a window in which a text stands as a whole JSON string: state, actors or data. All of those were written by one printer
 * of JSON, so that a name has one spelling there.
 */
export async function escalationsNaming(sql: Query, namespace: string, window: { after: string; until: string }, needle: string): Promise<string[]> {
  const rows = await sql<{ request_id: string }[]>`
    select request_id from store.escalations
    where namespace = ${namespace} and request_id > ${window.after} and request_id <= ${window.until} and position(convert_to(${needle}, 'UTF8') in state) > 0
    union
    select request_id from store.events
    where namespace = ${namespace} and request_id > ${window.after} and request_id <= ${window.until}
      and (position(convert_to(${needle}, 'UTF8') in actor) > 0 or (type <> 'erased' and position(convert_to(${needle}, 'UTF8') in data) > 0))
    order by 1`;
  return rows.map((row) => row.request_id);
}

export type NamingEvent = { request_id: string; seq: number; type: string; actor: string | null; data: string | null };

export const eventsNaming = (sql: Query, namespace: string, ids: string[], needle: string) =>
  sql<NamingEvent[]>`
    select request_id, seq, type, case when position(convert_to(${needle}, 'UTF8') in actor) > 0 then convert_from(actor, 'UTF8') end as actor,
      case when type <> 'erased' and position(convert_to(${needle}, 'UTF8') in data) > 0 then convert_from(data, 'UTF8') end as data
    from store.events
    where namespace = ${namespace} and request_id = any (${ids})
      and (position(convert_to(${needle}, 'UTF8') in actor) > 0 or (type <> 'erased' and position(convert_to(${needle}, 'UTF8') in data) > 0))
    order by request_id, seq`;

export async function redactEvents(sql: Query, namespace: string, events: NamingEvent[]): Promise<void> {
  if (events.length === 0) return;
  await sql`
    select store.redact_events(${namespace}, ${events.map((e) => e.request_id)}::text[], ${events.map((e) => e.seq)}::int[], ${events.map((e) => e.actor)}::text[], ${events.map((e) => e.data)}::text[])`;
}

/** Digests of payloads that are kept: an event that named one is changed, and the erasure names it again. */
export const payloadDigests = (sql: Query, namespace: string, ids: string[]) =>
  sql<{ request_id: string; digest: Uint8Array }[]>`
    select request_id, digest from store.payloads where namespace = ${namespace} and request_id = any (${ids}) and body is not null`;

/** The projections of a person's name beside the state. */
export async function renameInRows(sql: Query, namespace: string, ids: string[], person: string, name: string): Promise<void> {
  await sql`
    update store.escalations set claimed_by = case when claimed_by = ${person} then ${name} else claimed_by end, excluded = array_replace(excluded, ${person}, ${name})
    where namespace = ${namespace} and request_id = any (${ids})`;
  await sql`update store.assignments set principal = ${`u:${name}`} where namespace = ${namespace} and request_id = any (${ids}) and principal = ${`u:${person}`}`;
}

/** The read log's rows by a person, or of their inbox, a batch at a time. @returns how many were changed */
export async function renameInReads(sql: Query, namespace: string, person: string, name: string): Promise<number> {
  const rows = await sql`
    update store.reads r set user_id = case when r.user_id = ${person} then ${name} else r.user_id end, subject_user = case when r.subject_user = ${person} then ${name} else r.subject_user end
    from (select id, at from store.reads where namespace = ${namespace} and (user_id = ${person} or subject_user = ${person}) limit 2000) as part
    where r.id = part.id and r.at = part.at and r.namespace = ${namespace} returning 1`;
  return rows.length;
}

/** Pending escalations that still ask a person, oldest first. */
export async function stillAsked(sql: Query, namespace: string, person: string, limit: number): Promise<string[]> {
  const rows = await sql<{ request_id: string }[]>`
    select request_id from store.assignments where namespace = ${namespace} and principal = ${`u:${person}`} and open order by opened_at, request_id limit ${limit}`;
  return rows.map((row) => row.request_id);
}

/**
 * Figures of who decided. The loops that write them follow behind: their cursors are waited for, so that none is about to add the name again.
 */
export async function renameInFigures(sql: Query, namespace: string, person: string, name: string): Promise<void> {
  // The version before counts people behind a cursor of its own while it goes on beside this one.
  await sql`select 1 from store.stats_cursor for update`;
  await sql`select 1 from store.stats_position for update`;
  await sql`select 1 from store.oversight_cursor for update`;
  await sql`
    with gone as (delete from store.stats_people where namespace = ${namespace} and user_id = ${person} returning hour, votes, seconds)
    insert into store.stats_people as p (namespace, hour, user_id, votes, seconds) select ${namespace}, hour, ${name}, votes, seconds from gone
    on conflict (namespace, hour, user_id) do update set votes = p.votes + excluded.votes, seconds = p.seconds + excluded.seconds`;
  await sql`update store.oversight_answers set user_id = ${name} where namespace = ${namespace} and user_id = ${person}`;
}

/** Keys, groups, delegations and sessions: what gives access ends, what tells who did something names nobody any more. */
export async function forgetIdentity(sql: Query, namespace: string, person: string, name: string): Promise<void> {
  await sql`delete from identity.sessions where namespace = ${namespace} and (user_id = ${person} or key_id in (select id from identity.keys where namespace = ${namespace} and user_id = ${person}))`;
  await sql`
    update identity.keys set user_id = case when user_id = ${person} then ${name} else user_id end, name = case when user_id = ${person} then ${name} else name end,
      revoked_at = case when user_id = ${person} then coalesce(revoked_at, clock_timestamp()) else revoked_at end,
      created_by = case when created_by = ${person} then ${name} else created_by end, revoked_by = case when revoked_by = ${person} then ${name} else revoked_by end
    where namespace = ${namespace} and (user_id = ${person} or created_by = ${person} or revoked_by = ${person})`;
  await sql`delete from identity.group_members where namespace = ${namespace} and user_id = ${person}`;
  await sql`
    update identity.delegations set
      revoked_at = case when from_user = ${person} or to_user = ${person} then coalesce(revoked_at, clock_timestamp()) else revoked_at end,
      revoked_by = case when revoked_by = ${person} or (revoked_by is null and (from_user = ${person} or to_user = ${person})) then ${name} else revoked_by end,
      note = case when from_user = ${person} or to_user = ${person} then null else note end,
      created_by = case when created_by = ${person} then ${name} else created_by end,
      from_user = case when from_user = ${person} then ${name} else from_user end, to_user = case when to_user = ${person} then ${name} else to_user end
    where namespace = ${namespace} and (from_user = ${person} or to_user = ${person} or created_by = ${person} or revoked_by = ${person})`;
  await sql`update store.erasures set requested_by = ${name} where namespace = ${namespace} and requested_by = ${person}`;
}
