import { evolve, openEscalation, resolveRules } from '@umpire/domain';
import type { Sql } from '@umpire/runtime';

const TEMPLATE_ID = 'row-template';

/** State of a pending review, as JSON text with `row-template` for its id. */
function stateTemplate(namespace: string): string {
  const resolved = resolveRules(undefined, { kind: 'escalation', reason: 'hard_disagreement' });
  if (!resolved.ok) throw new Error('the defaults do not fit');
  const electorate = { users: [], roles: ['reviewer'] };
  return JSON.stringify(evolve(null, openEscalation({ namespace, request_id: TEMPLATE_ID, reason: 'hard_disagreement', kind: 'escalation', rules: resolved.rules, policy: null, electorate }, 0)));
}

/** Rows of one statement: as transactions go, and no time limit is near. */
const SLICE = 1_000;

/**
 * Fills the store by SQL with what submissions and answers would have left: `count` escalations of a namespace, opened a second apart,
 * six of ten settled, everything else by chance but the same each time. All are assigned to the role `reviewer`, one in 500 to user
 * `rare`, one in three to user `busy`, one in 40 to role `senior`. Summaries hold the words `common`, `w<n mod 1000>` and `n<n>`; every
 * tenth row has a task id of its own, and one in five a policy, `policy-0` to `policy-19`.
 */
export async function fillStore(sql: Sql, namespace: string, count: number): Promise<void> {
  const chance = (seed: number, of: number) => sql`(hashint4extended(n, ${seed}::bigint) & 1073741823) % ${of}::int`;
  const pick = (seed: number, values: string[]) => sql`(${values}::text[])[(1 + ${chance(seed, values.length)})::int]`;
  for (let first = 1; first <= count; first += SLICE) {
    await sql`
      insert into store.escalations (namespace, request_id, reason, kind, pattern, status, seq, revision, level, priority, overdue, excluded, opened_at, deadline,
      settled_at, task_id, summary, prompt, policy, submission, content_digest, head, state)
    select ${namespace}, 'row-' || n, ${pick(1, ['hard_disagreement', 'hard_disagreement', 'low_confidence', 'low_confidence', 'inconsistent_evidence', 'custom_rule'])}, 'escalation',
      ${pick(2, ['review', 'approval', 'input'])}, s.status, 2, 1, 0, ${chance(3, 4)}, false, case when ${chance(4, 97)} = 0 then array['rare', 'busy'] else array[]::text[] end,
      t.opened_at, t.opened_at + make_interval(secs => (3600 + ${chance(5, 100_000)})::float8), case when s.status <> 'pending' then t.opened_at + interval '1 minute' end,
      case when n % 10 = 0 then 'task/' || n end, 'common w' || n % 1000 || ' n' || n, 'Please decide', case when ${chance(6, 5)} = 0 then 'policy-' || ${chance(7, 20)} end,
      'HITL_REVIEW:' || n, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'), convert_to(replace(${stateTemplate(namespace)}, ${TEMPLATE_ID}, 'row-' || n), 'UTF8')
    from generate_series(${first}::int, ${Math.min(first + SLICE - 1, count)}::int) as n
    cross join lateral (select ${pick(8, ['pending', 'completed', 'pending', 'completed', 'completed', 'pending', 'completed', 'completed', 'expired', 'cancelled'])} as status) as s
    cross join lateral (select date_trunc('milliseconds', clock_timestamp()) - make_interval(secs => (${count}::int - n)::float8) as opened_at) as t`;
  }
  await sql`
    insert into store.payloads (namespace, request_id, body, salt, digest, document)
    select namespace, request_id, convert_to('{"request_id":"' || request_id || '"}', 'UTF8'), decode(repeat('00', 16), 'hex'), decode(repeat('00', 32), 'hex'),
      array_to_tsvector(string_to_array(concat_ws(' ', '@' || namespace, '=' || pattern, '!' || (array['low', 'normal', 'high', 'critical'])[priority + 1],
        '#' || rtrim(translate(encode(sha256(convert_to(policy, 'UTF8')), 'base64'), '+/', '-_'), '='), lower(summary), 'please', 'decide'), ' '))
    from store.escalations where namespace = ${namespace}`;
  await sql`
    insert into store.assignments (namespace, request_id, principal, opened_at, open)
    select e.namespace, e.request_id, p.principal, e.opened_at, e.status = 'pending'
    from (select e.*, substr(request_id, 5)::int as n from store.escalations e where namespace = ${namespace}) as e
    cross join lateral (
      select 'r:reviewer' as principal union all select 'u:rare' where ${chance(9, 500)} = 0 union all select 'u:busy' where ${chance(10, 3)} = 0
      union all select 'r:senior' where ${chance(11, 40)} = 0
    ) as p`;
  await sql`analyze store.escalations, store.payloads, store.assignments`;
}
