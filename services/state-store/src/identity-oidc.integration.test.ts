import { systemClock } from '@umpire/runtime';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose';
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { returnPage } from './identity-oidc.ts';
import { readStateStoreConfig } from './state-store.config.ts';
import { startHarness, type Harness } from './test/store-harness.ts';

const CLIENT = 'umpire-console';

/** An issuer that says what a test wants it to, on a real HTTP server. (The browser tests sign in at a whole one.) */
class Issuer {
  url = '';
  key!: CryptoKey;
  /** What its next ID token says, and what signs it. */
  token: { claims: JWTPayload; key?: CryptoKey } = { claims: {} };
  trouble: 'silent' | 'broken' | 'no code' | null = null;
  readonly grants: URLSearchParams[] = [];
  private jwks: object = {};
  private readonly server: Server = createServer((request, response) => {
    const json = (body: object, status = 200) => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (this.trouble === 'silent') return;
    if (this.trouble === 'broken') return void response.writeHead(503).end();
    if (request.url === '/.well-known/openid-configuration') return json({ issuer: this.url, authorization_endpoint: `${this.url}/auth`, token_endpoint: `${this.url}/token`, jwks_uri: `${this.url}/jwks`, response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'] });
    if (request.url === '/jwks') return json(this.jwks);
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString())).on('end', () => {
      this.grants.push(new URLSearchParams(body));
      if (this.trouble === 'no code') return json({ error: 'invalid_grant' }, 400);
      const signer = new SignJWT(this.token.claims).setProtectedHeader({ alg: 'RS256', kid: 'one' });
      void signer.sign(this.token.key ?? this.key).then((id_token) => json({ access_token: 'unused', token_type: 'Bearer', id_token }));
    });
  });

  async start(): Promise<void> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    const pair = await generateKeyPair('RS256', { extractable: true });
    this.key = pair.privateKey;
    this.jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }] };
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(() => done()));
  }
}

let harness: Harness;
let issuer: Issuer;
let origin: string;
const settings = () => ({ UMPIRE_OIDC_ISSUER: issuer.url, UMPIRE_OIDC_CLIENT_ID: CLIENT, UMPIRE_OIDC_NAME: 'Example', UMPIRE_OIDC_TIMEOUT_MS: '500', UMPIRE_JWT_JWKS_TIMEOUT_MS: '500', UMPIRE_OIDC_SESSION_SECONDS: '600', UMPIRE_PUBLIC_URL: 'http://umpire.test/' });
beforeAll(async () => {
  issuer = new Issuer();
  await issuer.start();
  harness = await startHarness();
  ({ origin } = await harness.startStore(settings()));
});
afterAll(async () => {
  await harness.stop();
  await issuer.stop();
});

const seconds = () => Math.floor(systemClock.now() / 1_000);
const go = async (path: string, cookie = '', at = origin) => {
  const { status, headers } = await fetch(`${at}${path}`, { redirect: 'manual', headers: { cookie, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' } });
  const set = headers.getSetCookie();
  const named = (name: string) => set.find((one) => one.startsWith(`${name}=`));
  return { status, location: headers.get('location'), away: named('umpire_oidc'), session: named('umpire_session') };
};
const valueOf = (cookie: string | undefined) => cookie?.split(';')[0] ?? '';

/** Leaves for the issuer. @returns what the issuer is asked, and the cookie that waits */
async function leave(to = '/e/~YQ') {
  const left = await go(`/session/oidc/start?to=${encodeURIComponent(to)}`);
  return { ...left, asked: new URL(left.location!).searchParams, cookie: valueOf(left.away) };
}

/** Comes back with a code, from an issuer whose token says `claims` beside what is due. */
async function comeBack(claims: JWTPayload = {}, key?: CryptoKey, more: { state?: string; iss?: string } = {}) {
  const { asked, cookie } = await leave();
  issuer.token = { claims: { iss: issuer.url, aud: CLIENT, sub: 'dana', nonce: asked.get('nonce')!, iat: seconds(), exp: seconds() + 60, roles: ['reviewer', 'lead'], umpire_namespace: 'default', ...claims }, ...(key ? { key } : {}) };
  return { ...(await go(`/session/oidc/callback?code=abc&state=${more.state ?? asked.get('state')}${more.iss ? `&iss=${encodeURIComponent(more.iss)}` : ''}`, cookie)), asked, cookie };
}

describe('signing in at an issuer', () => {
  it('asks for a code bound to this browser, and exchanges it for a session', async () => {
    const back = await comeBack();
    expect(Object.fromEntries(back.asked)).toMatchObject({ client_id: CLIENT, response_type: 'code', scope: 'openid profile', redirect_uri: 'http://umpire.test/session/oidc/callback', code_challenge_method: 'S256' });
    const grant = issuer.grants.at(-1)!;
    expect(Object.fromEntries(grant)).toMatchObject({ grant_type: 'authorization_code', code: 'abc', redirect_uri: 'http://umpire.test/session/oidc/callback', client_id: CLIENT });
    expect(createHash('sha256').update(grant.get('code_verifier')!).digest('base64url')).toBe(back.asked.get('code_challenge'));
    expect(back).toMatchObject({ status: 303, location: '/e/~YQ' });
    expect(back.session).toMatch(/^umpire_session=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Strict$/);
    expect(back.away).toMatch(/^umpire_oidc=; Path=\/; Max-Age=0; HttpOnly; SameSite=Lax$/);
    const who = await (await fetch(`${origin}/session`, { headers: { cookie: valueOf(back.session) } })).json() as { expires_at: string };
    expect(who).toMatchObject({ namespace: 'default', user_id: 'dana', roles: ['reviewer', 'lead'], auth: 'session' });
    // The token was for a minute; the session is for as long as the configuration says.
    expect(Date.parse(who.expires_at) / 1_000 - seconds()).toBeGreaterThan(300);
    expect(Date.parse(who.expires_at) / 1_000 - seconds()).toBeLessThan(602);
  });

  it('gives no session for a token that is not for this sign-in, or has no place here', async () => {
    const foreign = (await generateKeyPair('RS256')).privateKey;
    const cases: Record<string, () => ReturnType<typeof comeBack>> = {
      'signed by another': () => comeBack({}, foreign),
      'for another client': () => comeBack({ aud: 'other' }),
      'of another issuer': () => comeBack({ iss: 'https://other.example' }),
      'with another nonce': () => comeBack({ nonce: 'other' }),
      'over': () => comeBack({ iat: seconds() - 600, exp: seconds() - 300 }),
      'without a role': () => comeBack({ roles: [] }),
      'without a person': () => comeBack({ sub: ' ' }),
      'of no namespace here': () => comeBack({ umpire_namespace: 'nowhere' }),
    };
    for (const [name, run] of Object.entries(cases)) expect(await run(), name).toMatchObject({ location: '/e/~YQ?sign_in=refused', session: undefined });
    issuer.trouble = 'no code';
    expect(await comeBack()).toMatchObject({ location: '/e/~YQ?sign_in=refused', session: undefined });
    issuer.trouble = null;
  });

  it('takes a return only in the browser that left', async () => {
    expect(await comeBack({}, undefined, { state: 'other' })).toMatchObject({ location: '/e/~YQ?sign_in=stale', session: undefined });
    const { asked } = await leave();
    for (const cookie of ['', 'umpire_oidc=bm90IGpzb24gYXQgYWxsIQ', `umpire_oidc=${Buffer.from('{"state":1,"nonce":2}').toString('base64url')}`]) {
      expect(await go(`/session/oidc/callback?code=abc&state=${asked.get('state')}`, cookie)).toMatchObject({ location: '/?sign_in=stale', session: undefined });
    }
    const { asked: other, cookie } = await leave();
    expect(await go(`/session/oidc/callback?error=access_denied&state=${other.get('state')}`, cookie)).toMatchObject({ location: '/e/~YQ?sign_in=denied', session: undefined });
    // An answer that names another issuer (RFC 9207) was meant for another client.
    expect(await comeBack({}, undefined, { iss: 'https://other.example' })).toMatchObject({ location: '/e/~YQ?sign_in=refused', session: undefined });
  });

  it('leads back to a page of the console, and nowhere else', async () => {
    for (const page of ['/', '/e/~YQ', '/e/hitl-loan%2F2024', '/console/stats']) expect(returnPage(page)).toBe(page);
    for (const elsewhere of ['//evil.example', '/\\evil.example', 'https://evil.example/', '/e/..//x', '/e/a?x=//b', '/session', '/console/../x', '/e/a\r\nset-cookie:x', '', undefined, ['/'], `/e/${'a'.repeat(3_000)}`]) expect(returnPage(elsewhere)).toBe('/');
    // Nor does a cookie that somebody else has written.
    const { asked, cookie } = await leave();
    const kept = JSON.parse(Buffer.from(cookie.split('=')[1]!, 'base64url').toString()) as object;
    const changed = `umpire_oidc=${Buffer.from(JSON.stringify({ ...kept, to: '//evil.example' })).toString('base64url')}`;
    expect(await go(`/session/oidc/callback?error=access_denied&state=${asked.get('state')}`, changed)).toMatchObject({ location: '/?sign_in=denied' });
  });

  it('says so when the issuer does not answer, and works again when it does', async () => {
    const fresh = (await harness.startStore(settings())).origin;
    for (const trouble of ['silent', 'broken'] as const) {
      issuer.trouble = trouble;
      expect(await go('/session/oidc/start?to=/console/stats', '', fresh)).toMatchObject({ status: 303, location: '/console/stats?sign_in=unavailable', away: undefined });
      issuer.trouble = null;
      const { asked, cookie } = await leave();
      issuer.trouble = trouble;
      expect(await go(`/session/oidc/callback?code=abc&state=${asked.get('state')}`, cookie)).toMatchObject({ location: '/e/~YQ?sign_in=unavailable', session: undefined });
      issuer.trouble = null;
    }
    expect((await go('/session/oidc/start', '', fresh)).location).toContain(`${issuer.url}/auth?`);
  });

  it('is offered where it is set up, with cookies that only TLS carries where there is TLS', async () => {
    expect(await (await fetch(`${origin}/session/oidc`)).json()).toEqual({ name: 'Example' });
    const secure = (await harness.startStore({ ...settings(), UMPIRE_PUBLIC_URL: 'https://umpire.example' })).origin;
    const { headers } = await fetch(`${secure}/session/oidc/start`, { redirect: 'manual' });
    expect(headers.getSetCookie()[0]).toMatch(/^__Host-umpire_oidc=[\w-]+; Path=\/; Max-Age=900; HttpOnly; SameSite=Lax; Secure$/);
    const without = (await harness.startStore()).origin;
    expect(await (await fetch(`${without}/session/oidc`)).json()).toEqual({ name: null });
    expect((await fetch(`${without}/session/oidc/start`, { redirect: 'manual' })).status).toBe(404);
  });

  it('is set up whole or not at all, over TLS', () => {
    const read = (more: Record<string, string>) => () => readStateStoreConfig({ UMPIRE_POSTGRES_URL: 'postgres://x', ...more });
    expect(read({ UMPIRE_OIDC_ISSUER: 'https://login.example' })).toThrow(/UMPIRE_OIDC_CLIENT_ID: is needed/);
    expect(read({ UMPIRE_OIDC_CLIENT_ID: 'x' })).toThrow(/UMPIRE_OIDC_ISSUER: is needed/);
    expect(read({ UMPIRE_OIDC_ISSUER: 'http://login.example', UMPIRE_OIDC_CLIENT_ID: 'x' })).toThrow(/UMPIRE_OIDC_ISSUER: must be https/);
    expect(read({ UMPIRE_OIDC_ISSUER: 'https://login.example', UMPIRE_OIDC_CLIENT_ID: 'x', UMPIRE_OIDC_SCOPE: 'profile' })).toThrow(/UMPIRE_OIDC_SCOPE: must contain openid/);
  });
});
