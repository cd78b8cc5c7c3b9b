import { createServer as createTlsServer } from 'node:https';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { AddressPolicy, parseAllowedRanges } from './address-policy.ts';
import { HttpSender, type Answer } from './http-sender.ts';
import { NameResolver, type Lookup } from './name-resolver.ts';

/** Signed by nobody, for `localhost`; its key guards nothing. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUVUgtDpKT3RTyeAT5RgZXTNwSuw0wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjAwMDcxNVoYDzIxMjYxMDI5
MDAwNzE1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARsVD4BYWArUmXG0+kF1uttuxoPXyxmB5R8QXAO09w2JxSWN8O4MtQq
+0lKVghbiflqAFi/ILEiESsH8t55SKdRo28wbTAdBgNVHQ4EFgQU/VBQkTcnhmdX
YpKwrQtFSzzKhJ4wHwYDVR0jBBgwFoAU/VBQkTcnhmdXYpKwrQtFSzzKhJ4wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgFKXvYI7KnKTTFLZgZKhrhTaHnExPVAw3CEYv8WpXZ+wCIGJX
BArI0SF4VOnGXlu++hfMoYWZQ29s+sAoMDcUltni
-----END CERTIFICATE-----
`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgUh7qgy339NHgDkyr
mK7Vs/6dls3Vzvtq9h17TWoYxJqhRANCAARsVD4BYWArUmXG0+kF1uttuxoPXyxm
B5R8QXAO09w2JxSWN8O4MtQq+0lKVghbiflqAFi/ILEiESsH8t55SKdR
-----END PRIVATE KEY-----
`;

const servers: Server[] = [];
const senders: HttpSender[] = [];
afterEach(async () => {
  await Promise.all(senders.splice(0).map((sender) => sender.close()));
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function send(url: string, options: { allow?: string; lookup?: Lookup; timeoutMs?: number } = {}): Promise<Answer> {
  const allowed = parseAllowedRanges(options.allow ?? 'loopback');
  if (!allowed.ok) throw new Error(allowed.error);
  const sender = new HttpSender({
    policy: new AddressPolicy(allowed.value), resolver: new NameResolver(options.lookup), allowHttp: false, timeoutMs: options.timeoutMs ?? 2_000, clock: { now: () => 0 },
  });
  senders.push(sender);
  return sender.send({ url: new URL(url), headers: { 'content-type': 'application/json' }, body: Buffer.from('{}') });
}

const names = (addresses: Record<string, string[]>): Lookup => (host) => Promise.resolve((addresses[host] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));

describe('HttpSender', () => {
  it('connects to the very address that was judged, under the name that was given', async () => {
    const hosts: (string | undefined)[] = [];
    const port = await listen(createServer((request, response) => {
      hosts.push(request.headers.host);
      response.end('hello');
    }));
    const answer = await send(`http://receiver.example:${port}/x`, { lookup: names({ 'receiver.example': ['127.0.0.1'] }) });
    expect(answer).toMatchObject({ status: 200, error: null, response: Buffer.from('hello') });
    expect(hosts).toEqual([`receiver.example:${port}`]);
  });

  it('never asks for the address again between judging and connecting', async () => {
    let asked = 0;
    const port = await listen(createServer((_, response) => response.end()));
    const rebinding: Lookup = () => Promise.resolve([{ address: (asked += 1) === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 }]);
    expect(await send(`http://rebinding.example:${port}/`, { lookup: rebinding })).toMatchObject({ status: 200 });
    expect(asked).toBe(1);
  });

  it.each([
    ['http://127.0.0.1:1/', ''],
    ['http://[::1]:1/', ''],
    ['https://[::ffff:169.254.169.254]/', ''],
    ['http://2130706433:1/', ''],
    ['http://metadata.example:1/', 'loopback'],
    ['http://mixed.example:1/', 'loopback'],
    ['http://public.example:1/', 'loopback'],
  ])('refuses %s where "%s" is allowed, before any connection', async (url, allow) => {
    const lookup = names({ 'metadata.example': ['169.254.169.254'], 'mixed.example': ['127.0.0.1', '10.0.0.1'], 'public.example': ['8.8.8.8'] });
    expect(await send(url, { allow, lookup })).toMatchObject({ status: null, error: 'address_refused' });
  });

  it('verifies certificates', async () => {
    const reached: string[] = [];
    const port = await listen(createTlsServer({ cert: CERTIFICATE, key: KEY }, (request, response) => {
      reached.push(request.url!);
      response.end();
    }));
    const answer = await send(`https://localhost:${port}/`, { lookup: names({ localhost: ['127.0.0.1'] }) });
    expect(answer).toMatchObject({ status: null, error: 'tls' });
    expect(answer.detail).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(reached).toEqual([]);
  });

  it('says what went wrong', async () => {
    const port = await listen(createServer((request) => request.socket.resetAndDestroy()));
    expect(await send(`http://127.0.0.1:${port}/`)).toMatchObject({ error: 'reset' });
    expect(await send(`https://127.0.0.1:${port}/`)).toMatchObject({ error: 'tls' });
    const closed = await listen(createServer());
    servers.pop()!.close();
    expect(await send(`http://127.0.0.1:${closed}/`)).toMatchObject({ error: 'connect' });
    expect(await send('http://nowhere.example/', { lookup: names({}) })).toMatchObject({ error: 'dns' });
  });

  it('counts names, TLS and everything into one time', async () => {
    const slowName: Lookup = () => new Promise(() => undefined);
    expect(await send('http://slow.example/', { lookup: slowName, timeoutMs: 200 })).toMatchObject({ error: 'timeout' });
    const deaf = await listen(createServer(() => undefined));
    expect(await send(`http://127.0.0.1:${deaf}/`, { timeoutMs: 200 })).toMatchObject({ error: 'timeout' });
  });
});
