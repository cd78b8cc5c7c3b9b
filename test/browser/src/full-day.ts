import postgres from 'postgres';
import { hitlRequest, upstreamRequests } from '../../e2e/src/messages.ts';
import type { Stack } from '../../e2e/src/stack.ts';
import type { Hook } from './hook.ts';
import { loan, step } from './questions.ts';

const VERDICTS = ['approve', 'approve', 'reject', 'request_changes'];
export const LONG_ID = `reconciliation/${'2026-11-'.repeat(20)}`;

/** What upstream agents send, under ids of ours; where its file is not there, one of the same form. */
function requests(count: number): { id: string; reason: string; payload: Record<string, unknown> }[] {
  const lines = upstreamRequests() ?? Array.from({ length: count }, (_, at) => hitlRequest(`case-${at}`));
  return lines.slice(0, count).map((line, at) => {
    const payload = JSON.parse(line) as Record<string, unknown>;
    const id = `day-${at + 1}`;
    return { id, reason: payload['escalation_reason'] as string, payload: { ...payload, request_id: id } };
  });
}

/** A day with everything that the pages show: work of every pattern, answered by three people and by deadlines, and what operators look after. */
export async function fillDay(stack: Stack, kept: Hook, broken: Hook): Promise<void> {
  const { admin, producer, reviewers } = stack.connection.keys;
  broken.status = 503;
  const post = async (...asked: Parameters<Stack['post']>) => {
    const { status, text } = await stack.post(...asked);
    if (status >= 300) throw new Error(`${asked[0]}: ${status} ${text}`);
  };
  for (const url of [await kept.start(), `${await broken.start()}/of/a/receiver/with/a/long/path?tenant=northern-branch&environment=production`]) await post('/webhooks/endpoints', admin, { url });
  for (const [name, members] of GROUPS) await post('/identity/groups', admin, { name, members });
  await post('/identity/keys', admin, { name: 'on-call rotation of the northern branch', roles: ['reviewer'], user_id: 'marie-louise.von-hohenberg' });
  const submit = (message: object) => post('/api/escalations', producer, message);

  const asked = requests(16);
  await Promise.all(asked.map(({ reason, payload }, at) => submit({ type: 'hitl_escalation', routing_key: `review.${reason}`, payload, interaction: { pattern: 'review', priority: at === 3 ? 'high' : 'normal', timeout_seconds: 7_200 + at * 600 } })));
  const people = [reviewers.alice, reviewers.bob, reviewers.carol];
  await Promise.all(asked.slice(0, 10).map(({ id }, at) => stack.respond(id, { decision: VERDICTS[at % VERDICTS.length]!, feedback: 'Checked against the file' }, people[at % 3]!)));
  await post('/hitl/escalations/day-11/cancel', admin, { detail: 'Asked twice' });
  await post('/hitl/escalations/day-12/raise', admin, { to: { users: ['carol'] } });
  await submit(loan('again-1', { pattern: 'review', revises: 'day-1' }));
  await stack.respond('again-1', { decision: 'reject' }, reviewers.carol);

  for (const message of WAITING) await submit(message);
  await stack.respond('sign-1', { decision: 'approve', comments: 'Checked against the order' }, reviewers.bob);
  for (const [user, text] of [[reviewers.bob, 'The cat sat on the mat.\nIt was warm.'], [reviewers.carol, 'The cat sat on the mat.\nIt was warm and still.']] as const) {
    await stack.respond('round-1', { refined_result: text, refinement_notes: 'Where it sat was missing', continue_refining: true }, user);
  }
  await post('/hitl/escalations/loan-1/comment', reviewers.bob, { text: 'The valuation is older than six months.' });
  await post('/hitl/escalations/loan-1/claim', reviewers.bob, {});

  // The last of all, so that what is above goes by the defaults.
  for (const policy of POLICIES) await post('/policies', admin, policy);
  await post('/policies/night-rota/disable', admin, {});
  const { js } = await stack.producer();
  for (const letter of ['{"type":"hitl_escalation","payload":{"request_id":"broken-1","alignment_score":"high"},"routing_key":"review.custom_rule"}', '{"type":"hitl_interaction"', JSON.stringify(loan('later-1', { assignees: { groups: ['of-nobody'] } }))]) {
    await js.publish('hitl.default.review.custom_rule', letter);
  }
  await earlierDays(stack.connection.postgres_url);
}

const POLICIES = [
  { id: 'loans-over-10k', description: 'Loans above ten thousand go to a senior', priority: 300, match: { kind: 'escalation', when: "'primary_decision' in metadata.disagreement_areas" }, interaction: { pattern: 'review', assignees: { roles: ['senior'] }, timeout_seconds: 14_400 } },
  { id: 'night-rota', priority: 100, match: { kind: 'interaction' }, interaction: { assignees: { users: ['carol'] } } },
];
const GROUPS: [string, string[]][] = [['lenders', ['alice', 'bob']], ['fraud-desk', ['carol', 'dave', 'erin', 'frank', 'grace', 'heidi']], ['of-nobody-yet', []]];

const WAITING = [
  loan('loan-1', { priority: 'high' }),
  step('stop-1', { pattern: 'timed_decision', priority: 'critical', timeout_seconds: 280, default_action: 'abort', prompt: 'Stop the rollout in eu-west?' }, { region: 'eu-west', error_rate: 0.07, since: '2026-11-22T04:10:00Z' }),
  step('sign-1', { pattern: 'approval', assignees: { users: ['alice', 'bob', 'carol'] }, prompt: 'Approve the payment of 12,400 EUR to Zażółć sp. z o.o.' }),
  step('edit-1', { pattern: 'review', prompt: 'Is the rewritten clause right?', review_data: { content: 'The parties agree.\nThe term is one year.', suggestions: 'The parties agree.\nThe term is two years.' } }),
  step('round-1', { pattern: 'refinement', prompt: 'Sharpen the summary', max_iterations: 5 }, { current_result: 'The cat sat.\nIt was warm.' }),
  step('field-1', { pattern: 'input', prompt: 'Which account does invoice 1180 belong to?', ui_schema: { fields: [{ name: 'account', type: 'select', label: 'Account', options: ['4400', '4930', '6800'], required: true }, { name: 'amount', type: 'number', label: 'Amount', min: 0, max: 5_000, step: 0.01 }, { name: 'urgent', type: 'checkbox', label: 'Pay today' }] } }),
  step('hand-1', { pattern: 'manual', prompt: 'The scan could not be read: please do it by hand' }, { file: 'scan-17.pdf', pages: [1, 2, 3], reader: { model: 'ocr-4', confidence: 0.12 } }),
  step('late-1', { pattern: 'review', timeout_seconds: 1, prompt: 'Nobody saw this in time' }),
  step(LONG_ID, { pattern: 'review', prompt: `Reconcile ${'a very long prompt of an agent that leaves nothing out, '.repeat(5)}please` }),
];

/** What the loops would have kept of the days before: statistics by the hour, and answers with their times. */
async function earlierDays(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await sql`
      insert into store.stats_openings (namespace, hour, reason, opened)
      select 'default', date_trunc('hour', clock_timestamp()) - make_interval(hours => h), r, 20 + (h * 7 + length(r) * 5) % 37 from generate_series(1, 200) as h, unnest(array['hard_disagreement', 'low_confidence', 'inconsistent_evidence', 'custom_rule']) as r`;
    await sql`
      insert into store.stats_hours (namespace, hour, reason, source, ended, seconds, histogram, raised, agreed, disagreed)
      select 'default', date_trunc('hour', clock_timestamp()) - make_interval(hours => h), r, s, n, n * 700.0, array[0, 0, n / 8, n / 2, n / 4, n / 8, 0, 0, 0, 0, 0, 0], n / 9, case when s = 'human' then n * 2 / 3 else 0 end, case when s = 'human' then n / 3 else 0 end
      from generate_series(1, 200) as h, unnest(array['hard_disagreement', 'low_confidence', 'inconsistent_evidence', 'custom_rule']) as r, unnest(array['human', 'timeout', 'cancel']) as s,
        lateral (select case s when 'human' then 12 + (h * 5 + length(r)) % 31 when 'timeout' then 1 + h % 4 else h % 2 end as n) as c where n > 0`;
    await sql`
      insert into store.stats_people (namespace, hour, user_id, votes, seconds)
      select 'default', date_trunc('hour', clock_timestamp()) - make_interval(hours => h), p, 3 + (h + length(p)) % 9, 2000 + 100 * length(p) from generate_series(1, 200) as h, unnest(array['alice', 'bob', 'carol', 'marie-louise.von-hohenberg']) as p`;
    await sql`
      insert into store.oversight_ends (namespace, request_id, reason, source, verdict, ended_at)
      select 'default', 'earlier-' || n, (array['hard_disagreement', 'low_confidence', 'inconsistent_evidence', 'custom_rule'])[1 + n % 4], case when n % 11 = 0 then 'timeout' else 'human' end, 'approve', clock_timestamp() - make_interval(mins => n * 9)
      from generate_series(1, 2400) as n`;
    await sql`
      insert into store.oversight_answers (namespace, request_id, user_id, answered_at, reason, verdict, asked_at, words)
      select namespace, request_id, (array['alice', 'bob', 'carol', 'marie-louise.von-hohenberg'])[1 + (hashtext(request_id) & 3)], ended_at, reason, verdict, ended_at - make_interval(secs => 20 + abs(hashtext(request_id)) % 3000), 180
      from store.oversight_ends where request_id like 'earlier-%' and source = 'human'`;
    await sql`
      insert into store.oversight_agents (namespace, hour, kind, name, agreed, disagreed)
      select 'default', date_trunc('hour', clock_timestamp()) - interval '1 hour', k, n, a, 900 - a from (values ('synthesis', '', 771), ('agent', 'affordability', 702), ('agent', 'collateral', 415), ('agent', 'fraud desk', 588)) as v (k, n, a)`;
  } finally {
    await sql.end();
  }
}
