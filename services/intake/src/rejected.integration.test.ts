import { jetstream } from '@nats-io/jetstream';
import { createHash } from 'node:crypto';
import { eventually } from '@umpire/testing';
import type { DeadLetter } from '@umpire/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../test/http.ts';
import { bytes, hitlRequest, pipelinePayload } from '../test/samples.ts';
import { Producer, Stack, type Reply, type Running } from '../test/stack.ts';
import type { RejectedPage, RejectedView } from './rejected.service.ts';

let stack: Stack;
let intake: Running;
let store: Running;
let admin: string;
let stranger: string;
let producer: Producer;

beforeAll(async () => {
  stack = await Stack.start();
  store = await stack.startStore();
  intake = await stack.startIntake({ UMPIRE_VERDICT_WAIT_MS: '20000' });
  [admin, stranger] = await Promise.all([stack.key(['admin']), stack.key(['admin'], 'team-a')]);
  producer = new Producer(await stack.nats.producer());
});
afterAll(() => stack.stop());

const ask = (method: string, path: string, key = admin, body?: unknown): Promise<Reply> => call(intake.origin, key, method, path, body);
const page = async (query: string, key = admin) => (await ask('GET', `/rejected${query}`, key)).body as unknown as RejectedPage;

/** Letters as intake writes them, many at once and in any order of namespaces. */
async function fill(letters: { namespace: string; id: string; original?: string }[]): Promise<void> {
  const js = jetstream(await stack.nats.operator());
  await Promise.all(letters.map(({ namespace, id, original = 'e30=' }) => {
    const letter: DeadLetter = { id, subject: `hitl.${namespace}.review.custom_rule`, errors: [{ path: '', code: 'test', message: id }], digest: '', original };
    return js.publish(`hitl.${namespace}.rejected.custom_rule`, JSON.stringify(letter));
  }));
}

describe('rejected messages', () => {
  it('are none before anything was rejected', async () => {
    expect(await page('')).toEqual({ items: [], next: null });
    expect((await ask('GET', '/rejected/1')).status).toBe(404);
    expect((await ask('GET', '/rejected/9a7b1c9e-0000-5000-8000-000000000000')).status).toBe(404);
  });

  it('are shown with every error and the bytes as they came', async () => {
    const body = bytes(` ${JSON.stringify(hitlRequest({ request_id: 'bad-1', alignment_score: 7, summary: ' ' }))}\n`);
    await producer.ask('review.hard_disagreement', body);
    const [item] = (await page('')).items;
    expect(item).toMatchObject({
      subject: 'hitl.default.review.hard_disagreement', digest: createHash('sha256').update(body).digest('hex'), size: body.length, original: Buffer.from(body).toString('base64'),
      errors: [{ path: 'alignment_score', code: 'out_of_range' }, { path: 'summary', code: 'blank' }],
    });
    expect(Date.now() - Date.parse(item!.rejected_at)).toBeLessThan(60_000);
    for (const reference of [item!.id, String(item!.seq)]) expect((await ask('GET', `/rejected/${reference}`)).body).toEqual(item);
  });

  it('are shown to nobody who is not in the read log', async () => {
    const [item] = (await page('')).items;
    const auditor = await stack.key(['admin'], 'default', 'rita');
    await ask('GET', `/rejected/${item!.seq}`, auditor);
    await ask('GET', '/rejected?limit=1', auditor);
    const seen = await eventually('both reads', async () => {
      const { items } = (await call(store.origin, admin, 'GET', '/hitl/reads?user_id=rita')).body as unknown as { items: object[] };
      return items.length >= 2 && items.toReversed();
    });
    expect(seen).toMatchObject([
      { what: 'rejected', via: 'http', request_id: item!.id, user_id: 'rita', address: '127.0.0.1', auth: 'api_key' },
      { what: 'rejected_list', via: 'http', request_id: null, shown: [item!.id], user_id: 'rita', filter_digest: expect.any(String) },
    ]);
    // A letter is found in the log by its id, whichever way it was read.
    expect((await call(store.origin, admin, 'GET', `/hitl/reads?request_id=${item!.id}&user_id=rita`)).body['items']).toHaveLength(2);
    expect((await call(store.origin, stranger, 'GET', '/hitl/reads?user_id=rita')).body['items']).toEqual([]);
  });

  it('are left out of a list where they are long, and whole by themselves', async () => {
    const body = bytes(hitlRequest({ request_id: 'long', alignment_score: -1, padding: 'x'.repeat(100_000) }));
    await producer.ask('review.hard_disagreement', body);
    const [item] = (await page('?limit=1')).items;
    expect(item).toMatchObject({ size: body.length });
    expect(item).not.toHaveProperty('original');
    expect(Buffer.from(String((await ask('GET', `/rejected/${item!.id}`)).body['original']), 'base64').equals(Buffer.from(body))).toBe(true);
  });

  it('are an admin’s and a namespace’s own', async () => {
    const [mine] = (await page('')).items;
    expect(await page('', stranger)).toEqual({ items: [], next: null });
    for (const path of [`/rejected/${mine!.id}`, `/rejected/${mine!.seq}`]) expect((await ask('GET', path, stranger)).status).toBe(404);
    expect((await ask('POST', `/rejected/${mine!.seq}/redrive`, stranger)).status).toBe(404);
    for (const roles of [['producer'], ['reviewer']]) expect((await ask('GET', '/rejected', await stack.key(roles, 'default', 'bob'))).status).toBe(403);
    for (const query of ['?limit=0', '?limit=101', '?after=x']) expect((await ask('GET', `/rejected${query}`)).status).toBe(422);
  });

  it('are listed newest first, page by page, whatever other namespaces have between them', async () => {
    // Far apart, then close together: windows grow over what is not ours, and shrink where there is much of it.
    const noise = (count: number, from: number) => Array.from({ length: count }, (_, index) => ({ namespace: 'team-a', id: `noise-${from + index}` }));
    const own = (count: number, from: number) => Array.from({ length: count }, (_, index) => ({ namespace: 'team-b', id: `own-${from + index}` }));
    for (const part of [own(700, 0), noise(900, 0), own(3, 700), noise(1_500, 900), own(1, 703), noise(40, 2_400)]) await fill(part);
    const key = await stack.key(['admin'], 'team-b');
    const seen: RejectedView[] = [];
    for (let query = '?limit=60'; ;) {
      const { items, next } = await page(query, key);
      seen.push(...items);
      if (next === null) break;
      expect(items).toHaveLength(60);
      query = `?limit=60&after=${next}`;
    }
    expect(seen.map((item) => item.seq)).toEqual(seen.map((item) => item.seq).toSorted((a, b) => b - a));
    expect(new Set(seen.map((item) => item.id))).toEqual(new Set(own(704, 0).map(({ id }) => id)));
    const [first] = (await page('?limit=1', key)).items;
    expect(first?.id).toBe('own-703');
    const other = await stack.startIntake();
    expect((await call(other.origin, key, 'GET', '/rejected/own-0')).body).toMatchObject({ id: 'own-0' });
    expect((await call(other.origin, key, 'GET', '/rejected/noise-5')).status).toBe(404);
    await other.stop();
  }, 120_000);
});

describe('a redrive', () => {
  it('sends the same bytes again and answers the new verdict', async () => {
    const conflicting = bytes(hitlRequest({ request_id: 'clash', summary: 'the second' }));
    await producer.ask('review.hard_disagreement', bytes(hitlRequest({ request_id: 'clash' })));
    expect(await producer.ask('review.hard_disagreement', conflicting)).toMatchObject({ status: 'conflict' });
    const [letter] = (await page('?limit=1')).items;
    expect(await ask('POST', `/rejected/${letter!.id}/redrive`, admin, {})).toMatchObject({ status: 409, body: { code: 'id_conflict', request_id: 'clash' } });
    // It was refused once more: the first letter is still there, and a second one beside it.
    expect((await page('?limit=2')).items.map((item) => item.digest)).toEqual([letter!.digest, letter!.digest]);
    await stack.database.sql.begin(async (tx) => {
      // What the store keeps is only ever added to: a superuser of the database goes past its triggers.
      await tx`set local session_replication_role = replica`;
      for (const table of ['escalations', 'payloads', 'events', 'assignments']) await tx`delete from ${tx(`store.${table}`)} where request_id = 'clash'`;
    });
    expect(await ask('POST', `/rejected/${letter!.seq}/redrive`)).toMatchObject({ status: 202, body: { request_id: 'clash', status: 'stored', duplicate: false } });
    expect(Buffer.from((await stack.stored('clash'))!.body).toString()).toBe(Buffer.from(conflicting).toString());
    expect(await ask('POST', `/rejected/${letter!.seq}/redrive`)).toMatchObject({ status: 202, body: { request_id: 'clash', status: 'stored', duplicate: true } });
  });

  it('heals what a policy had refused', async () => {
    await ask('POST', '/policies', admin, { id: 'barred', priority: 10, match: { kind: 'interaction' }, interaction: { levels: [{ after_seconds: 60, assignees: { users: ['ann'] } }, { after_seconds: 120, assignees: { users: ['bea'] } }] } });
    const message = bytes({ type: 'hitl_interaction', payload: { ...pipelinePayload(), interaction_id: undefined }, interaction: { quorum: 'all', assignees: { roles: ['reviewer'] } } });
    expect(await producer.ask('review.custom_rule', message)).toMatchObject({ status: 'rejected' });
    const [letter] = (await page('?limit=1')).items;
    await ask('POST', '/policies', admin, { id: 'barred', priority: 10, match: { kind: 'interaction' }, interaction: { quorum: 'any', assignees: { users: ['ann'] } }, enforce: ['quorum', 'assignees'] });
    const again = await ask('POST', `/rejected/${letter!.id}/redrive`);
    expect(again).toMatchObject({ status: 202, body: { status: 'stored' } });
    expect(await stack.stored(String(again.body['request_id']))).toMatchObject({ status: 'pending' });
    await ask('DELETE', '/policies/barred');
  });

  it('is not for what was never on a review subject', async () => {
    const js = jetstream(await stack.nats.operator());
    await js.publish('hitl.default.rejected.unknown', JSON.stringify({ id: 'elsewhere', subject: 'hitl.team-a.review.custom_rule', errors: [], digest: '', original: 'e30=' }));
    expect(await ask('POST', '/rejected/elsewhere/redrive')).toMatchObject({ status: 422, body: { code: 'unsupported' } });
  });

  it('is queued while the store is away, and still arrives', async () => {
    const quick = await stack.startIntake({ UMPIRE_VERDICT_WAIT_MS: '50' });
    const body = bytes(hitlRequest({ request_id: 'patient' }));
    const js = jetstream(await stack.nats.operator());
    await js.publish('hitl.default.rejected.hard_disagreement', JSON.stringify({ id: 'patient-2', subject: 'hitl.default.review.hard_disagreement', errors: [], digest: '', original: Buffer.from(body).toString('base64') }));
    // Known before the store is held: it is the store that knows the key.
    expect((await call(quick.origin, admin, 'GET', '/rejected/patient-2')).status).toBe(200);
    const letGo = await stack.holdStore();
    expect(await call(quick.origin, admin, 'POST', '/rejected/patient-2/redrive')).toMatchObject({ status: 202, body: { request_id: 'patient', status: 'queued' } });
    await letGo();
    await eventually('it is stored', () => stack.stored('patient'));
    await quick.stop();
  });
});
