import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jetstream } from '@nats-io/jetstream';
import { decodeUtf8, REQUESTS, subjects } from '@umpire/contract';
import { ExportVerifier, Keys, type EventLine, type ExportLine, type Report } from '@umpire/record';
import { eventually } from '@umpire/testing';
import { Redis } from 'ioredis';
import { compactVerify, createLocalJWKSet } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client, type Client } from '../test/http.ts';
import { exportLines, seal } from '../test/record-client.ts';
import { startHarness, submission, type Harness } from '../test/store-harness.ts';
import { renameInFigures } from './erasure.queries.ts';

const PYTHON = fileURLToPath(new URL('../../../../examples/python/verify_export.py', import.meta.url));

let harness: Harness;
let http: Client;
let origin: string;
let folder: string;
const key: Record<string, string> = {};
const forgotten: { namespace: string; user_id: string }[] = [];

beforeAll(async () => {
  harness = await startHarness();
  folder = await mkdtemp(join(tmpdir(), 'umpire-erasure-'));
  ({ origin } = await harness.startStore());
  http = client(origin);
  for (const [name, roles, user] of [['admin', ['admin']], ['alice', ['reviewer'], 'alice'], ['bob', ['reviewer'], 'bob'], ['zoe', ['reviewer'], 'zoé z']] as const) key[name] = await harness.key([...roles], user);
  const notifier = await harness.nats.bus('notifier');
  notifier.respond(REQUESTS.find(({ subject }) => subject === subjects.forget)!, async (data) => {
    forgotten.push(JSON.parse(decodeUtf8(data)));
    return '{"channels":0}';
  });
});
afterAll(async () => {
  await harness.stop();
  await rm(folder, { recursive: true, force: true });
});

const path = (id: string, tail = '') => `/hitl/escalations/~${Buffer.from(id).toString('base64url')}${tail}`;
const respond = async (who: string, id: string, more: Record<string, unknown> = {}) => {
  const answered = await http.post('/hitl/respond', { interaction_id: id, user_input: { decision: 'approve', ...more } }, key[who]!);
  expect(answered.status).toBe(200);
  return answered;
};
const published = () => eventually('everything is published', async () => (await harness.database.sql`select 1 from store.outbox limit 1`).length === 0, 30_000);

async function verified(): Promise<Report> {
  const lines = await exportLines(origin, key['admin']!);
  const jwks = (await http.get('/.well-known/jwks.json', '')).body;
  const verifier = new ExportVerifier({ keys: new Keys(jwks) });
  for (const line of lines) verifier.push(line);
  const report = verifier.finish();
  expect(report.findings).toEqual([]);
  // A second opinion, which shares no code with ours.
  await writeFile(join(folder, 'export.ndjson'), lines.map((line) => `${line}\n`).join(''));
  await writeFile(join(folder, 'jwks.json'), JSON.stringify(jwks));
  const { stdout } = await promisify(execFile)('python3', [PYTHON, join(folder, 'export.ndjson'), join(folder, 'jwks.json')]);
  expect(stdout).toContain(`verified: namespace default, ${report.chains} chains`);
  expect(stdout).toContain(`${report.events} events, ${report.erased_events} erased`);
  return report;
}

/** Every table of the store in which the text stands, as text or inside bytes. */
async function tablesWith(text: string): Promise<string[]> {
  const { sql } = harness.database;
  const tables = await sql<{ name: string }[]>`select format('%I.%I', table_schema, table_name) as name from information_schema.tables where table_schema in ('store', 'identity') and table_type = 'BASE TABLE'`;
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await sql`select 1 from ${sql.unsafe(name)} as t where position(${text} in t::text) > 0 or position(encode(convert_to(${text}, 'UTF8'), 'hex') in t::text) > 0 limit 1`;
    if (rows.length > 0) found.push(name);
  }
  return found;
}

async function cached(text: string): Promise<boolean> {
  const redis = new Redis(harness.redis.url);
  try {
    const keys = await redis.keys('*');
    const values = await Promise.all(keys.map((name) => redis.get(name).catch(() => '')));
    return values.some((value) => value?.includes(text));
  } finally {
    redis.disconnect();
  }
}

async function heard(type: string): Promise<Record<string, any>[]> {
  const operator = await harness.nats.operator();
  const events: Record<string, any>[] = [];
  const consumer = await jetstream(operator).consumers.get('HITL_EVENTS', { filter_subjects: [`hitl.*.escalation.${type}.*`] });
  for await (const message of await consumer.fetch({ max_messages: 100, expires: 1_000 })) events.push(message.json());
  await operator.close();
  return events;
}

describe('a receipt', () => {
  const ID = 'receipt/Übung 1';
  const payload = '{"request_id":"receipt/Übung 1", "amount": 30.0}';

  it('says what was decided, by whom and where it stands, signed', async () => {
    await harness.submit([submission(ID, { payload, interaction: { assignees: { users: ['alice', 'bob'] }, quorum: 'all' } })]);
    expect((await http.get(path(ID, '/receipt'), key['admin']!)).status).toBe(409);
    await respond('alice', ID, { feedback: 'fine' });
    await respond('bob', ID);
    await seal(harness.database.sql, http, key['admin']!);
    const answer = await http.get(path(ID, '/receipt'), key['alice']!);
    expect(answer.status).toBe(200);
    const { receipt, jws } = answer.body;
    expect(receipt).toMatchObject({
      namespace: 'default', request_id: ID, request_digest: createHash('sha256').update(payload).digest('hex'), quorum: 'all', electorate: { users: ['alice', 'bob'], roles: [] },
      votes: [{ user_id: 'alice', verdict: 'approve', auth: 'api_key', counted: true }, { user_id: 'bob' }],
      outcome: { state: 'completed', verdict: 'approve', source: 'human', decided_by: ['alice', 'bob'] },
      chain: { seq: 4, checkpoint: { number: expect.any(Number), digest: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    });
    expect(receipt.actors.map((one: { type: string }) => one.type)).toEqual(['opened', 'responded', 'responded', 'resolved']);
    expect((await http.get(path(ID, '/receipt'), key['alice']!)).body.jws).toBe(jws);
    expect((await http.get(path(ID, '/receipt'), key['zoe']!)).status).toBe(403);
    const jwks = (await http.get('/.well-known/jwks.json', '')).body;
    const opened = await compactVerify(jws, createLocalJWKSet(jwks), { algorithms: ['EdDSA'] });
    expect(opened.protectedHeader.typ).toBe('umpire-receipt');
    expect(JSON.parse(new TextDecoder().decode(opened.payload))).toEqual(receipt);
    expect(opensslSays(jws, jwks)).toContain('Signature Verified Successfully');
    expect(() => opensslSays(jws.replace(/\.(.)/, (_: string, first: string) => `.${first === 'e' ? 'f' : 'e'}`), jwks)).toThrow();
  });

  it('is not given of a state that somebody changed behind the record\'s back', async () => {
    await harness.submit([submission('doctored')]);
    await respond('alice', 'doctored');
    const { sql } = harness.database;
    const outcome = async (from: string, to: string) => sql`update store.escalations set state = convert_to(replace(convert_from(state, 'UTF8'), ${from}, ${to}), 'UTF8') where request_id = 'doctored'`;
    await outcome('"verdict":"approve"', '"verdict":"reject"');
    expect((await http.get(path('doctored', '/receipt'), key['admin']!)).status).toBe(500);
    await outcome('"verdict":"reject"', '"verdict":"approve"');
    expect((await http.get(path('doctored', '/receipt'), key['admin']!)).status).toBe(200);
  });

  /** The commands of docs/audit.md. */
  function opensslSays(jws: string, jwks: object): string {
    const script = `
      set -e; cd "$DIR"
      base64url() { tr -- '-_' '+/' | awk '{ while (length($0) % 4) $0 = $0 "="; print }' | openssl base64 -d -A; }
      kid=$(cut -d. -f1 receipt.jws | base64url | python3 -c 'import json,sys; print(json.load(sys.stdin)["kid"])')
      x=$(python3 -c 'import json,sys; print(next(k["x"] for k in json.load(open("jwks.json"))["keys"] if k["kid"] == sys.argv[1]))' "$kid")
      { printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000'; printf %s "$x" | base64url; } | openssl pkey -pubin -inform DER -out key.pem
      cut -d. -f1,2 receipt.jws | tr -d '\\n' > signed.txt
      cut -d. -f3 receipt.jws | base64url > signature.bin
      openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in signed.txt -sigfile signature.bin`;
    execFileSync('sh', ['-c', 'cat > "$DIR/receipt.jws"'], { input: `${jws}\n`, env: { ...process.env, DIR: folder } });
    execFileSync('sh', ['-c', 'cat > "$DIR/jwks.json"'], { input: JSON.stringify(jwks), env: { ...process.env, DIR: folder } });
    return execFileSync('sh', ['-c', script], { env: { ...process.env, DIR: folder }, stdio: ['ignore', 'pipe', 'pipe'] }).toString();
  }
});

describe('an escalation whose content is erased', () => {
  it('keeps its place in the record, and nothing else', async () => {
    await harness.submit([submission('secret', { payload: '{"request_id":"secret","summary":"PAYLOADWORD"}', summary: 'PAYLOADWORD summary', task_id: 'TASKWORD', interaction: { prompt: 'PROMPTWORD', assignees: { users: ['alice'] } } })]);
    const erase = (id: string) => http.post('/audit/erasures', { request_id: id, reason: 'asked by the customer' }, key['admin']!);
    expect((await erase('secret')).body).toMatchObject({ status: 409, detail: expect.stringContaining('pending') });
    await http.post(path('secret', '/comment'), { text: 'COMMENTWORD' }, key['alice']!);
    await respond('alice', 'secret', { feedback: 'ANSWERWORD' });
    await published();
    const before = (await http.get(path('secret'), key['admin']!)).body;
    const timelineBefore = (await http.get(path('secret', '/timeline'), key['admin']!)).body.items;
    await seal(harness.database.sql, http, key['admin']!);
    for (const word of ['PAYLOADWORD', 'PROMPTWORD', 'COMMENTWORD', 'ANSWERWORD', 'TASKWORD']) expect(await tablesWith(word)).not.toEqual([]);
    expect(await cached('PAYLOADWORD')).toBe(true);

    const done = await erase('secret');
    expect(done.body).toMatchObject({ state: 'done', scope: 'content', request_id: 'secret', reason: 'asked by the customer', events: 4 });

    for (const word of ['PAYLOADWORD', 'payloadword', 'PROMPTWORD', 'COMMENTWORD', 'ANSWERWORD', 'TASKWORD']) expect({ word, in: await tablesWith(word) }).toEqual({ word, in: [] });
    await eventually('the cached rendering is gone', async () => !(await cached('PAYLOADWORD')), 30_000);
    const item = (await http.get(path('secret'), key['admin']!)).body;
    expect(item).toMatchObject({ status: 'completed', reason: before.reason, data: null, prompt: null, summary: null, erased_at: expect.any(String), votes: [], outcome: { state: 'completed', verdict: 'approve', response: null, decided_by: [], id: before.outcome.id } });
    const timeline = (await http.get(path('secret', '/timeline'), key['admin']!)).body.items;
    expect(timeline.map((one: { hash: string }) => one.hash).slice(0, -1)).toEqual(timelineBefore.map((one: { hash: string }) => one.hash));
    expect(timeline.at(-1)).toMatchObject({ type: 'erased', data: { reason: 'asked by the customer', erasure: { scope: 'content', events: 'all', payload: true } } });
    expect((await erase('secret')).status).toBe(410);
    expect((await http.get(path('secret', '/receipt'), key['admin']!)).status).toBe(410);
    const again = await harness.submit([submission('secret', { payload: '{"request_id":"secret","summary":"PAYLOADWORD"}' })]);
    expect(again[0]!.status).toBe('conflict');
    expect(await verified()).toMatchObject({ erased_events: 4 });
    expect(await eventually('others are told', async () => (await heard('erased')).find((event) => event['request_id'] === 'secret'), 30_000)).toMatchObject({ data: { clocks: [], event_ids: expect.arrayContaining([timelineBefore[0].id]) } });
    expect((await http.get('/audit/erasures', key['admin']!)).body.items[0]).toMatchObject({ id: done.body.id });
  });

  it('is found out where it was done behind the record\'s back', async () => {
    await harness.submit([submission('robbed')]);
    await seal(harness.database.sql, http, key['admin']!);
    const lines = await exportLines(origin, key['admin']!);
    const chain = lines.findIndex((line) => (JSON.parse(line) as { request_id?: string }).request_id === 'robbed');
    const event = JSON.parse(lines[chain + 1]!) as ExportLine & EventLine;
    const verifier = new ExportVerifier();
    for (const line of lines.with(chain + 1, JSON.stringify({ ...event, payload: null, payload_salt: null }))) verifier.push(line);
    expect(verifier.finish().findings.map(({ code }) => code)).toEqual(['content_missing']);
  });
});

describe('a person who is erased', () => {
  const PERSON = 'zoé z';

  it('is taken out wherever they stand, and the record still verifies', async () => {
    await harness.group('risk', [PERSON, 'bob']);
    const admin = key['admin']!;
    await http.post('/identity/delegations', { from: 'alice', to: PERSON, seconds: 3_600 }, admin);
    await harness.submit([
      submission('voted', { interaction: { assignees: { groups: ['risk'] }, quorum: 'all' } }),
      submission('answered', { interaction: { assignees: { users: [PERSON] } } }),
      submission('others', { interaction: { assignees: { users: ['bob'] } } }),
      submission('asked for by them', { interaction: { assignees: { users: ['bob'] }, requested_by: PERSON } }),
    ]);
    await respond('zoe', 'voted', { feedback: 'my own words' });
    const refused = await http.post('/audit/erasures', { user_id: PERSON, reason: 'left the company' }, admin);
    expect(refused.status).toBe(409);
    expect(refused.body.interaction_ids.toSorted()).toEqual(['answered', 'voted']);
    await respond('bob', 'voted');
    await respond('zoe', 'answered');
    await seal(harness.database.sql, http, admin);
    const own = (await exported(PERSON)).filter((line) => line['kind'] === 'acted' || line['kind'] === 'named');
    expect(own.filter((line) => line['kind'] === 'acted').map((line) => `${line['request_id']} ${line['type']}`).sort()).toEqual(['answered resolved', 'answered responded', 'voted responded']);
    expect(JSON.stringify(own)).toContain('my own words');
    expect(own.some((line) => line['request_id'] === 'others')).toBe(false);
    await published();

    const begun = await http.post('/audit/erasures', { user_id: PERSON, reason: `${PERSON} left the company` }, admin);
    const name = begun.body.pseudonym as string;
    expect(begun.body).toMatchObject({ state: 'running', scope: 'person', pseudonym: expect.stringMatching(/^erased-[0-9a-f]{16}$/) });
    expect(begun.text).not.toContain('zo');
    await eventually('the erasure is done', async () => (await http.get(`/audit/erasures/${begun.body.id}`, admin)).body.state === 'done', 60_000);

    // A figure that was written meanwhile, beside one under the new name.
    await harness.database.sql.begin(async (tx) => {
      for (const user of [PERSON, name]) await tx`insert into store.stats_people (namespace, hour, user_id, votes, seconds) values ('default', '2026-01-01T00:00:00Z', ${user}, 2, 3)`;
      await renameInFigures(tx, 'default', PERSON, name);
      expect(await tx`select votes, seconds from store.stats_people where user_id = ${name} and hour = '2026-01-01T00:00:00Z'`).toMatchObject([{ votes: 4, seconds: 6 }]);
    });
    expect(await tablesWith(JSON.stringify(PERSON))).toEqual([]);
    expect(await tablesWith(PERSON)).toEqual([]);
    expect(forgotten).toEqual([{ namespace: 'default', user_id: PERSON }]);
    const item = (await http.get(path('voted'), admin)).body;
    expect(item.votes.map((vote: { user_id: string }) => vote.user_id).sort()).toEqual(['bob', name].sort());
    expect(item.outcome.decided_by).toContain(name);
    expect((await http.get(path('asked for by them'), admin)).body.excluded).toEqual([name]);
    await respond('bob', 'asked for by them');
    expect((await http.get('/hitl/pending/bob', key['zoe']!)).status).toBe(401);
    expect((await http.get(path('voted', '/receipt'), admin)).body.receipt.votes.map((vote: { user_id: string }) => vote.user_id)).toContain(name);
    expect((await verified()).erased_events).toBeGreaterThan(4);
    expect((await exported(PERSON)).filter((line) => line['kind'] === 'acted')).toEqual([]);
  });

  async function exported(person: string): Promise<Record<string, unknown>[]> {
    const lines: string[] = [];
    for (let next: string | undefined = `/audit/person/${encodeURIComponent(person)}`; next !== undefined; ) {
      const response: Response = await fetch(`${origin}${next}`, { headers: { authorization: `Bearer ${key['admin']}` } });
      expect(response.status).toBe(200);
      lines.push(...(await response.text()).split('\n').slice(0, -1));
      next = /<([^>]+)>/.exec(response.headers.get('link') ?? '')?.[1];
    }
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }
});

describe('retention', () => {
  it('takes the content of what ended long enough ago, as it ended, and of nothing else', async () => {
    const admin = key['admin']!;
    await harness.submit(['old', 'older', 'recent', 'open'].map((id) => submission(id, { payload: JSON.stringify({ request_id: id, summary: 'RETAINED' }), interaction: { assignees: { users: ['alice'] } } })));
    await respond('alice', 'old');
    await respond('alice', 'recent');
    expect((await http.post(path('older', '/cancel'), {}, admin)).status).toBe(200);
    await published();
    await seal(harness.database.sql, http, admin);
    await harness.database.sql.begin(async (tx) => {
      // Time passes: what is only ever added to can be moved by nobody but the tests' superuser.
      await tx`set local session_replication_role = replica`;
      await tx`update store.checkpoints set at = at - interval '10 days'`;
      await tx`update store.escalations set settled_at = settled_at - interval '10 days' where request_id in ('old', 'older')`;
    });
    const put = (body: object) => fetch(`${origin}/audit/retention`, { method: 'PUT', headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' }, body: JSON.stringify(body) });
    expect((await put({ completed_days: 0 })).status).toBe(422);
    expect(await (await put({ completed_days: 7 })).json()).toMatchObject({ completed_days: 7, expired_days: null, cancelled_days: null });
    const state = async (id: string) => (await http.get(path(id), admin)).body;
    await eventually('retention took it', async () => (await state('old')).erased_at !== undefined, 60_000);
    await eventually('retention has come to its end', async () => (await harness.database.sql`
      select 1 from store.retention_cursors c where c.status = 'completed' and number > (select max(number) from store.checkpoints p where p.namespace = c.namespace and p.at < clock_timestamp() - interval '7 days')`).length === 1, 60_000);
    for (const id of ['older', 'recent', 'open']) expect((await state(id)).data.summary).toBe('RETAINED');
    expect((await http.get(path('old', '/timeline'), admin)).body.items.at(-1)).toMatchObject({ type: 'erased', actor: { id: 'retention' }, data: { erasure: { scope: 'retention' } } });
    const metrics = await (await fetch(`${origin}/metrics`)).text();
    expect(metrics).toMatch(/umpire_store_retention_erased_total\{namespace="default",state="completed"\} [1-9]/);
    await verified();
  });
});
