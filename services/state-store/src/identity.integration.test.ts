import { subjects } from '@umpire/contract';
import { isApiKey, keyDigest, RemoteAuthenticator } from '@umpire/runtime';
import { eventually } from '@umpire/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callerOf, type Call } from './test/http-client.ts';
import { startHarness, submission, type Harness } from './test/store-harness.ts';

let harness: Harness;
let call: Call;
let admin: string;
let producer: string;
let alice: string;

beforeAll(async () => {
  harness = await startHarness();
  call = callerOf((await harness.startStore()).origin);
  admin = await harness.key(['admin']);
  producer = await harness.key(['producer']);
  alice = await harness.key(['reviewer'], 'alice');
});
afterAll(() => harness.stop());

const create = async (body: object, key = admin) => (await call('POST', '/identity/keys', { key, body })).body as { id: string; key: string };

describe('keys', () => {
  it('shows a key once and keeps only its digest', async () => {
    const made = await call('POST', '/identity/keys', { key: admin, body: { name: 'loans', roles: ['producer'] } });
    expect(made.status).toBe(201);
    expect(made.headers.get('cache-control')).toBe('no-store');
    expect(made.body).toMatchObject({ name: 'loans', roles: ['producer'], user_id: null, namespace: 'default', expires_at: null, revoked_at: null });
    expect(isApiKey(made.body.key)).toBe(true);
    const shown = await call('GET', `/identity/keys/${made.body.id}`, { key: admin });
    expect(shown.status).toBe(200);
    expect(JSON.stringify(shown.body)).not.toContain(made.body.key);
    expect(JSON.stringify(shown.body)).not.toContain(keyDigest(made.body.key));
    const [row] = await harness.database.sql<{ text: string }[]>`select keys::text as text from identity.keys where id = ${made.body.id}`;
    expect(row!.text).not.toContain(made.body.key);
    expect((await call('GET', '/session', { key: made.body.key })).body).toMatchObject({ roles: ['producer'], auth: 'api_key', key_id: made.body.id });
  });

  it.each([
    [{ name: 'x', roles: ['reviewer'] }, 'user_id'],
    [{ name: 'x', roles: ['team-lead'] }, 'roles'],
    [{ name: 'x', roles: [] }, 'roles'],
    [{ name: '  ', roles: ['producer'] }, 'name'],
    [{ name: 'x', roles: ['producer'], expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
    [{ name: 'x', roles: ['producer'], expires_at: '2040-01-01T00:00:00' }, 'expires_at'],
    [{ name: 'x', roles: ['reviewer'], user_id: 'a\u0000b' }, 'user_id'],
  ])('refuses %j, naming %s', async (body, path) => {
    const refused = await call('POST', '/identity/keys', { key: admin, body });
    expect(refused.status).toBe(422);
    expect(refused.body.errors.map((error: { path: string }) => error.path)).toEqual([path]);
  });

  it('refuses fields it does not know and callers who are no admin', async () => {
    expect((await call('POST', '/identity/keys', { key: admin, body: { name: 'x', roles: ['producer'], namespace: 'team-a' } })).status).toBe(422);
    for (const key of [producer, alice]) {
      expect((await call('POST', '/identity/keys', { key, body: { name: 'x', roles: ['admin'] } })).status).toBe(403);
      expect((await call('GET', '/identity/keys', { key })).status).toBe(403);
    }
    expect((await call('GET', '/identity/keys')).status).toBe(401);
  });

  it('takes free role names beside the three, and their items reach the holder', async () => {
    const { key } = await create({ name: 'lead', roles: ['reviewer', 'risk lead', 'reviewer'], user_id: 'rita' });
    expect((await call('GET', '/session', { key })).body.roles).toEqual(['reviewer', 'risk lead']);
    await harness.submit([submission('for-risk-leads', { interaction: { assignees: { roles: ['risk lead'] } } })]);
    const inbox = await call('GET', '/hitl/pending/rita', { key });
    expect(inbox.body.map((item: { interaction_id: string }) => item.interaction_id)).toContain('for-risk-leads');
  });

  it('lists in pages, by person, and only what works', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push((await create({ name: `page ${i}`, roles: ['reviewer'], user_id: 'pagina' })).id);
    await call('DELETE', `/identity/keys/${ids[1]}`, { key: admin });
    const first = await call('GET', '/identity/keys?user_id=pagina&limit=2', { key: admin });
    expect(first.body.items.map((key: { id: string }) => key.id)).toEqual(ids.slice(0, 2));
    const second = await call('GET', `/identity/keys?user_id=pagina&limit=2&after=${first.body.next}`, { key: admin });
    expect(second.body).toMatchObject({ items: [{ id: ids[2] }], next: null });
    const active = await call('GET', '/identity/keys?user_id=pagina&active=true', { key: admin });
    expect(active.body.items.map((key: { id: string }) => key.id)).toEqual([ids[0], ids[2]]);
    expect((await call('GET', '/identity/keys?after=nonsense', { key: admin })).status).toBe(400);
  });

  it('revokes once: the second time changes nothing', async () => {
    const { id, key } = await create({ name: 'short', roles: ['producer'] });
    const revoked = await call('DELETE', `/identity/keys/${id}`, { key: admin });
    expect(revoked).toMatchObject({ status: 200, body: { id, revoked_at: expect.any(String) } });
    expect((await call('DELETE', `/identity/keys/${id}`, { key: admin })).body).toEqual(revoked.body);
    expect((await call('GET', '/session', { key })).status).toBe(401);
  });

  it('does not let an admin revoke the key in use', async () => {
    const { body } = await call('GET', '/session', { key: admin });
    expect((await call('DELETE', `/identity/keys/${body.key_id}`, { key: admin })).status).toBe(409);
    expect((await call('GET', '/session', { key: admin })).status).toBe(200);
  });

  it('knows nothing of another namespace', async () => {
    const stranger = await harness.key(['admin'], undefined, 'team-a');
    const { id, key } = await create({ name: 'ours', roles: ['producer'] });
    expect((await call('GET', `/identity/keys/${id}`, { key: stranger })).status).toBe(404);
    expect((await call('DELETE', `/identity/keys/${id}`, { key: stranger })).status).toBe(404);
    expect((await call('GET', '/identity/keys/not-an-id', { key: admin })).status).toBe(404);
    expect((await call('GET', '/identity/keys', { key: stranger })).body.items.map((item: { id: string }) => item.id)).not.toContain(id);
    expect((await call('GET', '/session', { key })).status).toBe(200);
  });

  it('ends a key at its time', async () => {
    const { key } = await create({ name: 'brief', roles: ['producer'], expires_in_seconds: 0.5 });
    expect((await call('GET', '/session', { key })).status).toBe(200);
    await eventually('the end of the key', async () => (await call('GET', '/session', { key })).status === 401);
  });

  it('stops a revoked key in other services within five seconds, and with it its sessions', async () => {
    let now = 1_000_000;
    const remote = new RemoteAuthenticator(await harness.nats.bus('notifier'), () => now);
    const { id, key } = await create({ name: 'everywhere', roles: ['reviewer', 'lead'], user_id: 'eve' });
    const session = cookieOf((await call('POST', '/session', { body: { key } })).headers);
    const bearer = { kind: 'bearer', token: key } as const;
    const cookie = { kind: 'session', token: session.value } as const;
    expect(await remote.authenticate(bearer)).toEqual({ namespace: 'default', key_id: id, roles: ['reviewer', 'lead'], user_id: 'eve', auth: 'api_key' });
    expect(await remote.authenticate(cookie)).toEqual({ namespace: 'default', key_id: id, roles: ['reviewer', 'lead'], user_id: 'eve', auth: 'session' });
    await call('DELETE', `/identity/keys/${id}`, { key: admin });
    now += 5_000;
    expect(await remote.authenticate(bearer)).toBeNull();
    expect(await remote.authenticate(cookie)).toBeNull();
    expect(await remote.authenticate({ kind: 'bearer', token: 'neither key nor token' })).toBeNull();
  });
});

it('is asked once for many requests of one credential, and again after five seconds', async () => {
  let now = 1_000_000;
  let asked = 0;
  const operator = await harness.nats.operator();
  operator.subscribe(subjects.query('principal'), { callback: () => { asked += 1; } });
  await operator.flush();
  const remote = new RemoteAuthenticator(await harness.nats.bus('timeout-scheduler'), () => now);
  const ask = () => remote.authenticate({ kind: 'bearer', token: alice });
  const all = await Promise.all(Array.from({ length: 20 }, ask));
  expect(all.every((principal) => principal?.user_id === 'alice')).toBe(true);
  now += 4_999;
  await ask();
  await operator.flush();
  expect(asked).toBe(1);
  now += 1;
  await ask();
  await operator.flush();
  expect(asked).toBe(2);
});

function cookieOf(headers: Headers): { value: string; attributes: string[] } {
  const [pair = '', ...attributes] = (headers.get('set-cookie') ?? '').split('; ');
  return { value: pair.replace('umpire_session=', ''), attributes };
}

describe('sessions', () => {
  it('exchanges a key for a cookie that only its own pages can use', async () => {
    const made = await call('POST', '/session', { body: { key: alice } });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ namespace: 'default', user_id: 'alice', roles: ['reviewer'], auth: 'session', acts_for: [] });
    const { value, attributes } = cookieOf(made.headers);
    expect(Buffer.from(value, 'base64url')).toHaveLength(32);
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=43200', 'Path=/', 'SameSite=Strict']);
    const [row] = await harness.database.sql<{ seconds: number; text: string }[]>`
      select extract(epoch from expires_at - created_at)::float8 as seconds, sessions::text as text from identity.sessions where digest = decode(${keyDigest(value)}, 'hex')`;
    expect(row!.seconds).toBeCloseTo(12 * 3600, 0);
    expect(row!.text).not.toContain(value);
    const who = await call('GET', '/session', { headers: { cookie: `theme=dark; umpire_session=${value}` } });
    expect(who.body).toEqual(made.body);
    expect((await call('GET', '/hitl/pending/alice', { headers: { cookie: `umpire_session=${value}` } })).status).toBe(200);
  });

  it('is Secure where people come over TLS', async () => {
    const secured = callerOf((await harness.startStore({ UMPIRE_PUBLIC_URL: 'https://umpire.example' })).origin);
    expect(cookieOf((await secured('POST', '/session', { body: { key: alice } })).headers).attributes).toContain('Secure');
  });

  it.each([
    ['sec-fetch-site', 'cross-site', 403], ['sec-fetch-site', 'same-site', 403], ['sec-fetch-site', 'same-origin', 200], ['sec-fetch-site', 'none', 200],
    ['origin', 'https://evil.example', 403], ['origin', 'null', 403], ['origin', 'own', 200],
  ])('with %s: %s answers %i', async (header, value, status) => {
    const { value: token } = cookieOf((await call('POST', '/session', { body: { key: alice } })).headers);
    await harness.submit([submission(`site-${header}-${value}`)]);
    const { origin } = await harness.startStore();
    // Node's fetch sets neither header by itself and lets these be set.
    const sent = { [header]: value === 'own' ? origin : value };
    const body = { interaction_id: `site-${header}-${value}`, user_input: { decision: 'approve' } };
    const answer = await callerOf(origin)('POST', '/hitl/respond', { headers: { cookie: `umpire_session=${token}`, ...sent }, body });
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.body.code).toBe('cross_site');
    // A bearer does not travel by itself: it may come from anywhere.
    expect((await callerOf(origin)('GET', '/session', { key: alice, headers: sent })).status).toBe(200);
    expect((await callerOf(origin)('POST', '/session', { body: { key: alice }, headers: sent })).status).toBe(status === 403 ? 403 : 201);
  });

  it('counts a bearer alone where both come', async () => {
    const { value } = cookieOf((await call('POST', '/session', { body: { key: alice } })).headers);
    const headers = { cookie: `umpire_session=${value}` };
    expect((await call('GET', '/session', { key: producer, headers })).body.roles).toEqual(['producer']);
    expect((await call('GET', '/session', { key: 'umk_wrong', headers })).status).toBe(401);
  });

  it('ends by signing out, by signing in again, by its key, and by time', async () => {
    const { id, key } = await create({ name: 'browser', roles: ['reviewer'], user_id: 'bea' });
    const begin = async (headers = {}) => cookieOf((await call('POST', '/session', { body: { key }, headers })).headers).value;
    const status = async (token: string) => (await call('GET', '/session', { headers: { cookie: `umpire_session=${token}` } })).status;
    const [one, two, three, four] = [await begin(), await begin(), await begin(), await begin()];
    const out = await call('DELETE', '/session', { headers: { cookie: `umpire_session=${one}` } });
    expect(out.status).toBe(204);
    expect(cookieOf(out.headers)).toMatchObject({ value: '', attributes: expect.arrayContaining(['Max-Age=0']) });
    const again = await begin({ cookie: `umpire_session=${two}` });
    await harness.database.sql`update identity.sessions set expires_at = clock_timestamp() where digest = decode(${keyDigest(three)}, 'hex')`;
    expect(await Promise.all([one, two, three, four, again].map(status))).toEqual([401, 401, 401, 200, 200]);
    await call('DELETE', `/identity/keys/${id}`, { key: admin });
    expect(await Promise.all([four, again].map(status))).toEqual([401, 401]);
    expect((await call('DELETE', '/session')).status).toBe(204);
  });

  it('refuses a sign-in without or with a wrong credential', async () => {
    expect((await call('POST', '/session', { body: {} })).status).toBe(422);
    expect((await call('POST', '/session')).status).toBe(422);
    expect((await call('POST', '/session', { body: { key: 'umk_not-a-key' } })).status).toBe(401);
    expect((await call('POST', '/session', { body: { key: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.xx' } })).status).toBe(401);
    expect((await call('POST', '/session', { key: alice })).status).toBe(201);
  });

  it('takes a key that has expired meanwhile for none', async () => {
    const { id, key } = await create({ name: 'ending', roles: ['reviewer'], user_id: 'edna' });
    const { value } = cookieOf((await call('POST', '/session', { body: { key } })).headers);
    await harness.database.sql`update identity.keys set expires_at = clock_timestamp() where id = ${id}`;
    expect((await call('GET', '/session', { headers: { cookie: `umpire_session=${value}` } })).status).toBe(401);
  });
});

describe('groups', () => {
  it('are made, changed and removed by admins', async () => {
    const made = await call('POST', '/identity/groups', { key: admin, body: { name: 'Risk / EU', description: 'second line', members: ['bob', 'alice', 'bob'] } });
    expect(made).toMatchObject({ status: 201, body: { name: 'Risk / EU', description: 'second line', members: ['alice', 'bob'] } });
    expect((await call('POST', '/identity/groups', { key: admin, body: { name: 'Risk / EU' } })).status).toBe(409);
    const path = `/identity/groups/${encodeURIComponent('Risk / EU')}`;
    expect((await call('PUT', `${path}/members/${encodeURIComponent('zoë m')}`, { key: admin })).body.members).toEqual(['alice', 'bob', 'zoë m']);
    expect((await call('DELETE', `${path}/members/bob`, { key: admin })).body.members).toEqual(['alice', 'zoë m']);
    expect((await call('DELETE', `${path}/members/bob`, { key: admin })).status).toBe(200);
    expect((await call('PUT', path, { key: admin, body: { members: ['carol'] } })).body).toMatchObject({ description: 'second line', members: ['carol'] });
    expect((await call('GET', '/identity/groups', { key: alice })).body.items).toContainEqual(expect.objectContaining({ name: 'Risk / EU', members: 1 }));
    expect((await call('PUT', path, { key: alice, body: { members: ['alice'] } })).status).toBe(403);
    expect((await call('DELETE', path, { key: admin })).status).toBe(204);
    expect((await call('GET', path, { key: admin })).status).toBe(404);
    expect((await call('DELETE', path, { key: admin })).status).toBe(404);
    expect((await call('PUT', `${path}/members/bob`, { key: admin })).status).toBe(404);
  });

  it('count when an escalation opens, and not in another namespace', async () => {
    await call('PUT', '/identity/groups/desk', { key: admin, body: { members: ['alice'] } });
    const asked = { interaction: { assignees: { groups: ['desk'] } } };
    expect((await harness.submit([submission('to-desk', asked)]))[0]!.status).toBe('stored');
    expect((await harness.submit([submission('to-desk', { ...asked, namespace: 'team-a' })]))[0]!.status).toBe('rejected');
    await call('PUT', '/identity/groups/desk', { key: admin, body: { members: ['bob'] } });
    expect((await call('GET', '/hitl/escalations/to-desk', { key: admin })).body.electorate.users).toEqual(['alice']);
    const stranger = await harness.key(['admin'], undefined, 'team-a');
    expect((await call('GET', '/identity/groups/desk', { key: stranger })).status).toBe(404);
  });

  it('page by name', async () => {
    const key = await harness.key(['admin'], undefined, 'team-b');
    for (const name of ['c', 'a', 'b']) await call('POST', '/identity/groups', { key, body: { name } });
    const first = await call('GET', '/identity/groups?limit=2', { key });
    expect(first.body.items.map((group: { name: string }) => group.name)).toEqual(['a', 'b']);
    expect((await call('GET', `/identity/groups?limit=2&after=${first.body.next}`, { key })).body).toMatchObject({ items: [{ name: 'c' }], next: null });
  });
});
