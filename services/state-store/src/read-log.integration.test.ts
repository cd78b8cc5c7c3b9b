import { subjects } from '@umpire/contract';
import { createLogger, newId } from '@umpire/runtime';
import { eventually } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { globSync, readFileSync } from 'node:fs';
import { filterDigest, ReadLog, type Reader } from './read-log.ts';
import { client, type Client } from './test/http.ts';
import { startHarness, submission, type Harness } from './test/store-harness.ts';

let harness: Harness;
let http: Client;
let origin: string;
let admin: string;
let alice: string;

beforeAll(async () => {
  harness = await startHarness();
  ({ origin } = await harness.startStore());
  http = client(origin);
  [admin, alice] = [await harness.key(['admin']), await harness.key(['reviewer'], 'alice')];
});
afterAll(() => harness.stop());

/** What the log holds for a question, once it holds so many. */
const reads = (query: string, count: number) =>
  eventually(`${count} reads of ${query}`, async () => {
    const { items } = (await http.get(`/hitl/reads?${query}`, admin)).body;
    return items.length >= count && items;
  });

/** Routes that show an escalation's content, and what a read of each is called. */
const LOGGED: Record<string, { what: string; path: (id: string) => string }> = {
  'hitl/pending/:user_id': { what: 'pending', path: () => '/hitl/pending/alice' },
  'hitl/status/:interaction_id': { what: 'status', path: (id) => `/hitl/status/${id}` },
  'hitl/escalations': { what: 'list', path: () => '/hitl/escalations?text=disagree' },
  'hitl/escalations/:id': { what: 'item', path: (id) => `/hitl/escalations/${id}` },
  'hitl/escalations/:id/timeline': { what: 'timeline', path: (id) => `/hitl/escalations/${id}/timeline` },
  'hitl/escalations/:id/explain': { what: 'explain', path: (id) => `/hitl/escalations/${id}/explain` },
};
/** Routes that show none. */
const NO_CONTENT = new Set(['hitl/reads', 'hitl/stats', 'hitl/stats/oversight']);

describe('the read log', () => {
  it('knows every route under /hitl that shows something', () => {
    const declared = globSync('*.controller.ts', { cwd: new URL('.', import.meta.url).pathname }).flatMap((file) => {
      const source = readFileSync(new URL(file, import.meta.url), 'utf8');
      const prefix = /@GuardedController\('(hitl[^']*)'\)/.exec(source)?.[1];
      return prefix === undefined ? [] : [...source.matchAll(/^ {2}@Get\((?:'([^']*)')?/gm)].map(([, path]) => [prefix, path].filter(Boolean).join('/'));
    });
    expect(declared.sort()).toEqual([...Object.keys(LOGGED), ...NO_CONTENT].sort());
  });

  it('says who read what, how, through what and from where', async () => {
    const id = 'seen/1 \u00e9';
    await harness.submit([submission(id, { interaction: { assignees: { users: ['alice'] } } })]);
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    for (const { path } of Object.values(LOGGED)) {
      const answer = await fetch(`${origin}${path(encodeURIComponent(id))}`, { headers: { authorization: `Bearer ${alice}`, traceparent: `00-${trace}-00f067aa0ba902b7-01`, 'x-forwarded-for': '203.0.113.9' } });
      expect([path, answer.status]).toEqual([path, 200]);
    }
    const items = await reads(`request_id=${encodeURIComponent(id)}`, Object.keys(LOGGED).length);
    expect(items.map((one: { what: string }) => one.what).sort()).toEqual(Object.values(LOGGED).map(({ what }) => what).sort());
    for (const one of items) {
      expect(one).toMatchObject({ namespace: 'default', user_id: 'alice', auth: 'api_key', via: 'http', address: '127.0.0.1', forwarded_for: '203.0.113.9', trace_id: trace, key_id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
      expect(one.request_id === id || one.shown.includes(id)).toBe(true);
      expect(one.filter_digest === null).toBe(one.request_id !== null);
    }
    expect(items.find((one: { what: string }) => one.what === 'pending')).toMatchObject({ subject_user: 'alice', shown: [id] });
  });

  it('is not told of what was refused, and is its namespace\'s own and an admin\'s', async () => {
    await harness.submit([submission('closed-1', { interaction: { assignees: { users: ['bob'] } } })]);
    for (const path of ['', '/timeline', '/explain']) expect((await http.get(`/hitl/escalations/closed-1${path}`, alice)).status).toBe(403);
    expect((await http.get('/hitl/status/closed-1', alice)).status).toBe(403);
    expect((await http.get('/hitl/escalations/not-there', alice)).status).toBe(404);
    await http.get('/hitl/escalations/closed-1', admin);
    expect((await reads('request_id=closed-1', 1)).map((one: { user_id: string | null; auth: string }) => one.user_id)).toEqual([null]);
    expect((await http.get('/hitl/reads', alice)).status).toBe(403);
    const other = await harness.key(['admin'], undefined, 'team-a');
    expect((await http.get('/hitl/reads?request_id=closed-1', other)).body).toEqual({ items: [], next: null });
  });

  it('tells sockets and producers over NATS', async () => {
    await harness.submit([submission('wired-1', { interaction: { assignees: { users: ['wanda'] } } })]);
    const notifier = await harness.nats.bus('notifier');
    const reader = { user_id: 'wanda', key_id: newId(), auth: 'session' as const, address: '10.0.0.9', forwarded_for: null, trace_id: null };
    await notifier.requestJson(subjects.query('pending'), { namespace: 'default', user_id: 'wanda', roles: ['reviewer'], reader }, 5_000);
    await notifier.request(subjects.query('items'), JSON.stringify({ items: [{ namespace: 'default', request_id: 'wired-1' }], reader }), 5_000);
    await notifier.request(subjects.query('items'), JSON.stringify({ items: [{ namespace: 'default', request_id: 'wired-1' }] }), 5_000);
    const items = await reads('user_id=wanda', 2);
    expect(items.map((one: { what: string; via: string; address: string; auth: string }) => [one.what, one.via, one.auth, one.address])).toEqual([['item', 'socket', 'session', '10.0.0.9'], ['pending', 'socket', 'session', '10.0.0.9']]);
  });

  it('tells who was told an outcome by a refusal: an answer, a command and an item of a bulk that came late, and a late cancel', async () => {
    const id = 'late/1';
    await harness.submit([submission(id, { interaction: { assignees: { users: ['alice', 'lars'] } } })]);
    const lars = await harness.key(['reviewer'], 'lars');
    expect((await http.post('/hitl/respond', { interaction_id: id, user_input: { decision: 'approve' } }, alice)).status).toBe(200);
    const answer = { interaction_id: id, user_input: { decision: 'reject' } };
    expect((await http.post('/hitl/respond', answer, lars)).body).toMatchObject({ status: 409, outcome: { verdict: 'approve' } });
    expect((await http.post(`/hitl/escalations/${encodeURIComponent(id)}/claim`, {}, lars)).body).toMatchObject({ status: 409, outcome: { verdict: 'approve' } });
    expect((await http.post('/hitl/bulk/respond', { items: [answer] }, lars)).body.items).toMatchObject([{ problem: { outcome: { verdict: 'approve' } } }]);
    const items = await reads('user_id=lars', 3);
    expect(items.map((one: { what: string; via: string; request_id: string }) => [one.what, one.via, one.request_id])).toEqual(Array.from({ length: 3 }, () => ['outcome', 'http', id]));
    const [verdict] = await harness.submit([{ item: { type: 'cancel', namespace: 'default', request_id: id, reason: 'custom_rule', submission: 'HITL_REVIEW:late@1', detail: null }, body: new Uint8Array() }]);
    expect(verdict).toMatchObject({ status: 'late', outcome: { verdict: 'approve' } });
    expect((await reads(`request_id=${encodeURIComponent(id)}&what=outcome`, 4)).map((one: { via: string }) => one.via).sort()).toEqual(['http', 'http', 'http', 'nats']);
    // Who may not read it is not told, and so has read nothing.
    const stranger = await harness.key(['reviewer'], 'stella');
    expect((await http.post('/hitl/respond', answer, stranger)).body.outcome).toBeUndefined();
    expect((await http.get('/hitl/reads?user_id=stella', admin)).body.items).toEqual([]);
  });

  it('pages newest first, filters, and names what it does not understand', async () => {
    await harness.submit([submission('paged-1', { interaction: { assignees: { users: ['pia'] } } })]);
    const pia = await harness.key(['reviewer'], 'pia');
    for (let n = 0; n < 5; n++) await http.get('/hitl/escalations/paged-1', pia);
    await http.get('/hitl/status/paged-1', pia);
    const all = await reads('user_id=pia', 6);
    const seen: { id: string }[] = [];
    for (let after = ''; ; ) {
      const { items, next } = (await http.get(`/hitl/reads?user_id=pia&limit=2${after}`, admin)).body;
      seen.push(...items);
      if (next === null) break;
      after = `&after=${next}`;
    }
    expect(seen).toEqual(all);
    expect((await http.get('/hitl/reads?user_id=pia&what=status', admin)).body.items).toHaveLength(1);
    expect((await http.get('/hitl/reads?user_id=pia&since=2100-01-01T00:00:00Z', admin)).body.items).toEqual([]);
    expect((await http.get('/hitl/reads?user_id=pia&until=2000-01-01T00:00:00Z&since=1999-01-01T00:00:00Z', admin)).body.items).toEqual([]);
    for (const query of ['since=yesterday', 'limit=0', 'after=x', 'nonsense=1', 'what=A%20B']) expect([query, (await http.get(`/hitl/reads?${query}`, admin)).status]).toEqual([query, query === 'after=x' ? 400 : 422]);
  });

  it('has the same digest for the same question, and another for another', () => {
    expect(filterDigest({ a: 1, b: ['x'] })).toBe(filterDigest({ b: ['x'], a: 1, c: undefined }));
    expect(filterDigest({ a: 1 })).not.toBe(filterDigest({ a: 2 }));
  });
});

describe('a read log that cannot write', () => {
  const reader: Reader = { user_id: 'late', key_id: null, auth: 'api_key', address: null, forwarded_for: null, trace_id: null };
  const count = async () => Number((await harness.database.sql<{ n: number }[]>`select count(*)::integer as n from store.reads where user_id = 'late'`)[0]!.n);

  it('lets reads wait for room, then refuses them, and writes every one it took', async () => {
    const log = new ReadLog({ sql: harness.database.sql, logger: createLogger('test', 'silent'), days: 400, mode: 'behind' }, 3);
    const blocker = await harness.database.sql.reserve();
    await blocker`begin`;
    await blocker`lock table store.reads in access exclusive mode`;
    const note = (n: number) => log.note('default', reader, 'http', { what: 'item', request_id: `late-${n}` });
    await Promise.all([note(1), note(2), note(3)]);
    await expect(note(4)).rejects.toMatchObject({ code: 'unavailable' });
    const waits = note(5);
    await blocker`rollback`;
    blocker.release();
    await waits;
    await log.stop();
    expect(await count()).toBe(4);
  });

  it('writes each read once, however often it has to try, and whichever attempt comes through', async () => {
    const sql = harness.database.sql;
    const of = async () => Number((await sql<{ n: number }[]>`select count(*)::integer as n from store.reads where user_id = 'again'`)[0]!.n);
    let tries = 0;
    const logger = createLogger('test', 'silent');
    const counting = Object.assign(Object.create(logger) as typeof logger, { warn: () => void (tries += 1) });
    const log = new ReadLog({ sql, logger: counting, days: 400, mode: 'behind', writeMs: 150 });
    const blocker = await sql.reserve();
    await blocker`begin`;
    await blocker`lock table store.reads in exclusive mode`;
    for (let n = 0; n < 5; n++) await log.note('default', { ...reader, user_id: 'again' }, 'http', { what: 'item', request_id: `again-${n}` });
    // Attempts that nobody waits for any more stand before the table, and will go on.
    await eventually('three attempts', () => tries >= 3);
    await blocker`rollback`;
    blocker.release();
    await log.stop();
    const settled = () => sql<{ n: number }[]>`select count(*)::integer as n from pg_stat_activity where datname = current_database() and query like '%store.reads%' and state <> 'idle' and pid <> pg_backend_pid()`;
    await eventually('every attempt has ended', async () => (await settled())[0]!.n === 0);
    expect(await of()).toBe(5);
  });

  it('in mode before answers after the write', async () => {
    const log = new ReadLog({ sql: harness.database.sql, logger: createLogger('test', 'silent'), days: 400, mode: 'before' });
    const before = await count();
    await Promise.all(Array.from({ length: 50 }, (_, n) => log.note('default', reader, 'http', { what: 'item', request_id: `sync-${n}` })));
    expect(await count()).toBe(before + 50);
    await log.stop();
  });
});

describe('the weeks of the log', () => {
  it('are made ahead, and dropped when their time is over', async () => {
    const { sql } = harness.database;
    const weeks = async () => (await sql<{ name: string }[]>`select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'store.reads'::regclass order by 1`).map((row) => row.name);
    expect(await weeks()).toHaveLength(3);
    await sql`create table store.reads_20200106 partition of store.reads for values from ('2020-01-06T00:00:00Z') to ('2020-01-13T00:00:00Z')`;
    await sql`insert into store.reads (id, namespace, at, what, via, request_id, auth) values (gen_random_uuid(), 'default', '2020-01-07T00:00:00Z', 'item', 'http', 'old', 'api_key'), (gen_random_uuid(), 'default', '2019-01-07T00:00:00Z', 'item', 'http', 'older', 'api_key')`;
    const [{ dropped }] = await sql<[{ dropped: number }]>`select store.keep_reads(make_interval(days => 400)) as dropped`;
    expect(dropped).toBe(1);
    expect(await weeks()).toHaveLength(3);
    expect(await sql`select 1 from store.reads where request_id in ('old', 'older')`).toHaveLength(0);
  });
});
