import { testDatabase, type TestDatabase } from '@umpire/testing';
import { isApiKey } from '@umpire/runtime';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFirstKeys, secretPlace, type ClusterApi } from './index.ts';

/** A cluster's API as far as one Secret needs it: a patch must carry the version that is kept. */
let kept = { resourceVersion: 1, data: {} as Record<string, string> };
const asked: string[] = [];
let server: Server;
let api: ClusterApi;
let database: TestDatabase;
/** What another writer does just before the next patch arrives. */
let meanwhile: (() => void) | null = null;

beforeAll(async () => {
  database = await testDatabase();
  server = createServer((request, response) => void answer(request).then(([status, body]) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))));
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  api = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'pod-token', namespace: 'umpire' };
});
afterAll(async () => {
  server.close();
  await database.drop();
});

async function answer(request: IncomingMessage): Promise<[number, object]> {
  asked.push(`${request.method} ${request.url}`);
  const secret = () => ({ kind: 'Secret', metadata: { name: 'umpire-admin', resourceVersion: String(kept.resourceVersion) }, data: kept.data });
  if (request.headers.authorization !== 'Bearer pod-token') return [401, { message: 'Unauthorized' }];
  if (request.url !== '/api/v1/namespaces/umpire/secrets/umpire-admin') return [404, { message: 'not found' }];
  if (request.method === 'GET') return [200, secret()];
  if (request.method !== 'PATCH' || request.headers['content-type'] !== 'application/merge-patch+json') return [415, {}];
  meanwhile?.();
  meanwhile = null;
  const patch = JSON.parse(await text(request)) as { metadata: { resourceVersion: string }; data: Record<string, string> };
  if (patch.metadata.resourceVersion !== String(kept.resourceVersion)) return [409, { message: 'the object has been modified' }];
  kept = { resourceVersion: kept.resourceVersion + 1, data: { ...kept.data, ...patch.data } };
  return [200, secret()];
}

const keyOf = (namespace: string) => Buffer.from(kept.data[namespace]!, 'base64').toString();

describe('the first keys in a Secret', () => {
  it('are written once', async () => {
    const place = secretPlace(api, 'umpire-admin');
    expect(await createFirstKeys(database.sql, ['default'], place)).toEqual(['default']);
    const key = keyOf('default');
    expect(isApiKey(key)).toBe(true);
    expect(await createFirstKeys(database.sql, ['default', 'team-b'], place)).toEqual(['team-b']);
    expect(keyOf('default')).toBe(key);
    expect(new Set(asked)).toEqual(new Set(['GET', 'PATCH'].map((verb) => `${verb} /api/v1/namespaces/umpire/secrets/umpire-admin`)));
  });

  it('are the other writer\'s where two write at once', async () => {
    const theirs = keyOf('default');
    meanwhile = () => {
      kept = { resourceVersion: kept.resourceVersion + 1, data: { ...kept.data, 'team-c': Buffer.from(theirs).toString('base64') } };
    };
    const written = await secretPlace(api, 'umpire-admin').write('team-c', 'umk_mine');
    expect(written).toBe(theirs);
    expect(keyOf('team-c')).toBe(theirs);
  });

  it('reach the database also when the first run ended in between', async () => {
    await database.sql`delete from identity.keys where namespace = 'team-b'`;
    const key = keyOf('team-b');
    expect(await createFirstKeys(database.sql, ['team-b'], secretPlace(api, 'umpire-admin'))).toEqual(['team-b']);
    expect(keyOf('team-b')).toBe(key);
  });

  it('are not written where the Secret is not there, or not ours to read', async () => {
    await expect(createFirstKeys(database.sql, ['default'], secretPlace(api, 'another'))).rejects.toThrow(/404/);
    await expect(createFirstKeys(database.sql, ['default'], secretPlace({ ...api, token: 'x' }, 'umpire-admin'))).rejects.toThrow(/401/);
  });
});
