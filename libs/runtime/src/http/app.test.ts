import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../logger.ts';
import { startHttpApp } from './app.ts';
import { BareController, TestModule, ThingsController } from '../test/things.controller.ts';
import { AUTHENTICATOR, AuthGuard, type Authenticator } from './auth.ts';
import { Readiness } from './probes.ts';

const authenticator: Authenticator = {
  authenticate: (credential) => Promise.resolve(credential.token === 'reviewer-token' || credential.kind === 'session'
    ? { namespace: 'default', key_id: 'k1', roles: ['reviewer'], user_id: 'alice', auth: credential.kind === 'session' ? 'session' : 'api_key' }
    : credential.token === 'admin-token' ? { namespace: 'default', key_id: 'k2', roles: ['admin'], user_id: null, auth: 'api_key' } : null),
};
const providers = [AuthGuard, { provide: AUTHENTICATOR, useValue: authenticator }];

const options = { host: '127.0.0.1', port: 0, logger: createLogger('test', 'silent'), readiness: new Readiness(), probesOnOrigin: true };

let app: NestFastifyApplication;
let origin: string;
beforeAll(async () => {
  app = await startHttpApp({ module: TestModule, controllers: [ThingsController], providers }, options);
  origin = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
});
afterAll(() => app.close());

const ask = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(`${origin}${path}`, init);
  return { status: response.status, type: response.headers.get('content-type'), body: (await response.json()) as any };
};
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const post = (value: unknown, headers: Record<string, string> = bearer('admin-token')) =>
  ask('/things', { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: typeof value === 'string' ? value : JSON.stringify(value) });

describe('guards', () => {
  it('opens what is public, and nothing by oversight', async () => {
    expect((await ask('/things/open')).status).toBe(200);
    expect((await ask('/things/forgotten')).status).toBe(401);
    expect((await ask('/things/forgotten', { headers: bearer('admin-token') })).status).toBe(403);
  });

  it('asks for a credential and a role', async () => {
    expect((await ask('/things/mine/1')).body).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect((await ask('/things/mine/1', { headers: bearer('nobody') })).status).toBe(401);
    expect((await ask('/things/mine/1', { headers: bearer('admin-token') })).body).toMatchObject({ status: 403, code: 'forbidden' });
    expect((await ask('/things/mine/1', { headers: bearer('reviewer-token') })).body).toEqual({ user: 'alice', id: '1' });
  });

  it('lets a cookie in from its own pages only, and a bearer alone count where both are sent', async () => {
    const cookie = { cookie: 'umpire_session=abcdefghijklmnopqrstuvwx' };
    expect((await ask('/things/mine/1', { headers: cookie })).status).toBe(200);
    expect((await ask('/things/mine/1', { headers: { ...cookie, 'sec-fetch-site': 'same-origin', origin } })).status).toBe(200);
    expect((await ask('/things/mine/1', { headers: { ...cookie, 'sec-fetch-site': 'cross-site' } })).body.code).toBe('cross_site');
    expect((await ask('/things/mine/1', { headers: { ...cookie, origin: 'https://evil.example' } })).body.code).toBe('cross_site');
    expect((await ask('/things/mine/1', { headers: { ...cookie, ...bearer('nobody') } })).status).toBe(401);
  });

  it('refuses to start with a controller that is not guarded', async () => {
    await expect(startHttpApp({ module: TestModule, controllers: [BareController], providers }, { ...options, readiness: new Readiness() })).rejects.toThrow(/BareController is not guarded/);
  });
});

describe('slow clients', () => {
  it('are given ten seconds for headers, thirty for a request, and no connection for nothing', () => {
    const server = app.getHttpServer() as Server;
    expect(server).toMatchObject({ headersTimeout: 10_000, requestTimeout: 30_000, timeout: 90_000, connectionsCheckingInterval: 2_000 });
  });
});

describe('problems', () => {
  it('names every field at fault', async () => {
    const { status, type, body: problem } = await post({ count: 0 });
    expect([status, type]).toEqual([422, 'application/problem+json']);
    expect(problem.errors.map((error: { path: string }) => error.path).sort()).toEqual(['count', 'name']);
  });

  it('keeps our codes, maps the framework\'s, hides our faults', async () => {
    expect((await post({ count: 1, name: 'taken' })).body).toMatchObject({ status: 409, code: 'conflict', detail: 'the name is taken', name: 'taken' });
    expect((await post({ count: 1, name: 'nest' })).body).toMatchObject({ status: 404, code: 'not_found' });
    const fault = await post({ count: 1, name: 'fault' });
    expect(fault.body).toMatchObject({ status: 500, code: 'internal' });
    expect(JSON.stringify(fault.body)).not.toContain('secret detail');
    expect((await ask('/nowhere')).body).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('refuses bodies that are broken, too large, or of another kind', async () => {
    expect((await post('{"count":')).body).toMatchObject({ status: 400, code: 'malformed_json' });
    expect((await post(`{"count":1,"name":"${'a'.repeat(300_000)}"}`)).body).toMatchObject({ status: 413, code: 'too_large' });
    expect((await ask('/things', { method: 'POST', headers: { ...bearer('admin-token'), 'content-type': 'text/plain' }, body: 'x' })).body).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  });

  it('are for whoever asked: no cache keeps them, no browser takes them for a page', async () => {
    for (const path of ['/things/open', '/things/mine/1', '/nowhere']) {
      const { headers } = await fetch(`${origin}${path}`);
      expect([path, headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual([path, 'no-store', 'nosniff']);
    }
  });

  it('does not take a prototype from a body', async () => {
    expect((await post('{"count":1,"name":"x","__proto__":{"polluted":true}}')).body).toEqual({ count: 1, name: 'x' });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('probes', () => {
  it('say that the process lives, and whether it is ready', async () => {
    expect((await ask('/healthz')).body).toEqual({ status: 'ok' });
    expect((await ask('/readyz')).status).toBe(200);
    options.readiness.tell('a broker', () => Promise.reject(new Error('cut')));
    expect(await ask('/readyz')).toMatchObject({ status: 200, body: { status: 'ok', checks: { 'a broker': 'cut' } } });
    options.readiness.add('a server', () => Promise.reject(new Error('away')));
    expect((await ask('/readyz')).body).toEqual({ status: 'not_ready', checks: { 'a broker': 'cut', 'a server': 'away' } });
    expect(await (await fetch(`${origin}/metrics`)).text()).toContain('process_cpu_seconds_total');
  });
});
