import { decide, evolve, openEscalation, resolveRules, type Command, type EscalationState } from '@umpire/domain';
import { closed } from '../harness/paced.ts';
import { say } from '../harness/progress.ts';
import type { Sql } from '../harness/product.ts';

const ID = 'row-template';
const REVIEWER = 'reviewer-template';
/** Moments of the templates, ms, which are replaced by each row's own. */
const OPENED_AT = 1_600_000_000_000;
const SETTLED_AT = 1_600_000_060_000;
const DEADLINE = 1_600_003_600_000;
const REVIEWERS = 40;
/** Rows of one transaction: readers that follow `changed_xid` meet them as they would meet what submissions and answers left. */
const SLICE = 1_000;
const TIMERS_SLICE = 100_000;
const TABLES = ['escalations', 'payloads', 'assignments'];
/** Connections that the fill wants. */
export const FILLERS = 3;

/**
 * Fills the store by SQL with what submissions and answers would have left: `count` escalations, opened a second apart, assigned to the role `reviewer`,
 * one in five to one of 40 reviewers by name too, one in 500 to `rare`. With `settled` six of ten are over, five decided by one of those reviewers within
 * an hour and one by its deadline; otherwise all are pending. What is pending has its timer, a year ahead. Content is 1 kB with three agents' words.
 *
 * Indexes of the lists are made after the rows. What loops keep of all this (statistics, oversight) is summed by SQL and their cursors stand behind it, the
 * scheduler's reconciliation's too; checkpoints do without these rows.
 * @param sql with FILLERS connections, the superuser's
 */
export async function fillRows(sql: Sql, count: number, settled: boolean): Promise<void> {
  await sql.begin(async (held) => {
    await held`select from store.stats_position for update`;
    await held`select from store.oversight_cursor for update`;
    await held`select from store.checkpoint_cursor for update`;
    const indexes = await takeIndexes(sql);
    const templates = settled ? { pending: template(), completed: template(decided), expired: template(expired) } : { pending: template() };
    let done = 0;
    await closed(Math.ceil(count / SLICE), FILLERS - 1, async (slice) => {
      const [first, last] = [slice * SLICE + 1, Math.min((slice + 1) * SLICE, count)];
      await sql.begin(async (tx) => {
        await tx`set local synchronous_commit = off`;
        await escalations(tx as unknown as Sql, { first, last, count, templates });
        await others(tx as unknown as Sql, first, last);
        await pendingTimers(tx as unknown as Sql, first, last);
      });
      done += last - first + 1;
      if (done % 100_000 < SLICE) say(`  ${done} rows`);
    });
    await closed(indexes.length, FILLERS - 1, (index) => sql.unsafe(indexes[index]!));
    await followed(sql);
    for (const cursor of ['stats_position', 'oversight_cursor', 'checkpoint_cursor']) await held`update store.${held(cursor)} set changed_xid = pg_snapshot_xmax(pg_current_snapshot())`;
    await held`update scheduler.sweeps set cursor = json_build_array(pg_snapshot_xmax(pg_current_snapshot())::text, 'default', ${Buffer.from(ID).toString('base64url')}::text)::text where name = 'reconciliation'`;
  });
  await sql`vacuum (analyze) store.escalations, store.payloads, store.assignments, store.events, store.stats_counted, store.oversight_ends, store.oversight_answers`.simple();
  await sql`vacuum (analyze) scheduler.timers, scheduler.marks`.simple();
  // Or the readers would be measured writing what the fill left in memory.
  await sql`checkpoint`;
}

/** Timers alone, a year ahead, of escalations that are not there. */
export async function fillTimers(sql: Sql, count: number): Promise<void> {
  for (let from = 1; from <= count; from += TIMERS_SLICE) await timers(sql, from, Math.min(from + TIMERS_SLICE - 1, count));
  await sql`vacuum (analyze) scheduler.timers, scheduler.marks`.simple();
}

const BOUNDS = [10, 30, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400];
const AGENTS = [['agent', 'history-reader', true], ['agent', 'policy-checker', false], ['agent', 'risk-desk', true], ['synthesis', '', true]] as const;

/** What the loops would have kept of all rows, as they would sum it. */
async function followed(sql: Sql): Promise<void> {
  const ended = sql`(
    select namespace, request_id, reason, opened_at, settled_at, case status when 'completed' then 'human' else 'timeout' end as source, 'reviewer-' || substr(request_id, 5)::int % ${REVIEWERS}::int as person
    from store.escalations where status <> 'pending') as e`;
  const classes = sql`array[${[...BOUNDS, 0].map((_, place) => sql`${place === 0 ? sql`` : sql`, `}count(*) filter (where width_bucket(extract(epoch from settled_at - opened_at)::float8, ${BOUNDS}::float8[]) = ${place}::int)::int`)}]`;
  await sql`insert into store.stats_counted (namespace, request_id, opened, ended) select namespace, request_id, true, status <> 'pending' from store.escalations`;
  await sql`insert into store.stats_openings (namespace, hour, reason, opened) select namespace, date_trunc('hour', opened_at), reason, count(*) from store.escalations group by 1, 2, 3`;
  await sql`
    insert into store.stats_hours (namespace, hour, reason, source, ended, seconds, histogram, raised, agreed, disagreed)
    select namespace, date_trunc('hour', settled_at), reason, source, count(*), sum(extract(epoch from settled_at - opened_at)), ${classes}, 0, count(*) filter (where source = 'human'), 0 from ${ended} group by 1, 2, 3, 4`;
  await sql`insert into store.stats_people (namespace, hour, user_id, votes, seconds) select namespace, date_trunc('hour', settled_at), person, count(*), sum(extract(epoch from settled_at - opened_at)) from ${ended} where source = 'human' group by 1, 2, 3`;
  await sql`insert into store.oversight_ends (namespace, request_id, reason, source, verdict, ended_at) select namespace, request_id, reason, source, case source when 'human' then 'approve' end, settled_at from ${ended}`;
  await sql`
    insert into store.oversight_answers (namespace, request_id, user_id, answered_at, reason, verdict, asked_at, words)
    select namespace, request_id, person, settled_at, reason, 'approve', opened_at, 100 from ${ended} where source = 'human'`;
  for (const [kind, name, agrees] of AGENTS) {
    await sql`
      insert into store.oversight_agents (namespace, hour, kind, name, agreed, disagreed)
      select namespace, date_trunc('hour', settled_at), ${kind}, ${name}, case when ${agrees} then count(*) else 0 end, case when ${agrees} then 0 else count(*) end from ${ended} where source = 'human' group by 1, 2`;
  }
}

/** Drops the indexes of lists. @returns the statements that make them again */
async function takeIndexes(sql: Sql): Promise<string[]> {
  const found = await sql<{ name: string; made_by: string }[]>`
    select i.indexname as name, i.indexdef as made_by from pg_indexes i
    where i.schemaname = 'store' and i.tablename = any (${TABLES}::text[]) and i.indexname <> 'escalations_changed'
      and not exists (select from pg_constraint c where c.conname = i.indexname)`;
  for (const { name } of found) await sql`drop index store.${sql(name)}`;
  return found.map((index) => index.made_by);
}

/** State as JSON text, pending or after a command. */
function template(after?: (state: EscalationState) => [Command, number]): string {
  const resolved = resolveRules({ timeout_seconds: (DEADLINE - OPENED_AT) / 1000 }, { kind: 'escalation', reason: 'hard_disagreement' });
  if (!resolved.ok) throw new Error('the defaults do not fit');
  const electorate = { users: [], roles: ['reviewer'] };
  const opened = evolve(null, openEscalation({ namespace: 'default', request_id: ID, reason: 'hard_disagreement', kind: 'escalation', rules: resolved.rules, policy: null, electorate }, OPENED_AT));
  if (after === undefined) return JSON.stringify(opened);
  const decision = decide(opened, ...after(opened));
  if (decision.refusal !== undefined) throw new Error(`the template is refused: ${decision.refusal.detail}`);
  return JSON.stringify(decision.state);
}

const decided = (): [Command, number] => [{ type: 'respond', actor: { kind: 'user', id: REVIEWER, user_id: REVIEWER, roles: ['reviewer'], auth: 'api_key' }, user_input: { decision: 'approve' } }, SETTLED_AT];

function expired({ clocks }: EscalationState): [Command, number] {
  const clock = clocks.find(({ kind }) => kind === 'deadline')!;
  return [{ type: 'clock', kind: 'deadline', ordinal: clock.ordinal, generation: clock.generation }, clock.due_at];
}

const zeros = (bytes: number) => '00'.repeat(bytes);

/** Content as a producer would send it; agents agree with people in two of three. */
const BODY = JSON.stringify({
  request_id: ID, summary: 'Three agents looked at the case: they could not agree. The customer asks for a refund outside of the return window.',
  agent_decisions: [['policy-checker', 'reject'], ['history-reader', 'approve'], ['risk-desk', 'approve']].map(([agent_name, decision_value], index) => ({
    agent_name, role_type: 'judge', decision_value, confidence: 0.55 + index / 10, evidence: ['page 1: entry of the clerk'], processing_time_ms: 100, metadata: {},
    rationale: 'The file of the case was read from the first page to the last, and the answer is the one that the guideline names in its third section.',
  })),
});

type Filling = { first: number; last: number; count: number; templates: Partial<Record<'pending' | 'completed' | 'expired', string>> };

async function escalations(sql: Sql, { first, last, count, templates }: Filling): Promise<void> {
  const statuses = templates.completed === undefined ? ['pending'] : ['pending', 'completed', 'pending', 'completed', 'completed', 'pending', 'completed', 'completed', 'expired', 'pending'];
  const states = Object.entries(templates);
  await sql`
    insert into store.escalations (namespace, request_id, reason, kind, pattern, status, seq, revision, level, priority, overdue, excluded, opened_at, deadline,
      settled_at, task_id, summary, prompt, policy, submission, content_digest, head, state)
    select 'default', 'row-' || n, (array['hard_disagreement', 'low_confidence', 'inconsistent_evidence', 'custom_rule'])[1 + n % 4], 'escalation', 'review', s.status, 2, 1, 0,
      (n / 7) % 4, false, array[]::text[], t.opened_at, t.opened_at + interval '1 year', case when s.status <> 'pending' then u.settled_at end,
      case when n % 10 = 0 then 'task/' || n end, 'common w' || n % 1000 || ' n' || n, 'Please decide', null, 'HITL_REVIEW:' || n, decode(${zeros(32)}, 'hex'), decode(${zeros(32)}, 'hex'),
      convert_to(replace(replace(replace(replace(replace(z.state, ${ID}, 'row-' || n), ${REVIEWER}, 'reviewer-' || n % ${REVIEWERS}::int), ${String(OPENED_AT)}, (extract(epoch from t.opened_at) * 1000)::bigint::text),
        ${String(SETTLED_AT)}, (extract(epoch from u.settled_at) * 1000)::bigint::text), ${String(DEADLINE)}, (extract(epoch from t.opened_at + interval '1 year') * 1000)::bigint::text), 'UTF8')
    from generate_series(${first}::int, ${last}::int) as n
    cross join lateral (select (${statuses}::text[])[1 + (hashint4(n) & 1073741823) % ${statuses.length}::int] as status) as s
    cross join lateral (select date_trunc('milliseconds', clock_timestamp()) - make_interval(secs => (${count}::int - n + 3600)::float8) as opened_at) as t
    cross join lateral (select t.opened_at + make_interval(secs => (10 + (hashint4extended(n, 1) & 1073741823) % 3500)::float8) as settled_at) as u
    join unnest(${states.map(([name]) => name)}::text[], ${states.map(([, text]) => text)}::text[]) as z (status, state) on z.status = s.status`;
}

async function others(sql: Sql, first: number, last: number): Promise<void> {
  const ids = sql`generate_series(${first}::int, ${last}::int) as n join store.escalations e on e.namespace = 'default' and e.request_id = 'row-' || n`;
  await sql`
    insert into store.payloads (namespace, request_id, body, salt, digest, document, opened_at)
    select e.namespace, e.request_id, convert_to(replace(${BODY}, ${ID}, e.request_id), 'UTF8'), decode(${zeros(16)}, 'hex'), decode(${zeros(32)}, 'hex'),
      array_to_tsvector(string_to_array('@default =review !normal common w' || n % 1000 || ' n' || n || ' please decide', ' ')), e.opened_at from ${ids}`;
  await sql`
    insert into store.assignments (namespace, request_id, principal, opened_at, open)
    select e.namespace, e.request_id, p.principal, e.opened_at, e.status = 'pending' from ${ids}
    cross join lateral (select 'r:reviewer' as principal union all select 'u:reviewer-' || (n / 5) % ${REVIEWERS}::int where n % 5 = 0 union all select 'u:rare' where n % 500 = 0) as p`;
}

/** Of what is pending: what the scheduler's reconciliation would find missing otherwise. */
async function pendingTimers(sql: Sql, first: number, last: number): Promise<void> {
  const pending = sql`store.escalations where namespace = 'default' and request_id = any (array(select 'row-' || n from generate_series(${first}::int, ${last}::int) as n)) and status = 'pending'`;
  await sql`insert into scheduler.marks (namespace, request_id, seq) select namespace, request_id, seq from ${pending}`;
  await sql`
    insert into scheduler.timers (namespace, request_id, kind, ordinal, generation, due_at, wake_at)
    select namespace, request_id, 'deadline', 0, 1, deadline, deadline from ${pending}`;
}

async function timers(sql: Sql, first: number, last: number): Promise<void> {
  await sql`insert into scheduler.marks (namespace, request_id, seq) select 'default', 'row-' || n, 2 from generate_series(${first}::int, ${last}::int) as n`;
  await sql`
    insert into scheduler.timers (namespace, request_id, kind, ordinal, generation, due_at, wake_at)
    select 'default', 'row-' || n, 'deadline', 0, 1, t.at, t.at from generate_series(${first}::int, ${last}::int) as n
    cross join lateral (select clock_timestamp() + interval '1 year' + make_interval(secs => n::float8) as at) as t`;
}
