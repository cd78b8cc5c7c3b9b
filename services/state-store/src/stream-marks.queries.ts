import type { Query } from '@umpire/runtime';

/** How long the streams keep events: what is older was not there to be lost. */
const KEPT = '7 days';

/**
 * Notes which incarnation of a stream is there now. The first sight of a stream only notes it; another incarnation than the noted
 * one starts publishing the kept window again.
 * @param created the stream's own time of creation, as the server tells it
 * @returns whether the stream was lost since
 */
export async function markStream(sql: Query, stream: string, created: string): Promise<boolean> {
  const rows = await sql`
    insert into store.stream_marks as m (stream, created) values (${stream}, ${created})
    on conflict (stream) do update set created = excluded.created, republish_next = clock_timestamp() - ${KEPT}::interval, republish_until = clock_timestamp()
      where m.created <> excluded.created
    returning republish_next is not null as lost`;
  return rows[0]?.['lost'] === true;
}

/**
 * Puts the next `seconds` of the window back into the outbox, from where the sweeper publishes them under their own ids. One
 * statement: a crash in between repeats or resumes, and replicas take turns by the row's lock.
 * @returns null when nothing is left to do, else how many events were put back
 */
export async function republishNext(sql: Query, stream: string, seconds: number): Promise<number | null> {
  const [row] = await sql<{ events: number }[]>`
    with turn as (
      select stream, republish_next as since, least(republish_next + make_interval(secs => ${seconds}), republish_until) as until, republish_until as end_at
      from store.stream_marks where stream = ${stream} and republish_next is not null for update
    ), put as (
      insert into store.outbox (namespace, request_id, seq)
      select e.namespace, e.request_id, e.seq from turn join store.events e on e.occurred_at >= turn.since and e.occurred_at < turn.until
      on conflict do nothing returning 1
    ), moved as (
      update store.stream_marks m set
        republish_next = case when turn.until < turn.end_at then turn.until end,
        republish_until = case when turn.until < turn.end_at then turn.end_at end
      from turn where m.stream = turn.stream returning 1
    )
    select (select count(*)::int from put) as events from moved`;
  return row?.events ?? null;
}
