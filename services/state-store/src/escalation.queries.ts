import type { EscalationState } from '@umpire/domain';
import { hexOf } from '@umpire/record';
import { databaseClock, type Query, type TraceContext, type Tx } from '@umpire/runtime';
import type { EventRecord } from './event-record.ts';
import { searchDocument } from './search-words.ts';

export type Key = { namespace: string; request_id: string };

const PRIORITY_RANK = { low: 0, normal: 1, high: 2, critical: 3 } as const;

/** What a new escalation is stored as: its state after `opened`, the event, and the producer's payload as it came: JSON in UTF-8. */
export type NewEscalation = {
  state: EscalationState;
  event: EventRecord;
  payload: Uint8Array;
  /** As one hex: the payload's salt (16 bytes) and digest (32), then the content's digest. */
  payload_seal: string;
  submission: string;
  trace: TraceContext;
  task_id: string | null;
  summary: string | null;
};

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
/** Text columns refuse U+0000; the truth in `state` keeps it. */
const plain = (text: string | null | undefined) => text?.replaceAll('\u0000', '\uFFFD').toWellFormed().slice(0, 4_000) ?? null;
const documentOf = ({ state, task_id, summary }: Pick<NewEscalation, 'state' | 'task_id' | 'summary'>) => {
  const { pattern, priority, prompt } = state.rules;
  return searchDocument(state.namespace, { pattern, priority, policy: plain(state.policy?.id) }, [plain(task_id), plain(summary), plain(prompt)]);
};
const principalOfUser = (user: string) => plain(`u:${user}`)!;
/** Who has it in their inbox: the electorate, and whoever answers from a seat of it for a time. */
const principalsOf = ({ electorate, delegations }: Pick<EscalationState, 'electorate' | 'delegations'>) => [
  ...new Set([...electorate.users.map(principalOfUser), ...delegations.filter((one) => !one.ended).map((one) => principalOfUser(one.to)), ...electorate.roles.map((role) => plain(`r:${role}`)!)]),
];

/** Postgres' oid of `text`. */
const TEXT = 25;

/**
 * Texts as one, with where each begins (from 1) and how long it is, in bytes: in an array every quote in them would be escaped here and
 * unescaped there. A sub-select makes bytes of it once; as a column it would be copied into every row that is joined with it. In UTF-8, so
 * that what is on its way is no garbage of V8's; the driver's patch sends it as it is.
 */
function packTexts(query: Query, texts: (string | Uint8Array)[]) {
  const length = texts.map((text) => Buffer.byteLength(text));
  let end = 1;
  const at = length.map((bytes) => (end += bytes) - bytes);
  const packed = Buffer.allocUnsafe(end - 1);
  texts.forEach((text, index) => (typeof text === 'string' ? packed.write(text, at[index]! - 1) : packed.set(text, at[index]! - 1)));
  return { text: query.typed(packed, TEXT), at, length };
}

/** An array whose values need no quotes: numbers, hex, uuids, times, words of ours other than `null`. The driver quotes and escapes each of what it is given as an array. */
const plainArray = (values: (string | number | null)[]) => `{${values.map((value) => value ?? 'null').join(',')}}`;

/**
 * Stores new escalations in one statement, which is its own transaction: hot row, payload, event, assignments and outbox row, or
 * nothing of it. Those whose key is taken are left alone.
 *
 * Payload, data and state travel as text and become bytes in the server: half the size of hex. JSON text cannot hold a raw
 * U+0000, so text never refuses it; what is not UTF-8 the server refuses.
 * @param at the time that they are opened at (ms since the epoch): nothing is stored if the database's clock is behind it, or ahead by
 *   more than `withinMs`, so that what was given up on the way cannot be stored late
 * @returns the database's clock when the statement began, whether that was in time, and keys that were new
 */
export async function insertEscalations(sql: Query, items: NewEscalation[], { at, withinMs }: { at: number; withinMs: number }): Promise<{ now: number; inTime: boolean; opened: Key[] }> {
  const assignments = items.flatMap((item, index) => principalsOf(item.state).map((principal) => ({ index: index + 1, principal })));
  const [states, payloads] = [packTexts(sql, items.map((i) => JSON.stringify(i.state))), packTexts(sql, items.map((i) => i.payload))];
  const [actors, data] = [packTexts(sql, items.map((i) => i.event.actor)), packTexts(sql, items.map((i) => i.event.data))];
  const rows = await sql<({ now: number; in_time: boolean } & (Key | { request_id: null }))[]>`
    with clock as materialized (
      select now, now between ${at}::float8 and ${at}::float8 + ${withinMs} as in_time from (select ${databaseClock(sql)} as now) as looked
    ), input as (
      select *, decode(sealed, 'hex') as seal from unnest(
        ${items.map((i) => i.state.namespace)}::text[], ${items.map((i) => i.state.request_id)}::text[], ${plainArray(items.map((i) => i.state.reason))}::text[],
        ${plainArray(items.map((i) => i.state.kind))}::text[], ${plainArray(items.map((i) => i.state.rules.pattern))}::text[], ${plainArray(items.map((i) => i.state.revision))}::int[],
        ${plainArray(items.map((i) => PRIORITY_RANK[i.state.rules.priority]))}::smallint[], ${items.map((i) => JSON.stringify(i.state.excluded.map((user) => plain(user))))}::text[],
        ${plainArray(items.map((i) => iso(i.state.opened_at)))}::timestamptz[], ${plainArray(items.map((i) => iso(i.state.deadline)))}::timestamptz[],
        ${items.map((i) => plain(i.task_id))}::text[], ${items.map((i) => plain(i.summary))}::text[], ${items.map((i) => plain(i.state.rules.prompt))}::text[],
        ${items.map((i) => plain(i.state.pipeline_name))}::text[], ${items.map((i) => plain(i.state.step_name))}::text[],
        ${items.map((i) => i.submission)}::text[], ${plainArray(items.map((i) => i.event.id))}::uuid[], ${plainArray(items.map((i) => i.event.seal + i.payload_seal))}::text[],
        ${plainArray(states.at)}::int[], ${plainArray(states.length)}::int[], ${plainArray(payloads.at)}::int[], ${plainArray(payloads.length)}::int[],
        ${plainArray(actors.at)}::int[], ${plainArray(actors.length)}::int[], ${plainArray(data.at)}::int[], ${plainArray(data.length)}::int[],
        ${items.map((i) => plain(i.state.policy?.id))}::text[], ${items.map(documentOf)}::text[], ${items.map((i) => i.trace ?? null)}::text[]
      ) with ordinality as t (
        namespace, request_id, reason, kind, pattern, revision, priority, excluded, opened_at, deadline, task_id, summary, prompt, pipeline_name,
        step_name, submission, event_id, sealed, state, state_length, payload, payload_length, actor, actor_length, data, data_length,
        policy, document, traceparent, position)
      where (select in_time from clock)
    ), opened as (
      insert into store.escalations (namespace, request_id, reason, kind, pattern, status, seq, revision, level, priority, overdue, excluded, opened_at,
        deadline, task_id, summary, prompt, pipeline_name, step_name, policy, submission, content_digest, head, state, traceparent)
      select namespace, request_id, reason, kind, pattern, 'pending', 1, revision, 0, priority, false,
        array(select jsonb_array_elements_text(excluded::jsonb)), opened_at, deadline, task_id, summary, prompt, pipeline_name, step_name,
        policy, submission, substring(seal from 177), substring(seal from 97 for 32),
        substring((select convert_to(${states.text}, 'UTF8')) from state for state_length), traceparent
      from input order by namespace, request_id
      on conflict (namespace, request_id) do nothing
      returning namespace, request_id
    ), kept as (
      insert into store.payloads (namespace, request_id, body, salt, digest, document, opened_at)
      select namespace, request_id, substring((select convert_to(${payloads.text}, 'UTF8')) from payload for payload_length),
        substring(seal from 129 for 16), substring(seal from 145 for 32), array_to_tsvector(string_to_array(document, ' ')), opened_at
      from input join opened using (namespace, request_id)
    ), logged as (
      insert into store.events (namespace, request_id, seq, id, type, occurred_at, actor, actor_salt, actor_digest, data, data_salt, data_digest, hash)
      select namespace, request_id, 1, event_id, 'opened', opened_at, substring((select convert_to(${actors.text}, 'UTF8')) from actor for actor_length),
        substring(seal from 1 for 16), substring(seal from 33 for 32), substring((select convert_to(${data.text}, 'UTF8')) from data for data_length),
        substring(seal from 17 for 16), substring(seal from 65 for 32), substring(seal from 97 for 32)
      from input join opened using (namespace, request_id)
    ), assigned as (
      insert into store.assignments (namespace, request_id, principal, opened_at, open)
      select i.namespace, i.request_id, a.principal, i.opened_at, true
      from unnest(${plainArray(assignments.map((a) => a.index))}::int[], ${assignments.map((a) => a.principal)}::text[]) as a (position, principal)
      join input i on i.position = a.position join opened using (namespace, request_id)
      on conflict do nothing
    ), queued as (
      insert into store.outbox (namespace, request_id, seq) select namespace, request_id, 1 from opened
    )
    select now, in_time, namespace, request_id from clock left join opened on true`;
  const { now, in_time } = rows[0]!;
  return { now, inTime: in_time, opened: rows.filter((row) => row.request_id !== null) };
}

/** What an earlier submission under the same key was. */
export async function findSubmissions(sql: Query, keys: Key[]) {
  return sql<(Key & { submission: string; content_digest: string | null })[]>`
    select e.namespace, e.request_id, e.submission, encode(e.content_digest, 'hex') as content_digest
    from unnest(${keys.map((k) => k.namespace)}::text[], ${keys.map((k) => k.request_id)}::text[]) as k (namespace, request_id)
    join store.escalations e using (namespace, request_id)`;
}

/** `traceparent` is the context in which it was opened, if that was traced. */
export type CurrentRow = Key & { state: EscalationState; head: Uint8Array; traceparent: string | null };

/** Locks the rows in the one order that all transactions share, so that batches never deadlock. Keys unknown are left out. */
export async function lockEscalations(tx: Query, keys: Key[]): Promise<CurrentRow[]> {
  const rows = await tx<(Omit<CurrentRow, 'state'> & { state: string })[]>`
    select e.namespace, e.request_id, convert_from(e.state, 'UTF8') as state, e.head, e.traceparent
    from store.escalations e
    join unnest(${keys.map((k) => k.namespace)}::text[], ${keys.map((k) => k.request_id)}::text[]) as k (namespace, request_id) using (namespace, request_id)
    order by e.namespace, e.request_id
    for update of e`;
  return rows.map((row) => ({ ...row, state: parseState(row.state) }));
}

/**
 * An escalation as it stands, not locked, with the database's clock, ms: whoever made it so read theirs before.
 * @returns null where the key is unknown
 */
export async function readEscalation(sql: Query, { namespace, request_id }: Key): Promise<{ row: CurrentRow; now: number } | null> {
  const [found] = await sql<{ state: string; head: Uint8Array; traceparent: string | null; now: number }[]>`
    select convert_from(state, 'UTF8') as state, head, traceparent, ${databaseClock(sql)} as now
    from store.escalations where namespace = ${namespace} and request_id = ${request_id}`;
  if (!found) return null;
  const { state, head, traceparent, now } = found;
  return { row: { namespace, request_id, state: parseState(state), head, traceparent }, now };
}

/**
 * A state as queries give it: as text (`convert_from(state, 'UTF8')`), which is half as long on the way as bytes are. JSON text holds
 * nothing that text refuses.
 */
export const parseState = (text: string): EscalationState => JSON.parse(text) as EscalationState;

export type Transition = { state: EscalationState; head: Uint8Array; traceparent: string | null; events: EventRecord[] };

/** Saves what transitions made of rows that this transaction has locked. Assignments follow the electorate while it is pending, and are closed at settlement. */
export async function saveTransitions(tx: Tx, transitions: Transition[]): Promise<void> {
  const saved = await writeTransitions(tx, transitions);
  const made = transitions.reduce((sum, { events }) => sum + events.length, 0);
  if (saved !== made) throw new Error(`${saved} of ${made} events were saved: a row changed that was locked`);
  const revised = transitions.filter((transition) => has(transition, REVISING));
  if (revised.length > 0) await projectPrompts(tx, revised.map((transition) => transition.state));
  const assigned = transitions.filter((transition) => has(transition, ASSIGNING));
  if (assigned.length > 0) await replaceAssignments(tx, assigned.map((transition) => transition.state));
}

const REVISING = new Set(['revised']);
const ASSIGNING = new Set(['reassigned', 'delegated', 'raised']);
const has = ({ events }: Transition, types: ReadonlySet<string>) => events.some(({ type }) => types.has(type));

/** Whether more than one statement is needed to save it. */
export const needsTransaction = (transition: Transition): boolean => has(transition, REVISING) || has(transition, ASSIGNING);

/**
 * Saves what a transition made of a row that nobody locked, if it is still the one that was read.
 * @param transition one that needs no transaction
 * @returns false if somebody has changed it meanwhile: nothing was saved
 */
export const saveUnlessChanged = async (sql: Query, transition: Transition): Promise<boolean> => (await writeTransitions(sql, [transition])) > 0;

/**
 * The rows, their events and outbox rows, in one statement: of each row that still has the `seq` from which its transition began, all of it, of others nothing.
 * @returns how many events were saved
 */
async function writeTransitions(query: Query, transitions: Transition[]): Promise<number> {
  const events = transitions.flatMap((transition) => transition.events);
  const settled = transitions.filter((t) => t.state.status !== 'pending');
  const states = packTexts(query, transitions.map((t) => JSON.stringify(t.state)));
  const [actors, data] = [packTexts(query, events.map((e) => e.actor)), packTexts(query, events.map((e) => e.data))];
  const { count } = await query`
    with input as (
      select * from unnest(
        ${transitions.map((t) => t.state.namespace)}::text[], ${transitions.map((t) => t.state.request_id)}::text[], ${plainArray(transitions.map((t) => t.state.status))}::text[],
        ${plainArray(transitions.map((t) => t.state.seq))}::int[], ${plainArray(transitions.map((t) => t.state.revision))}::int[], ${plainArray(transitions.map((t) => t.state.level))}::smallint[],
        ${plainArray(transitions.map((t) => String(t.state.overdue)))}::boolean[], ${transitions.map((t) => plain(t.state.claim?.user_id))}::text[],
        ${plainArray(transitions.map((t) => iso(t.state.deadline)))}::timestamptz[], ${plainArray(transitions.map((t) => (t.state.status === 'pending' ? null : t.events.at(-1)!.occurred_at)))}::timestamptz[],
        ${plainArray(transitions.map((t) => hexOf(t.head)))}::text[], ${plainArray(states.at)}::int[], ${plainArray(states.length)}::int[],
        ${plainArray(transitions.map((t) => t.state.seq - t.events.length))}::int[]
      ) as t (namespace, request_id, status, seq, revision, level, overdue, claimed_by, deadline, settled_at, head, place, length, from_seq)
    ), saved as (
      update store.escalations e set status = i.status, seq = i.seq, revision = i.revision, level = i.level, overdue = i.overdue,
        claimed_by = i.claimed_by, deadline = i.deadline, settled_at = case when i.status = 'pending' then null else coalesce(e.settled_at, i.settled_at) end,
        head = decode(i.head, 'hex'), state = substring((select convert_to(${states.text}, 'UTF8')) from i.place for i.length), changed_xid = pg_current_xact_id()
      from input i where e.namespace = i.namespace and e.request_id = i.request_id and e.seq = i.from_seq
      returning e.namespace, e.request_id
    ), closed as (
      update store.assignments a set open = false
      from unnest(${settled.map((t) => t.state.namespace)}::text[], ${settled.map((t) => t.state.request_id)}::text[]) as k (namespace, request_id)
      join saved using (namespace, request_id)
      where a.namespace = k.namespace and a.request_id = k.request_id and a.open
    ), logged as (
      insert into store.events (namespace, request_id, seq, id, type, occurred_at, actor, actor_salt, actor_digest, data, data_salt, data_digest, hash)
      select namespace, request_id, seq, id, type, occurred_at, substring((select convert_to(${actors.text}, 'UTF8')) from t.actor for t.actor_length),
        substring(t.seal from 1 for 16), substring(t.seal from 33 for 32), substring((select convert_to(${data.text}, 'UTF8')) from t.data for t.data_length),
        substring(t.seal from 17 for 16), substring(t.seal from 65 for 32), substring(t.seal from 97 for 32)
      from (
        select n, r, s, i, t, o, decode(h, 'hex'), a, al, d, dl from unnest(
          ${events.map((e) => e.namespace)}::text[], ${events.map((e) => e.request_id)}::text[], ${plainArray(events.map((e) => e.seq))}::int[], ${plainArray(events.map((e) => e.id))}::uuid[],
          ${plainArray(events.map((e) => e.type))}::text[], ${plainArray(events.map((e) => e.occurred_at))}::timestamptz[], ${plainArray(events.map((e) => e.seal))}::text[],
          ${plainArray(actors.at)}::int[], ${plainArray(actors.length)}::int[], ${plainArray(data.at)}::int[], ${plainArray(data.length)}::int[]
        ) as u (n, r, s, i, t, o, h, a, al, d, dl) offset 0
      ) as t (namespace, request_id, seq, id, type, occurred_at, seal, actor, actor_length, data, data_length) join saved using (namespace, request_id)
    )
    insert into store.outbox (namespace, request_id, seq)
    select namespace, request_id, e.seq
    from unnest(${events.map((e) => e.namespace)}::text[], ${events.map((e) => e.request_id)}::text[], ${events.map((e) => e.seq)}::int[]) as e (namespace, request_id, seq)
    join saved using (namespace, request_id)`;
  return count;
}

/**
 * Brings the assignments of escalations whose electorate changed to what their state says now. Who has gone keeps a row if they
 * have answered or were delegated to, since they may go on reading it, and none otherwise.
 */
async function replaceAssignments(tx: Query, states: EscalationState[]): Promise<void> {
  for (const { namespace, request_id, status, opened_at, ...state } of states) {
    const members = principalsOf(state);
    const readers = [...state.votes, ...state.history].map((answer) => answer.user_id).concat(state.delegations.map((one) => one.to)).map(principalOfUser);
    const gone = [...new Set(readers)].filter((principal) => !members.includes(principal));
    await tx`
      delete from store.assignments
      where namespace = ${namespace} and request_id = ${request_id} and principal <> all (${[...members, ...gone]}::text[])`;
    await tx`
      insert into store.assignments (namespace, request_id, principal, opened_at, open, gone)
      select ${namespace}, ${request_id}, principal, ${iso(opened_at)}, ${status === 'pending'} and member, not member
      from (select unnest(${members}::text[]), true union all select unnest(${gone}::text[]), false) as wanted (principal, member)
      on conflict (namespace, request_id, principal) do update set open = excluded.open, gone = excluded.gone`;
  }
}

/** A revision may ask another question: lists and search show it. */
async function projectPrompts(tx: Query, states: EscalationState[]): Promise<void> {
  for (const state of states) {
    const { namespace, request_id, rules } = state;
    const [row] = await tx<{ task_id: string | null; summary: string | null }[]>`
      update store.escalations set prompt = ${plain(rules.prompt)} where namespace = ${namespace} and request_id = ${request_id} returning task_id, summary`;
    await tx`
      update store.payloads set document = array_to_tsvector(string_to_array(${documentOf({ state, ...row! })}, ' '))
      where namespace = ${namespace} and request_id = ${request_id} and document is not null`;
  }
}
