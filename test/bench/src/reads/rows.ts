import { evolve, openEscalation, resolveRules } from '@umpire/domain';
import { say } from '../harness/progress.ts';
import type { Sql } from '../harness/product.ts';

const TEMPLATE = 'row-template';
const SLICE = 100_000;

/**
 * Fills the store by SQL with what submissions would have left: `count` escalations, assigned to the role `reviewer`, one in 500 to
 * `rare`. With `settled` six of ten are over, otherwise all are pending, with their timers, a year ahead.
 */
export async function fillRows(sql: Sql, count: number, settled: boolean): Promise<void> {
  for (let from = 1; from <= count; from += SLICE) {
    const [first, last] = [from, Math.min(from + SLICE - 1, count)];
    await escalations(sql, first, last, count, settled);
    await others(sql, first, last);
    if (!settled) await timers(sql, first, last);
    say(`  ${last} rows`);
  }
  await sql`vacuum (analyze) store.escalations, store.payloads, store.assignments, store.events`.simple();
  await sql`vacuum (analyze) scheduler.timers, scheduler.marks`.simple();
}

/** Timers alone, a year ahead, of escalations that are not there. */
export async function fillTimers(sql: Sql, count: number): Promise<void> {
  for (let from = 1; from <= count; from += SLICE) await timers(sql, from, Math.min(from + SLICE - 1, count));
  await sql`vacuum (analyze) scheduler.timers, scheduler.marks`.simple();
}

function template(): string {
  const resolved = resolveRules(undefined, { kind: 'escalation', reason: 'hard_disagreement' });
  if (!resolved.ok) throw new Error('the defaults do not fit');
  const electorate = { users: [], roles: ['reviewer'] };
  return JSON.stringify(evolve(null, openEscalation({ namespace: 'default', request_id: TEMPLATE, reason: 'hard_disagreement', kind: 'escalation', rules: resolved.rules, policy: null, electorate }, 0)));
}

const zeros = (bytes: number) => '00'.repeat(bytes);

async function escalations(sql: Sql, first: number, last: number, count: number, settled: boolean): Promise<void> {
  const statuses = settled ? ['pending', 'completed', 'pending', 'completed', 'completed', 'pending', 'completed', 'completed', 'expired', 'pending'] : ['pending'];
  await sql`
    insert into store.escalations (namespace, request_id, reason, kind, pattern, status, seq, revision, level, priority, overdue, excluded, opened_at, deadline,
      settled_at, task_id, summary, prompt, policy, submission, content_digest, head, state)
    select 'default', 'row-' || n, (array['hard_disagreement', 'low_confidence', 'inconsistent_evidence', 'custom_rule'])[1 + n % 4], 'escalation', 'review', s.status, 2, 1, 0,
      (n / 7) % 4, false, array[]::text[], t.opened_at, t.opened_at + interval '1 year', case when s.status <> 'pending' then t.opened_at + interval '1 minute' end,
      case when n % 10 = 0 then 'task/' || n end, 'common w' || n % 1000 || ' n' || n, 'Please decide', null, 'HITL_REVIEW:' || n, decode(${zeros(32)}, 'hex'), decode(${zeros(32)}, 'hex'),
      convert_to(replace(${template()}, ${TEMPLATE}, 'row-' || n), 'UTF8')
    from generate_series(${first}::int, ${last}::int) as n
    cross join lateral (select (${statuses}::text[])[1 + (hashint4(n) & 1073741823) % ${statuses.length}::int] as status) as s
    cross join lateral (select date_trunc('milliseconds', clock_timestamp()) - make_interval(secs => (${count}::int - n)::float8) as opened_at) as t`;
}

async function others(sql: Sql, first: number, last: number): Promise<void> {
  const ids = sql`generate_series(${first}::int, ${last}::int) as n join store.escalations e on e.namespace = 'default' and e.request_id = 'row-' || n`;
  await sql`
    insert into store.payloads (namespace, request_id, body, salt, digest, document)
    select e.namespace, e.request_id, convert_to('{"request_id":"' || e.request_id || '"}', 'UTF8'), decode(${zeros(16)}, 'hex'), decode(${zeros(32)}, 'hex'),
      array_to_tsvector(string_to_array('@default =review !normal common w' || n % 1000 || ' n' || n || ' please decide', ' ')) from ${ids}`;
  await sql`
    insert into store.assignments (namespace, request_id, principal, opened_at, open)
    select e.namespace, e.request_id, p.principal, e.opened_at, e.status = 'pending' from ${ids}
    cross join lateral (select 'r:reviewer' as principal union all select 'u:rare' where n % 500 = 0) as p`;
}

async function timers(sql: Sql, first: number, last: number): Promise<void> {
  await sql`insert into scheduler.marks (namespace, request_id, seq) select 'default', 'row-' || n, 2 from generate_series(${first}::int, ${last}::int) as n`;
  await sql`
    insert into scheduler.timers (namespace, request_id, kind, ordinal, generation, due_at, wake_at)
    select 'default', 'row-' || n, 'deadline', 0, 1, t.at, t.at from generate_series(${first}::int, ${last}::int) as n
    cross join lateral (select clock_timestamp() + interval '1 year' + make_interval(secs => n::float8) as at) as t`;
}
