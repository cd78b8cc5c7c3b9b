import { idToken, PRIORITIES, REASONS, STATES, type Principal } from '@umpire/contract';
import { createLogger, systemClock, type Sql } from '@umpire/runtime';
import { eventually, testDatabase, type TestDatabase } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listStatement, type ListCursor, type ListOrder, type ListQuestion, type ListRow, type ListSource } from './list.queries.ts';
import { RenderingCache } from './cache.ts';
import { Lists, questionOf, type ListRequest } from './list.service.ts';
import { Reads } from './read.service.ts';
import { SettledHints } from './settled-hints.ts';
import { client, type Client } from './test/http.ts';
import { startHarness, submission, type Harness } from './test/store-harness.ts';
import { fillStore } from './test/store-rows.ts';

describe('every source gives the same rows', () => {
  let database: TestDatabase;
  let sql: Sql;
  type Facts = ListRow & { pattern: string; policy: string | null; task_id: string | null; age: number; excluded: string[]; principals: string[]; words: string[] };
  let facts: Facts[];
  const ROWS = 600;

  beforeAll(async () => {
    database = await testDatabase();
    sql = database.sql;
    await fillStore(sql, 'default', ROWS);
    await fillStore(sql, 'team-a', ROWS / 2);
    // Equal times and equal deadlines: the order must stay total. Whole hours and a half old, so that no age passes a bound meanwhile.
    await sql`
      update store.escalations set deadline = date_trunc('hour', deadline),
        opened_at = date_trunc('milliseconds', transaction_timestamp()) - interval '30 minutes' - make_interval(hours => (${ROWS} - substr(request_id, 5)::int) / 30)`;
    await sql`update store.assignments a set opened_at = e.opened_at from store.escalations e where e.namespace = a.namespace and e.request_id = a.request_id`;
    // Two of three payloads know their age, so that pages of a search begin, end and go on at such that do not.
    await sql`update store.payloads p set opened_at = case when substr(p.request_id, 5)::int % 3 > 0 then e.opened_at end from store.escalations e where e.namespace = p.namespace and e.request_id = p.request_id`;
    // Some of the pending have lost a reader who had answered.
    await sql`update store.assignments set open = false, gone = true where open and principal = 'u:busy' and request_id like '%7'`;
    facts = await sql<Facts[]>`
      select e.namespace, e.request_id, e.status, e.seq, e.reason, e.pattern, e.policy, e.task_id, e.excluded, 3 - e.priority as urgency,
        extract(epoch from clock_timestamp() - e.opened_at)::float8 as age, tsvector_to_array(p.document) as words,
        to_char(e.opened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as opened_at, to_char(e.deadline at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as deadline,
        array(select principal from store.assignments a where a.namespace = e.namespace and a.request_id = e.request_id) as principals
      from store.escalations e join store.payloads p using (namespace, request_id) where e.namespace = 'default'`;
  });
  afterAll(() => database.drop());

  /** The rule of a list, by hand. */
  function expected(question: ListQuestion): string[] {
    const wanted = question.words.map((term) => ({ word: term.replaceAll(/^'|'(:\*)?$/g, ''), prefix: term.endsWith(':*') }));
    const rows = facts.filter((row) =>
      question.statuses.includes(row.status) && question.reasons.includes(row.reason) &&
      (question.patterns.length === 0 || question.patterns.includes(row.pattern)) && (question.urgencies.length === 0 || question.urgencies.includes(row.urgency)) &&
      (question.min_age === null || row.age >= question.min_age) && (question.max_age === null || row.age <= question.max_age) &&
      (question.policy === null || row.policy === question.policy) && (question.task_id === null || row.task_id === question.task_id) &&
      wanted.every(({ word, prefix }) => row.words.some((other) => (prefix ? other.startsWith(word) : other === word))) &&
      question.scopes.every(({ viewer, places }) => places.some(({ principal, person }) => row.principals.includes(principal) && (person === null || !row.excluded.some((user) => user === viewer || user === person)))));
    const { by, descending } = question.order;
    const key = (row: Facts) => (by === 'deadline' ? [row.deadline!] : by === 'priority' ? [String(row.urgency), row.opened_at] : [row.opened_at]).concat(Buffer.from(row.request_id).toString('hex')).join(' ');
    const sorted = rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
    return (descending ? sorted.toReversed() : sorted).map((row) => row.request_id);
  }

  async function walk(question: ListQuestion, source: ListSource): Promise<string[]> {
    const seen: string[] = [];
    let after: ListCursor | null = null;
    for (;;) {
      const rows: ListRow[] = await listStatement(sql, { ...question, after }, source);
      seen.push(...rows.map((row) => row.request_id));
      if (rows.length < question.limit) return seen;
      after = rows.at(-1)!;
    }
  }

  const admin: Principal = { namespace: 'default', key_id: 'k', roles: ['admin'], user_id: null, auth: 'api_key' };
  const reviewer: Principal = { ...admin, roles: ['reviewer', 'senior'], user_id: 'busy' };
  const narrow: Principal = { ...admin, roles: ['trainee'], user_id: 'rare' };
  const delegate: Principal = { ...admin, roles: ['trainee'], user_id: 'helper', acts_for: [{ user_id: 'rare', roles: ['senior'] }, { user_id: 'busy', roles: [] }] };
  const orders: ListOrder[] = (['age', 'deadline', 'priority'] as const).flatMap((by) => [false, true].map((descending) => ({ by, descending })));
  const base = { after: null, limit: 37 };
  const requests: Omit<ListRequest, 'sort' | 'after' | 'limit'>[] = [
    {},
    { state: ['pending'] },
    { reason: ['low_confidence', 'custom_rule'] },
    { pattern: ['approval'], priority: ['critical', 'low'] },
    { state: ['pending'], priority: ['high'] },
    { min_age: 3 * 3600, max_age: 9 * 3600 },
    { policy: 'policy-5' },
    { task_id: 'task/120' },
    { text: 'w7' },
    { text: 'common please' },
    { text: 'decide w1', pattern: ['review'] },
    { assignee: 'rare' },
    { assignee: 'busy', reason: ['hard_disagreement'] },
    { assignee_role: 'senior' },
    { assignee: 'rare', text: 'common' },
  ];
  const settled: typeof requests = [{ state: ['completed', 'expired'] }, { state: ['cancelled'], assignee: 'busy' }, { state: ['completed'], text: 'w3' }];

  const cases = [admin, reviewer, narrow, delegate].flatMap((principal) => [
    ...orders.flatMap((sort) => requests.map((request) => ({ principal, request: { ...request, sort, ...base } }))),
    ...orders.slice(0, 2).flatMap((sort) => settled.map((request) => ({ principal, request: { ...request, sort, ...base } }))),
  ]);

  it(`for ${cases.length} questions`, async () => {
    let found = 0;
    for (const { principal, request } of cases) {
      const question = questionOf(principal, request);
      const sources: ListSource[] = [
        { from: 'ranges' },
        ...(question.task_id === null ? [] : [{ from: 'task' } as const]),
        ...(question.search.length === 0 ? [] : [question.search, question.search.slice(-1)].map((by) => ({ from: 'search', by, until: null }) as const)),
        ...question.scopes.map((scope) => ({ from: 'assignments', scope }) as const),
        ...(question.order.by === 'age' ? question.scopes.map((scope) => ({ from: 'inboxes', scope }) as const) : []),
      ];
      const rows = expected(question);
      found += rows.length;
      for (const source of sources) expect({ request, source: source.from, rows: await walk(question, source) }).toEqual({ request, source: source.from, rows });
    }
    expect(found).toBeGreaterThan(10_000);
  }, 240_000);

  it('up to a moment in the order, where a search is told to look no further', async () => {
    const times = new Map(facts.map((row) => [row.request_id, row.opened_at]));
    const until = facts.map((row) => row.opened_at).toSorted()[ROWS / 3]!;
    for (const { principal, request } of cases.filter(({ request: { text, sort } }) => text !== undefined && sort.by === 'age')) {
      const question = questionOf(principal, request);
      const rows = expected(question).filter((id) => (request.sort.descending ? times.get(id)! >= until : times.get(id)! <= until));
      expect({ request, rows: await walk(question, { from: 'search', by: question.search, until: Date.parse(until) }) }).toEqual({ request, rows });
    }
  });

  it('of which a page may be found by a guess or after it', async () => {
    await sql`analyze store.payloads`;
    const cache = new RenderingCache({ url: undefined, prefix: '', seconds: 1, logger: createLogger('test', 'silent'), now: systemClock.now });
    const lists = new Lists(sql, new Reads(sql, cache, new SettledHints(systemClock.now)));
    for (const { principal, request } of cases.filter(({ request: { text, sort } }) => text !== undefined && sort.by === 'age')) {
      const seen: string[] = [];
      for (let after: ListCursor | null = null; ; ) {
        const page = await lists.page(principal, { ...request, after, limit: 5 });
        seen.push(...page.ids);
        if (page.next === null) break;
        after = page.next;
      }
      expect({ request, rows: seen }).toEqual({ request, rows: expected(questionOf(principal, request)) });
    }
  });

  it('over every state, reason and priority, and payloads that know their age and that do not', async () => {
    const [known] = await sql<{ some: number; none: number }[]>`select count(opened_at)::int as some, count(*) filter (where opened_at is null)::int as none from store.payloads where namespace = 'default'`;
    expect(known).toEqual({ some: ROWS / 3 * 2, none: ROWS / 3 });
    expect(new Set(facts.map((row) => row.status)).size).toBe(STATES.length);
    expect(new Set(facts.map((row) => row.reason)).size).toBe(REASONS.length);
    expect(new Set(facts.map((row) => row.urgency)).size).toBe(PRIORITIES.length);
  });

  it('of what was erased too: found as before by what is no content, by its words no more', async () => {
    const ids = facts.filter((row) => Number(row.request_id.slice(4)) % 5 === 0).map((row) => row.request_id);
    await sql`select store.erase_content('default', ${ids})`;
    facts = facts.map((row) => (ids.includes(row.request_id) ? { ...row, words: row.words.filter((word) => /^[@=!#]/.test(word)) } : row));
    let erased = 0;
    for (const { principal, request } of cases) {
      const question = questionOf(principal, request);
      if (question.search.length === 0) continue;
      const rows = expected(question);
      erased += rows.filter((id) => ids.includes(id)).length;
      for (const source of [{ from: 'ranges' }, { from: 'search', by: question.search, until: null }] as const) {
        expect({ request, source: source.from, rows: await walk(question, source) }).toEqual({ request, source: source.from, rows });
      }
    }
    expect(erased).toBeGreaterThan(100);
  }, 240_000);
});

describe('GET /hitl/escalations', () => {
  let harness: Harness;
  let http: Client;
  const keys: Record<string, string> = {};

  beforeAll(async () => {
    harness = await startHarness();
    http = client((await harness.startStore()).origin);
    keys['alice'] = await harness.key(['reviewer'], 'alice');
    keys['bob'] = await harness.key(['reviewer'], 'bob');
    keys['admin'] = await harness.key(['admin']);
    keys['producer'] = await harness.key(['producer']);
    keys['stranger'] = await harness.key(['admin'], undefined, 'team-a');
  });
  afterAll(() => harness.stop());

  const list = async (query: string, who = 'admin') => {
    const reply = await http.get(`/hitl/escalations?${query}`, keys[who]!);
    expect({ query, status: reply.status, text: reply.status === 200 ? '' : reply.text }).toEqual({ query, status: 200, text: '' });
    return { ids: reply.body.items.map((item: { interaction_id: string }) => item.interaction_id) as string[], next: reply.body.next as string | null, items: reply.body.items };
  };

  it('shows each what they may read, as it is shown alone', async () => {
    const inOrder = [
      submission('for-alice', { interaction: { assignees: { users: ['alice'] } } }),
      submission('for-bob', { interaction: { assignees: { users: ['bob'] } } }),
      submission('for-all', { task_id: 'task/1' }),
      submission('for-all', { namespace: 'team-a' }),
    ];
    for (const one of inOrder) {
      await harness.submit([one]);
      await eventually('the next millisecond', async () => (await harness.database.sql`select 1 from store.escalations having date_trunc('milliseconds', clock_timestamp()) > max(opened_at)`).length > 0);
    }
    expect((await list('sort=age')).ids).toEqual(['for-alice', 'for-bob', 'for-all']);
    expect((await list('', 'producer')).ids).toEqual(['for-alice', 'for-bob', 'for-all']);
    expect((await list('', 'alice')).ids).toEqual(['for-alice', 'for-all']);
    expect((await list('assignee=bob', 'alice')).ids).toEqual([]);
    expect((await list('assignee=bob')).ids).toEqual(['for-bob']);
    expect((await list('', 'stranger')).ids).toEqual(['for-all']);
    expect(await harness.database.sql`select request_id from store.payloads p join store.escalations e using (namespace, request_id) where p.opened_at is distinct from e.opened_at`).toEqual([]);
    expect((await list('task_id=task%2F1', 'stranger')).ids).toEqual([]);
    for (const item of (await list('')).items) expect(item).toEqual((await http.get(`/hitl/escalations/~${idToken(item.interaction_id)}`, keys['admin']!)).body);
  });

  it('finds words of summary, prompt and task id, in this namespace alone', async () => {
    await harness.submit([
      submission('words-1', { summary: 'Die Pr\u00fcfung der \u00dcBERWEISUNG', task_id: 'loan/2024/17' }),
      submission('words-2', { summary: '\u5be9\u67fb\u7d50\u679c\u3092\u78ba\u8a8d', interaction: { prompt: 'May this be paid?' } }),
      submission('words-3', { summary: 'Pr\u00fcfung', namespace: 'team-a' }),
    ]);
    expect((await list('text=pr%C3%BCfung')).ids).toEqual(['words-1']);
    expect((await list('text=PR%C3%9CF%20%C3%BCberwei')).ids).toEqual([]);
    expect((await list('text=%C3%9Cberwei')).ids).toEqual(['words-1']);
    expect((await list('text=loan%2F2024')).ids).toEqual(['words-1']);
    expect((await list('text=%E7%A2%BA%E8%AA%8D')).ids).toEqual(['words-2']);
    expect((await list('text=paid')).ids).toEqual(['words-2']);
    expect((await list('text=%40team-a')).ids).toEqual([]);
    expect((await list('text=pr%C3%BCfung', 'stranger')).ids).toEqual(['words-3']);
    await http.post('/hitl/escalations/words-2/revise', { prompt: 'Shall it be refunded?' }, keys['producer']!);
    expect((await list('text=paid')).ids).toEqual([]);
    expect((await list('text=refunded')).ids).toEqual(['words-2']);
  });

  it('keeps what somebody may read in their list, and takes away what they may not', async () => {
    await harness.submit([submission('passed-on', { interaction: { assignees: { users: ['alice', 'bob'] }, quorum: 'all' } })]);
    await http.post('/hitl/respond', { interaction_id: 'passed-on', user_input: { decision: 'approve' } }, keys['alice']!);
    expect((await http.post('/hitl/escalations/passed-on/reassign', { to: { users: ['carol', 'dave'] } }, keys['admin']!)).status).toBe(200);
    expect((await list('state=pending', 'alice')).ids).toContain('passed-on');
    expect((await list('state=pending', 'bob')).ids).not.toContain('passed-on');
    expect((await http.get('/hitl/escalations/passed-on', keys['alice']!)).status).toBe(200);
    expect((await http.get('/hitl/escalations/passed-on', keys['bob']!)).status).toBe(403);
  });

  it('pages through cursors, in every order', async () => {
    await harness.submit(Array.from({ length: 9 }, (_, index) => submission(`page-${index}`, {
      namespace: 'team-a', interaction: { priority: PRIORITIES[index % 4]!, timeout_seconds: 3_000 - index * 100 },
    })));
    for (const sort of ['age', '-age', 'deadline', '-deadline', 'priority', '-priority']) {
      const all = (await list(`sort=${sort}&state=pending`, 'stranger')).ids;
      expect(all.length).toBeGreaterThan(9);
      const seen: string[] = [];
      for (let after = ''; ; ) {
        const page = await list(`sort=${sort}&state=pending&limit=4${after}`, 'stranger');
        seen.push(...page.ids);
        if (page.next === null) break;
        after = `&after=${page.next}`;
      }
      expect(seen).toEqual(all);
    }
    expect((await list('sort=priority&limit=2', 'stranger')).items.map((item: { priority: string }) => item.priority)).toEqual(['critical', 'critical']);
    expect((await list('sort=deadline&limit=1', 'stranger')).ids).toEqual(['page-8']);
    const { next } = await list('limit=1', 'stranger');
    expect((await http.get(`/hitl/escalations?sort=deadline&after=${next}`, keys['stranger']!)).status).toBe(400);
    expect((await http.get('/hitl/escalations?after=x', keys['stranger']!)).status).toBe(400);
  });

  it('cuts a page that would grow too large, and goes on', async () => {
    const key = await harness.key(['admin'], undefined, 'team-b');
    for (let index = 0; index < 12; index++) {
      await harness.submit([submission(`large-${index}`, { namespace: 'team-b', payload: JSON.stringify({ request_id: `large-${index}`, filler: 'x'.repeat(240_000) }) })]);
    }
    const seen: string[] = [];
    for (let after = ''; ; ) {
      const { body, text } = await http.get(`/hitl/escalations?limit=200${after}`, key);
      expect(text.length).toBeLessThan(2.2 * 1024 * 1024);
      seen.push(...body.items.map((item: { interaction_id: string }) => item.interaction_id));
      if (body.next === null) break;
      after = `&after=${body.next}`;
    }
    expect(seen).toEqual(Array.from({ length: 12 }, (_, index) => `large-${index}`));
  });

  it('has no answer to questions with characters that nothing can hold, and goes on', async () => {
    await harness.submit([submission('nul', { task_id: 'task\u0000nul', summary: 'nul\u0000nul' })]);
    for (const query of ['assignee=%00', 'assignee_role=a%00b', 'policy=%00', 'task_id=%00', 'text=nul%00nul']) expect((await http.get(`/hitl/escalations?${query}`, keys['admin']!)).status).toBe(400);
    expect((await list('text=nul')).ids).toEqual(['nul']);
    const cursor = Buffer.from(JSON.stringify(['age', '2026-01-01T00:00:00.000Z', 'a\u0000b'])).toString('base64url');
    expect((await http.get(`/hitl/escalations?after=${cursor}`, keys['admin']!)).status).toBe(400);
    expect((await http.get('/hitl/pending/%00', keys['admin']!)).body.code).toBe('bad_request');
    expect((await http.post('/hitl/escalations/nul/raise', { to: { groups: ['a\u0000b'] } }, keys['admin']!)).status).toBe(400);
    expect((await http.post('/hitl/escalations/nul/reassign', { to: { users: ['a\u0000b'] } }, keys['admin']!)).status).toBe(200);
    expect((await http.post('/hitl/respond', { task_id: 'task\u0000nul', reviewer_id: 'alice', decision_value: 'approve' }, keys['alice']!)).status).toBe(400);
    expect((await http.get('/hitl/escalations/%00', keys['admin']!)).status).toBe(400);
  });

  it('names what it does not understand', async () => {
    const refuse = async (query: string) => {
      const reply = await http.get(`/hitl/escalations?${query}`, keys['admin']!);
      return [reply.status, reply.body.errors?.map((error: { path: string }) => error.path)];
    };
    expect(await refuse('state=open')).toEqual([422, ['state[0]']]);
    expect(await refuse('states=pending')).toEqual([422, ['']]);
    expect(await refuse('limit=0')).toEqual([422, ['limit']]);
    expect(await refuse('limit=201')).toEqual([422, ['limit']]);
    expect(await refuse('text=%3F')).toEqual([422, ['text']]);
    expect(await refuse('sort=deadline&state=completed')).toEqual([422, ['sort']]);
    expect(await refuse('min_age=-1')).toEqual([422, ['min_age']]);
    expect((await list('state=pending,completed&state=expired&reason=hard_disagreement')).ids.length).toBeGreaterThan(0);
  });
});
