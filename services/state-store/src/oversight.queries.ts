import type { Query } from '@umpire/runtime';

export type EndRow = { namespace: string; request_id: string; reason: string; source: string; verdict: string | null; ended_at: Date; revises: string | null };
export type AnswerRow = { namespace: string; request_id: string; user_id: string; answered_at: Date; reason: string; verdict: string | null; asked_at: Date; words: number | null };
export type AgentRow = { namespace: string; hour: Date; kind: string; name: string; agreed: number; disagreed: number };

/** Of the persons erased last; null where nobody was. As text, to the microsecond. */
export async function lastErased(sql: Query, namespace: string): Promise<string | null> {
  const [row] = await sql<{ erased: string | null }[]>`select max(done_at)::text as erased from store.erasures where namespace = ${namespace} and scope = 'person'`;
  return row!.erased;
}

/** @returns those that had not been noted before */
export const addEnds = (sql: Query, rows: EndRow[]) =>
  sql<{ namespace: string; request_id: string }[]>`
    insert into store.oversight_ends (namespace, request_id, reason, source, verdict, ended_at, revises)
    select * from unnest(${rows.map((r) => r.namespace)}::text[], ${rows.map((r) => r.request_id)}::text[], ${rows.map((r) => r.reason)}::text[], ${rows.map((r) => r.source)}::text[],
      ${rows.map((r) => r.verdict)}::text[], ${rows.map((r) => r.ended_at.toISOString())}::timestamptz[], ${rows.map((r) => r.revises)}::text[])
    on conflict do nothing returning namespace, request_id`;

export const addAnswers = (sql: Query, rows: AnswerRow[]) =>
  sql`
    insert into store.oversight_answers (namespace, request_id, user_id, answered_at, reason, verdict, asked_at, words)
    select * from unnest(${rows.map((r) => r.namespace)}::text[], ${rows.map((r) => r.request_id)}::text[], ${rows.map((r) => r.user_id)}::text[], ${rows.map((r) => r.answered_at.toISOString())}::timestamptz[],
      ${rows.map((r) => r.reason)}::text[], ${rows.map((r) => r.verdict)}::text[], ${rows.map((r) => r.asked_at.toISOString())}::timestamptz[], ${rows.map((r) => r.words)}::integer[])
    on conflict do nothing`;

/** @param rows each namespace, hour, kind and name once */
export const addAgents = (sql: Query, rows: AgentRow[]) =>
  sql`
    insert into store.oversight_agents as a (namespace, hour, kind, name, agreed, disagreed)
    select * from unnest(${rows.map((r) => r.namespace)}::text[], ${rows.map((r) => r.hour.toISOString())}::timestamptz[], ${rows.map((r) => r.kind)}::text[], ${rows.map((r) => r.name)}::text[],
      ${rows.map((r) => r.agreed)}::integer[], ${rows.map((r) => r.disagreed)}::integer[])
    on conflict (namespace, hour, kind, name) do update set agreed = a.agreed + excluded.agreed, disagreed = a.disagreed + excluded.disagreed`;

/** Forgets what is older than the longest window that can be asked for. @returns how many rows went, at most `limit` of each kind */
export async function pruneOversight(sql: Query, days: number, limit: number): Promise<number> {
  const before = sql`(select clock_timestamp()) - make_interval(days => ${days}::integer)`;
  const ends = await sql`delete from store.oversight_ends where ctid = any (array(select ctid from store.oversight_ends where ended_at < ${before} limit ${limit}))`;
  const answers = await sql`delete from store.oversight_answers where ctid = any (array(select ctid from store.oversight_answers where answered_at < ${before} limit ${limit}))`;
  const agents = await sql`delete from store.oversight_agents where ctid = any (array(select ctid from store.oversight_agents where hour < ${before} limit ${limit}))`;
  return ends.count + answers.count + agents.count;
}

/** Answers of one reviewer and reason; null stands for all reviewers, all reasons. Times in seconds. */
export type AnswerFigures = { user_id: string | null; reason: string | null; answers: number; median_seconds: number; p90_seconds: number; readable: number; faster_than_reading: number };

/**
 * One pass over the window's answers. What somebody had to read it in begins when they were asked, and not before their own answer
 * before that one; for the first of the window that may lie a day before it.
 */
export const answerFigures = (sql: Query, namespace: string, days: number, wordsPerMinute: number) =>
  sql<AnswerFigures[]>`
    with timed as (
      select user_id, reason, words, answered_at, extract(epoch from answered_at - asked_at)::float8 as seconds,
        extract(epoch from answered_at - greatest(asked_at, lag(answered_at) over (partition by user_id order by answered_at, request_id)))::float8 as available
      from store.oversight_answers where namespace = ${namespace} and answered_at > (select clock_timestamp()) - make_interval(days => ${days}::integer + 1)
    )
    select user_id, reason, count(*)::integer as answers, percentile_cont(0.5) within group (order by seconds) as median_seconds, percentile_cont(0.9) within group (order by seconds) as p90_seconds,
      count(words)::integer as readable, count(*) filter (where available < words * 60.0 / ${wordsPerMinute}::float8)::integer as faster_than_reading
    from timed where answered_at > (select clock_timestamp()) - make_interval(days => ${days}::integer)
    group by grouping sets ((user_id, reason), (user_id), (reason), ())
    order by answers desc, user_id, reason`;

export const endFigures = (sql: Query, namespace: string, days: number) =>
  sql<{ reason: string; source: string; ended: number }[]>`
    select reason, source, count(*)::integer as ended from store.oversight_ends
    where namespace = ${namespace} and ended_at > (select clock_timestamp()) - make_interval(days => ${days}::integer) group by reason, source order by reason, source`;

export const agentFigures = (sql: Query, namespace: string, days: number, most: number) =>
  sql<{ kind: string; name: string; agreed: number; disagreed: number }[]>`
    select kind, name, sum(agreed)::integer as agreed, sum(disagreed)::integer as disagreed from store.oversight_agents
    where namespace = ${namespace} and hour > (select clock_timestamp()) - make_interval(days => ${days}::integer)
    group by kind, name order by kind desc, sum(agreed + disagreed) desc, name limit ${most}`;

export type Reversal = { request_id: string; verdict: string; revised_by: string; revised_verdict: string; revised_at: Date; reviewers: string[] };

/** Decisions of people that a later escalation, which says that it revises them, ended otherwise. Newest first. */
export const reversals = (sql: Query, namespace: string, days: number) =>
  sql<Reversal[]>`
    select earlier.request_id, earlier.verdict, later.request_id as revised_by, later.verdict as revised_verdict, later.ended_at as revised_at,
      array(select distinct a.user_id from store.oversight_answers a
        where a.namespace = earlier.namespace and a.request_id = earlier.request_id and a.verdict = earlier.verdict order by a.user_id) as reviewers
    from store.oversight_ends later join store.oversight_ends earlier on earlier.namespace = later.namespace and earlier.request_id = later.revises
    where later.namespace = ${namespace} and later.ended_at > (select clock_timestamp()) - make_interval(days => ${days}::integer)
      and later.source = 'human' and earlier.source = 'human' and later.verdict <> earlier.verdict
      and earlier.verdict <> 'request_changes' and later.verdict <> 'request_changes'
    order by later.ended_at desc, later.request_id`;
