import { eventually } from '@umpire/testing';
import { describe, expect, it } from 'vitest';
import type { Arena } from '../arena.ts';
import { inLanes } from '../lanes.ts';
import { declaredRoutes, isGuarded, type Route } from '../routes.ts';

/** A route of each service, for whoever may use it. */
const DOORS = ['/hitl/escalations', '/policies', '/webhooks/endpoints', '/timers', '/rejected', '/identity/keys'];

/** Every guarded route with each set of headers. */
const everyDoor = <Headers>(headers: Headers[]): [Route, Headers][] => declaredRoutes().filter(isGuarded).flatMap((route) => headers.map((set): [Route, Headers] => [route, set]));

async function knock(origin: string, method: string, path: string, headers: Record<string, string | undefined>): Promise<{ status: number; code: string | undefined }> {
  const bodied = method !== 'GET';
  const response = await fetch(`${origin}${path.replaceAll(/:[a-z_]+/g, 'x')}`, { method, headers: { ...(headers as Record<string, string>), ...(bodied ? { 'content-type': 'application/json' } : {}) }, body: bodied ? '{}' : null });
  return { status: response.status, code: ((await response.json()) as { code?: string }).code };
}

export function credentials(at: () => Arena): void {
  describe('no credential, or a false one', () => {
    it('opens no route', async () => {
      const { stack } = at();
      const headers = [{}, { authorization: 'Bearer umk_00000000000000000000000000000000000000' }, { authorization: 'Basic YWRtaW46YWRtaW4=' }, { cookie: 'umpire_session=aaaaaaaaaaaaaaaaaaaaaaaaaaaa' }];
      expect(await inLanes(everyDoor(headers), async ([{ method, path }, proof]) => {
        const { status } = await knock(stack.origin, method, path, proof);
        return status === 401 ? null : `${method} ${path} ${JSON.stringify(proof)}: ${status}`;
      })).toEqual([]);
    });

    it('a token that is forged, expired or for another audience opens none of the services, nor a socket', async () => {
      const { stack, issuer } = at();
      const good = issuer.sign();
      for (const path of DOORS) expect([path, (await stack.get(path, good)).status]).toEqual([path, 200]);
      (await at().socket('dana', { authorization: `Bearer ${good}` })).ws.close();
      for (const [name, token] of Object.entries(issuer.forgeries())) {
        for (const path of DOORS) expect([name, path, (await stack.get(path, token)).status]).toEqual([name, path, 401]);
        expect([name, (await stack.post('/api/escalations', token, '{}')).status]).toEqual([name, 401]);
        await expect(at().socket('dana', { authorization: `Bearer ${token}` }), name).rejects.toThrow('401');
      }
    });

    it('a key that was revoked opens nothing any more, its session neither, and their sockets end', async () => {
      const { stack, keys } = at();
      const { id, key } = (await stack.post('/identity/keys', keys.admin, { name: 'short-lived', roles: ['admin', 'reviewer', 'producer'], user_id: 'rita' })).body;
      const session = (await fetch(`${stack.origin}/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ key }) })).headers.get('set-cookie')!.split(';')[0]!;
      for (const path of DOORS) expect([path, (await stack.get(path, key)).status]).toEqual([path, 200]);
      const sockets = [await at().socket('rita', { authorization: `Bearer ${key}` }), await at().socket('rita', { cookie: session, origin: stack.origin })];
      expect((await stack.request('DELETE', `/identity/keys/${id}`, keys.admin)).status).toBe(200);
      for (const path of DOORS) await eventually(`${path} is closed`, async () => (await stack.get(path, key)).status === 401);
      const bySession = async () => (await fetch(`${stack.origin}/webhooks/endpoints`, { headers: { cookie: session } })).status;
      await eventually('the session is over', async () => (await bySession()) === 401);
      for (const socket of sockets) await eventually('the socket was closed', () => socket.closed() === 4401);
    });
  });

  describe('another site', () => {
    it('cannot use a session: no route, no socket', async () => {
      const { stack, keys } = at();
      const cookie = (await fetch(`${stack.origin}/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ key: keys.admin }) })).headers.get('set-cookie')!.split(';')[0]!;
      const sites: Record<string, string>[] = [{ origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: `${stack.origin}.evil.example` }, { origin: stack.origin.replace('127.0.0.1', 'localhost') }];
      expect(await inLanes(everyDoor(sites), async ([{ method, path }, site]) => {
        const { status, code } = await knock(stack.origin, method, path, { cookie, ...site });
        return code === 'cross_site' ? null : `${method} ${path} ${JSON.stringify(site)}: ${status}`;
      })).toEqual([]);
      const alice = (await fetch(`${stack.origin}/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ key: keys.alice }) })).headers.get('set-cookie')!.split(';')[0]!;
      for (const site of [...sites, {}]) await expect(at().socket('alice', { cookie: alice, ...site }), JSON.stringify(site)).rejects.toThrow('403');
    });

    it('cannot send what a page may send without asking: forms and plain text', async () => {
      const { stack, keys } = at();
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', '']) {
        const { status } = await stack.request('POST', '/hitl/respond', keys.alice, '{"interaction_id":"x","user_input":{}}', { 'content-type': type });
        expect([type, status]).toEqual([type, 415]);
      }
      const preflight = await fetch(`${stack.origin}/hitl/respond`, { method: 'OPTIONS', headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' } });
      expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
    });
  });
}
