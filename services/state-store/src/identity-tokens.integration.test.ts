import { RemoteAuthenticator, systemClock } from '@umpire/runtime';
import { eventually } from '@umpire/testing';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callerOf, type Call } from './test/http-client.ts';
import { readStateStoreConfig } from './state-store.config.ts';
import { startHarness, submission, type Harness } from './test/store-harness.ts';

const ISSUER = 'https://login.example';
const AUDIENCE = 'umpire';

/** An issuer with its JWKS on a real HTTP server. */
class Issuer {
  readonly keys: JWK[] = [];
  asked = 0;
  trouble: 'broken' | 'silent' | null = null;
  private readonly server: Server;

  constructor() {
    this.server = createServer((_, response) => {
      this.asked += 1;
      if (this.trouble === 'silent') return;
      if (this.trouble === 'broken') return void response.writeHead(503).end();
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: this.keys }));
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/jwks`;
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(() => done()));
  }

  async key(kid: string, alg = 'RS256'): Promise<CryptoKey> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    this.keys.push({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' });
    return privateKey;
  }
}

type Claims = JWTPayload & { roles?: unknown; umpire_namespace?: unknown };
const seconds = () => Math.floor(systemClock.now() / 1_000);
const claims = (more: Claims = {}): Claims => ({ iss: ISSUER, aud: AUDIENCE, sub: 'dana', roles: ['reviewer'], umpire_namespace: 'default', exp: seconds() + 600, ...more });
const sign = (key: CryptoKey | Uint8Array, payload: Claims, header: { alg: string; kid?: string }) => new SignJWT(payload).setProtectedHeader(header).sign(key);
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

let harness: Harness;
let issuer: Issuer;
let jwksUrl: string;
let call: Call;
let rsa: CryptoKey;
const RSA = { alg: 'RS256', kid: 'rsa-1' };

const settings = () => ({
  UMPIRE_JWT_ISSUER: ISSUER, UMPIRE_JWT_AUDIENCE: `${AUDIENCE}, other`, UMPIRE_JWT_JWKS_URL: jwksUrl, UMPIRE_JWT_JWKS_COOLDOWN_SECONDS: '0', UMPIRE_JWT_JWKS_TIMEOUT_MS: '500',
});

beforeAll(async () => {
  issuer = new Issuer();
  jwksUrl = await issuer.start();
  rsa = await issuer.key('rsa-1');
  harness = await startHarness();
  call = callerOf((await harness.startStore(settings())).origin);
});
afterAll(async () => {
  await harness.stop();
  await issuer.stop();
});

const who = async (token: string) => {
  const { status, body } = await call('GET', '/session', { key: token });
  return { status, body };
};

describe('a token', () => {
  it('stands for who it names', async () => {
    const token = await sign(rsa, claims({ roles: ['team-lead', 'reviewer', 7, ' ', 'team-lead'] }), RSA);
    expect(await who(token)).toEqual({ status: 200, body: { namespace: 'default', user_id: 'dana', roles: ['reviewer', 'team-lead'], auth: 'jwt', key_id: 'jwt:dana', acts_for: [] } });
    await harness.submit([submission('by-token')]);
    const answer = await call('POST', '/hitl/respond', { key: token, body: { interaction_id: 'by-token', user_input: { decision: 'approve' } } });
    expect(answer.body.outcome.decided_by).toEqual(['dana']);
    const { items } = (await call('GET', '/hitl/escalations/by-token/timeline', { key: token })).body;
    expect(items.find((item: { type: string }) => item.type === 'responded').actor).toMatchObject({ user_id: 'dana', auth: 'jwt' });
  });

  it.each(['ES256', 'EdDSA'])('may be signed with %s', async (alg) => {
    const key = await issuer.key(`key-${alg}`, alg);
    expect((await who(await sign(key, claims(), { alg, kid: `key-${alg}` }))).status).toBe(200);
  });

  it('may name its roles in one text, and several audiences of which we are one', async () => {
    const { body } = await who(await sign(rsa, claims({ roles: 'producer lead', aud: ['elsewhere', 'other'] }), RSA));
    // Only people have a user id.
    expect(body).toMatchObject({ roles: ['producer', 'lead'], user_id: null });
  });

  it('is refused if anything about it is wrong', async () => {
    const good = await sign(rsa, claims(), RSA);
    const [header, payload, signature] = good.split('.') as [string, string, string];
    const jwk = issuer.keys.find((key) => key.kid === 'rsa-1')!;
    const foreign = (await generateKeyPair('RS256')).privateKey;
    const unpinned = await issuer.key('rsa-384', 'RS384');
    const bad: Record<string, string> = {
      none: `${encode({ alg: 'none' })}.${payload}.`,
      'none with a signature': `${encode({ alg: 'none' })}.${payload}.${signature}`,
      'HMAC with the public key': await sign(Buffer.from(JSON.stringify(jwk)), claims(), { alg: 'HS256', kid: 'rsa-1' }),
      'HMAC with the modulus': await sign(Buffer.from(jwk.n!, 'base64url'), claims(), { alg: 'HS256', kid: 'rsa-1' }),
      'an algorithm that is not pinned': await sign(unpinned, claims(), { alg: 'RS384', kid: 'rsa-384' }),
      'a foreign key': await sign(foreign, claims(), RSA),
      'an unknown key id': await sign(foreign, claims(), { alg: 'RS256', kid: 'unknown' }),
      'a changed payload': `${header}.${encode(claims({ sub: 'root', roles: ['admin'] }))}.${signature}`,
      'a cut signature': `${header}.${payload}.${signature.slice(0, -8)}`,
      'wrong audience': await sign(rsa, claims({ aud: 'somebody-else' }), RSA),
      'no audience': await sign(rsa, claims({ aud: undefined }), RSA),
      'wrong issuer': await sign(rsa, claims({ iss: 'https://evil.example' }), RSA),
      expired: await sign(rsa, claims({ exp: seconds() - 30 }), RSA),
      'no end': await sign(rsa, claims({ exp: undefined }), RSA),
      'not yet valid': await sign(rsa, claims({ nbf: seconds() + 60 }), RSA),
      'no roles': await sign(rsa, claims({ roles: [] }), RSA),
      'no person': await sign(rsa, claims({ sub: undefined }), RSA),
      'a namespace that is not there': await sign(rsa, claims({ umpire_namespace: 'team-z' }), RSA),
      'no namespace where there are several': await sign(rsa, claims({ umpire_namespace: undefined }), RSA),
      'a namespace that is no text': await sign(rsa, claims({ umpire_namespace: ['default'] }), RSA),
    };
    const statuses: Record<string, number> = {};
    for (const [name, token] of Object.entries(bad)) statuses[name] = (await who(token)).status;
    expect(statuses).toEqual(Object.fromEntries(Object.keys(bad).map((name) => [name, 401])));
    expect((await who(good)).status).toBe(200);
  });

  it('belongs to the namespace that it names', async () => {
    await harness.submit([submission('theirs', { namespace: 'team-a' })]);
    const token = await sign(rsa, claims({ umpire_namespace: 'team-a', roles: ['admin'] }), RSA);
    expect((await call('GET', '/hitl/status/theirs', { key: token })).status).toBe(200);
    expect((await call('GET', '/hitl/status/theirs', { key: await sign(rsa, claims({ roles: ['admin'] }), RSA) })).status).toBe(404);
  });

  it('passes through other services by way of the store', async () => {
    let now = systemClock.now();
    const remote = new RemoteAuthenticator(await harness.nats.bus('intake'), () => now);
    const token = await sign(rsa, claims({ exp: seconds() + 2 }), RSA);
    const principal = { namespace: 'default', key_id: 'jwt:dana', roles: ['reviewer'], user_id: 'dana', auth: 'jwt' };
    expect(await remote.authenticate({ kind: 'bearer', token })).toEqual(principal);
    expect(await remote.authenticate({ kind: 'bearer', token: token.slice(0, -6) })).toBeNull();
    // The answer is not kept beyond the token's own end: the store is asked again, and is away now.
    const alone = await harness.nats.bus('notifier');
    const cut = new RemoteAuthenticator(alone, () => now);
    expect(await cut.authenticate({ kind: 'bearer', token })).toEqual(principal);
    await alone.connection.close();
    expect(await cut.authenticate({ kind: 'bearer', token })).toEqual(principal);
    now += 3_000;
    await expect(cut.authenticate({ kind: 'bearer', token })).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('survives a rotation of keys, and one that was withdrawn is refused', async () => {
    const next = await issuer.key('rsa-2');
    const token = await sign(next, claims(), { alg: 'RS256', kid: 'rsa-2' });
    const before = issuer.asked;
    expect((await who(token)).status).toBe(200);
    expect((await who(token)).status).toBe(200);
    expect(issuer.asked).toBe(before + 1);
    // A store that looks again every second: what the issuer has taken back is refused by then.
    const strict = callerOf((await harness.startStore({ ...settings(), UMPIRE_JWT_JWKS_CACHE_SECONDS: '1' })).origin);
    expect((await strict('GET', '/session', { key: token })).status).toBe(200);
    issuer.keys.splice(issuer.keys.findIndex((key) => key.kid === 'rsa-2'), 1);
    await eventually('the withdrawn key to be refused', async () => (await strict('GET', '/session', { key: token })).status === 401);
    expect((await strict('GET', '/session', { key: await sign(rsa, claims(), RSA) })).status).toBe(200);
  });

  it('cannot be checked while the issuer gives no keys: that is no refusal', async () => {
    const token = await sign(rsa, claims(), RSA);
    for (const trouble of ['broken', 'silent'] as const) {
      const fresh = callerOf((await harness.startStore(settings())).origin);
      issuer.trouble = trouble;
      const answer = await fresh('GET', '/session', { key: token });
      expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
      expect((await fresh('GET', '/session', { key: await harness.key(['admin']) })).status).toBe(200);
      issuer.trouble = null;
      expect((await fresh('GET', '/session', { key: token })).status).toBe(200);
    }
  });

  it('is exchanged for a session that ends no later', async () => {
    const exp = seconds() + 600;
    const token = await sign(rsa, claims({ exp, roles: ['reviewer', 'lead'] }), RSA);
    const made = await call('POST', '/session', { key: token });
    expect(made).toMatchObject({ status: 201, body: { user_id: 'dana', roles: ['reviewer', 'lead'], auth: 'session', key_id: 'jwt:dana', expires_at: new Date(exp * 1_000).toISOString() } });
    const cookie = made.headers.get('set-cookie')!.split(';')[0]!;
    expect((await call('GET', '/session', { headers: { cookie } })).body).toEqual(made.body);
    const long = await call('POST', '/session', { body: { key: await sign(rsa, claims({ exp: seconds() + 90_000 }), RSA) } });
    expect(Date.parse(long.body.expires_at) - systemClock.now()).toBeLessThanOrEqual(12 * 3_600_000);
  });

  it('gives its roles to a delegation that its holder makes', async () => {
    const dana = await sign(rsa, claims({ sub: 'dora', roles: ['reviewer', 'token-lead'] }), RSA);
    const erin = await sign(rsa, claims({ sub: 'erin' }), RSA);
    await harness.submit([submission('token-role', { interaction: { assignees: { roles: ['token-lead'] } } })]);
    expect((await call('POST', '/identity/delegations', { key: dana, body: { to: 'erin', seconds: 60 } })).status).toBe(201);
    expect((await call('GET', '/hitl/pending/erin', { key: erin })).body).toMatchObject([{ interaction_id: 'token-role' }]);
    expect((await call('GET', '/hitl/escalations/token-role', { key: erin })).status).toBe(200);
    expect((await call('POST', '/hitl/respond', { key: erin, body: { interaction_id: 'token-role', user_input: { decision: 'approve' } } })).status).toBe(200);
  });
});

describe('configuration', () => {
  const read = (more: Record<string, string>) => () => readStateStoreConfig({ UMPIRE_POSTGRES_URL: 'postgres://x', ...more });

  it('takes tokens whole or not at all, from an issuer over TLS, with signatures that prove something', () => {
    expect(read({})().jwtIssuer).toBeUndefined();
    expect(read({ UMPIRE_JWT_ISSUER: ISSUER })).toThrow(/UMPIRE_JWT_AUDIENCE[^]*UMPIRE_JWT_JWKS_URL/);
    expect(read({ UMPIRE_JWT_JWKS_URL: 'http://login.example/jwks' })).toThrow(/UMPIRE_JWT_JWKS_URL: must be https/);
    for (const alg of ['HS256', 'none', 'RS256,HS512', '']) {
      if (alg) expect(read({ UMPIRE_JWT_ALGORITHMS: alg })).toThrow(/UMPIRE_JWT_ALGORITHMS/);
      else expect(read({ UMPIRE_JWT_ALGORITHMS: alg })().jwtAlgorithms).toEqual(['RS256', 'ES256', 'EdDSA']);
    }
  });

  it('finds claims by name or by path, and the only namespace by itself', async () => {
    const narrow = callerOf((await harness.startStore({
      ...settings(), UMPIRE_NAMESPACES: '{"default":["main"]}', UMPIRE_JWT_ROLES_CLAIM: 'realm_access.roles', UMPIRE_JWT_USER_CLAIM: 'https://login.example/user',
    })).origin);
    const token = await sign(rsa, claims({ roles: ['admin'], umpire_namespace: undefined, realm_access: { roles: ['reviewer'] }, 'https://login.example/user': 'frida' }), RSA);
    expect((await narrow('GET', '/session', { key: token })).body).toMatchObject({ namespace: 'default', user_id: 'frida', roles: ['reviewer'] });
  });
});
