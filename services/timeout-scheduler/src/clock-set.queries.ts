import type { Clock, ClockKind } from '@umpire/contract';
import type { Query, Tx } from '@umpire/runtime';

/** All timers that an escalation wants, as of its event `seq`. `trace` is what they go on from, while something is traced. */
export type ClockSet = { namespace: string; request_id: string; seq: number; clocks: Clock[]; trace?: string | undefined };
export type Armed = { namespace: string; kind: ClockKind; wake_at: number };

/**
 * Notes how far each escalation has come, and locks that until the end of the transaction: two replicas with events of one
 * escalation take turns. In the order given, which must be the same everywhere. What is known already, as most of what
 * the sweep brings, is not even locked.
 * @param sets at most one for each escalation
 * @returns those that are newer than what was known; the others change nothing
 */
export async function raiseMarks(tx: Tx, sets: ClockSet[]): Promise<ClockSet[]> {
  const rows = await tx<{ namespace: string; request_id: string }[]>`
    insert into scheduler.marks as m (namespace, request_id, seq, quiet_since)
    select s.namespace, s.request_id, s.seq, case when s.clocks = 0 then clock_timestamp() end
    from unnest(${sets.map((set) => set.namespace)}::text[], ${sets.map((set) => set.request_id)}::text[], ${sets.map((set) => set.seq)}::integer[],
      ${sets.map((set) => set.clocks.length)}::integer[]) as s (namespace, request_id, seq, clocks)
    where not exists (select from scheduler.marks k where k.namespace = s.namespace and k.request_id = s.request_id and k.seq >= s.seq)
    on conflict (namespace, request_id) do update set seq = excluded.seq, quiet_since = excluded.quiet_since where m.seq < excluded.seq
    returning m.namespace, m.request_id`;
  if (rows.length === sets.length) return sets;
  const raised = new Set(rows.map(escalationKey));
  return sets.filter((set) => raised.has(escalationKey(set)));
}

/** Removes the timers that a newer set no longer has. */
export async function disarm(tx: Tx, sets: ClockSet[]): Promise<ClockKind[]> {
  const kept = sets.map((set) => set.clocks.map((clock) => `${clock.kind}:${clock.ordinal}`).join(' '));
  const rows = await tx<{ kind: ClockKind }[]>`
    delete from scheduler.timers t
    using unnest(${sets.map((set) => set.namespace)}::text[], ${sets.map((set) => set.request_id)}::text[], ${kept}::text[]) as s (namespace, request_id, kept)
    where t.namespace = s.namespace and t.request_id = s.request_id and (t.kind || ':' || t.ordinal) <> all (string_to_array(s.kept, ' '))
    returning t.kind`;
  return rows.map((row) => row.kind);
}

/**
 * Arms and moves timers, taking them from whoever has leased them. One that stands as wanted already is not even locked: it may be
 * about to be settled.
 */
export async function arm(tx: Tx, sets: ClockSet[]): Promise<Armed[]> {
  const wanted = sets.flatMap((set) => set.clocks.map((clock) => ({ ...clock, namespace: set.namespace, request_id: set.request_id, trace: set.trace })));
  if (wanted.length === 0) return [];
  return tx<Armed[]>`
    insert into scheduler.timers as t (namespace, request_id, kind, ordinal, generation, due_at, wake_at, traceparent)
    select w.namespace, w.request_id, w.kind, w.ordinal, w.generation, w.due_at::timestamptz, w.due_at::timestamptz, w.traceparent
    from unnest(${wanted.map((clock) => clock.namespace)}::text[], ${wanted.map((clock) => clock.request_id)}::text[], ${wanted.map((clock) => clock.kind)}::text[],
      ${wanted.map((clock) => clock.ordinal)}::integer[], ${wanted.map((clock) => clock.generation)}::integer[],
      ${wanted.map((clock) => clock.due_at)}::text[], ${wanted.map((clock) => clock.trace ?? null)}::text[]) as w (namespace, request_id, kind, ordinal, generation, due_at, traceparent)
    where not exists (
      select from scheduler.timers s where s.namespace = w.namespace and s.request_id = w.request_id and s.kind = w.kind and s.ordinal = w.ordinal
        and s.generation = w.generation and s.due_at = w.due_at::timestamptz)
    on conflict (namespace, request_id, kind, ordinal) do update set generation = excluded.generation, due_at = excluded.due_at, wake_at = excluded.wake_at, traceparent = excluded.traceparent,
      leased_until = '-infinity', lease = null, attempts = 0
    returning t.namespace, t.kind, extract(epoch from t.wake_at)::float8 * 1000 as wake_at`;
}

/** Removes tombstones older than `days`, at most `limit`. Marks that are being raised are passed over. */
export async function pruneMarks(sql: Query, days: number, limit: number): Promise<number> {
  const result = await sql`
    delete from scheduler.marks m where m.ctid = any (array(
      select o.ctid from scheduler.marks o where o.quiet_since < (select clock_timestamp()) - ${days}::float8 * interval '1 day'
      order by o.quiet_since limit ${limit}::integer for update skip locked))`;
  return result.count;
}

export const escalationKey = (of: { namespace: string; request_id: string }) => `${of.namespace}/${of.request_id}`;
