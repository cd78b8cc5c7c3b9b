import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from '@nats-io/transport-node';
import { eventually } from '@umpire/testing';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { describe, expect, it } from 'vitest';
import { findServers } from '../../../../deploy/local/find-servers.mjs';
import { Steps } from '../../../../deploy/local/steps.mjs';
import { readStream } from '../../../e2e/src/operator.ts';
import type { Arena } from '../arena.ts';

/** Every text in a JSON file, with where it stands. */
function texts(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => texts(inner, `${path}.${name}`));
}

/** Uses every kind of secret everywhere that it may go, and in places where it should not be. @returns them all by name */
async function useSecrets(arena: Arena): Promise<Record<string, string>> {
  const { stack, keys, issuer, receiver } = arena;
  const webhook = `whsec_${Buffer.from('a known secret of thirty-two byt').toString('base64')}`;
  const header = 'known-header-value-51f0';
  const slack = 'known-slack-token-88aa';
  const { body: endpoint } = await stack.post('/webhooks/endpoints', keys.admin, { url: `${receiver.origin}/failing/secrets`, secret: webhook, headers: { Authorization: `Bearer ${header}` }, retry_schedule_seconds: [0.05, 0.05] });
  await stack.post(`/webhooks/endpoints/${endpoint.id}/test`, keys.admin, {});
  const { body: rotated } = await stack.post(`/webhooks/endpoints/${endpoint.id}/rotate`, keys.admin, {});
  const { body: channel } = await stack.post('/webhooks/channels', keys.admin, { kind: 'slack', url: `${receiver.origin}/failing/${slack}`, owner_kind: 'user', owner: 'alice' });
  await stack.post(`/webhooks/channels/${channel.id}/test`, keys.admin, {});
  await eventually('the test was tried', () => receiver.received.some(({ path }) => path.includes(slack)), 60_000);
  const { body: made } = await stack.post('/identity/keys', keys.admin, { name: 'known', roles: ['reviewer', 'admin'], user_id: 'sam' });
  const cookie = (await fetch(`${stack.origin}/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ key: made.key }) })).headers.get('set-cookie')!;
  const session = /=([^;]+)/.exec(cookie)![1]!;
  const token = issuer.sign();
  // Where they should not be, and where something goes wrong with them in hand.
  const wrong: [string, string, RequestInit][] = [made.key, session, token].flatMap((secret): [string, string, RequestInit][] => [
    ['GET', `/hitl/escalations?text=x&token=${secret}`, {}], ['GET', '/hitl/status/not-there', { headers: { authorization: `Bearer ${secret}` } }], ['POST', '/session', { body: `{"key":"${secret}"` }],
    ['POST', '/session', { body: JSON.stringify({ key: `${secret}x` }) }], ['POST', '/api/escalations', { headers: { authorization: `Bearer ${secret}` }, body: '{' }], ['POST', '/hitl/respond', { headers: { cookie: `umpire_session=${secret}`, origin: 'https://evil.example' }, body: '{}' }],
    ['POST', '/identity/keys', { headers: { authorization: `Bearer ${secret}` }, body: '{"name":"x","roles":["nonsense"],"user_id":"\\u0000"}' }], ['GET', '/webhooks/endpoints', { headers: { authorization: `Bearer ${secret}broken` } }],
  ]);
  for (const [method, path, init] of wrong) await (await fetch(`${stack.origin}${path}`, { method, ...init, headers: { ...(init.body ? { 'content-type': 'application/json' } : {}), ...init.headers } })).arrayBuffer();
  await stack.post('/webhooks/endpoints', keys.admin, { url: 'nonsense', secret: webhook, headers: { 'X-Bad\n': header } });
  const socket = await arena.socket('sam', { authorization: `Bearer ${made.key}` });
  socket.ws.send(JSON.stringify({ type: 'subscribe', interaction_id: 'nothing' }));
  const { producer } = stack.connection.nats;
  await expect(connect({ servers: stack.connection.nats_url, user: producer.user, pass: `${producer.pass}x`, reconnect: false })).rejects.toThrow();
  await new Promise<void>((resolve) => createConnection(Number(new URL(stack.origin).port), '127.0.0.1').once('close', () => resolve()).on('error', () => undefined).end(`GET / HTTP/1.1\r\nauthorization: Bearer ${made.key}\r\nbroken header\r\n\r\n`).resume());
  socket.ws.close();
  const home = texts(JSON.parse(await readFile(join(stack.home, 'secrets.json'), 'utf8'))).filter(([path, text]) => text.length >= 16 && !path.endsWith('.user'));
  return { webhook, rotated: rotated.secret, header, slack, key: made.key, session, token, ...Object.fromEntries(home.map(([path, text]) => [`secrets.json${path}`, text])) };
}

/** Everything that the product says or keeps, by where. */
async function saidAndKept(arena: Arena): Promise<[string, string][]> {
  const { stack, receiver } = arena;
  const logs = join(stack.home, 'logs');
  const said: [string, string][] = await Promise.all((await readdir(logs)).map(async (file): Promise<[string, string]> => [`logs/${file}`, await readFile(join(logs, file), 'utf8')]));
  said.push(['/metrics', await (await fetch(`${stack.origin}/metrics`)).text()]);
  for (const stream of ['HITL_EVENTS', 'HITL_OUTCOMES', 'HITL_REJECTED']) said.push([stream, JSON.stringify(await readStream(stack, stream))]);
  const bodies = receiver.received.map(({ text }) => text).join('\n');
  said.push(['webhook bodies', bodies]);
  for (const [name, path] of [['endpoints', '/webhooks/endpoints?limit=200'], ['channels', '/webhooks/channels'], ['keys', '/identity/keys?limit=200'], ['reads', '/hitl/reads?limit=500']]) {
    const { status, text } = await stack.get(path!, arena.keys.admin);
    expect([path, status]).toEqual([path, 200]);
    said.push([`GET ${name}`, text]);
  }
  said.push(...await dump(stack.connection.postgres_url), ['pg_dump', await pgDump(stack.connection.postgres_url)], ...await cached(stack.connection.redis_url));
  said.push(...await onDisk(join(stack.home, 'nats', 'data')), ...await commandLines());
  return said;
}

/** The whole database as its operator backs it up. */
async function pgDump(url: string): Promise<string> {
  const { postgres } = await findServers(new Steps({ quiet: true }), { external: { nats: true, redis: true } });
  const own = join(postgres!.bin, 'pg_dump');
  // Bytes as they are, and not as hex: what is stored as `bytea` would hide from a search.
  const { stdout } = await promisify(execFile)(existsSync(own) ? own : 'pg_dump', [url], { env: { ...process.env, ...postgres!.env, PGOPTIONS: '-c bytea_output=escape' }, maxBuffer: 512 * 1024 * 1024 });
  return stdout;
}

/** Every key of Redis with its value. */
async function cached(url: string): Promise<[string, string][]> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  try {
    const found: [string, string][] = [];
    for await (const keys of redis.scanStream({ count: 1_000 }) as AsyncIterable<string[]>) {
      for (const key of keys) {
        const kind = await redis.type(key);
        const value = kind === 'string' ? [(await redis.getBuffer(key))!.toString('latin1')] : kind === 'hash' ? Object.entries(await redis.hgetall(key)).flat() : kind === 'set' ? await redis.smembers(key) : kind === 'zset' ? await redis.zrange(key, 0, '-1') : kind === 'list' ? await redis.lrange(key, 0, -1) : null;
        // It may have gone meanwhile; any other kind has to be looked into before it passes.
        if (value === null && kind !== 'none') throw new Error(`Redis holds a ${kind} under ${key}`);
        found.push([`Redis ${key}`, `${key}\n${(value ?? []).join('\n')}`]);
      }
    }
    return found;
  } finally {
    redis.disconnect();
  }
}

/** Every file below a folder, byte by byte: what JetStream keeps, purged messages among them. */
async function onDisk(folder: string): Promise<[string, string][]> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  return Promise.all(files.map(async (file): Promise<[string, string]> => [`file ${file.slice(folder.length)}`, await readFile(file, 'latin1').catch(() => '')]));
}

/** What anybody on the machine sees of every process: its command line (Postgres writes what it does into it). */
async function commandLines(): Promise<[string, string][]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  return Promise.all(pids.map(async (pid): Promise<[string, string]> => [`command line of ${pid}`, await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')]));
}

/** Every row of every table of ours as text, as a dump has it. */
async function dump(url: string): Promise<[string, string][]> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const tables = await sql<{ schema: string; name: string }[]>`select table_schema as schema, table_name as name from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`;
    const kept: [string, string][] = [];
    for (const { schema, name } of tables) {
      const rows = await sql<{ row: string }[]>`select t::text as row from ${sql(schema)}.${sql(name)} as t`;
      kept.push([`table ${schema}.${name}`, rows.map(({ row }) => row).join('\n')]);
    }
    return kept;
  } finally {
    await sql.end();
  }
}

export function secrets(at: () => Arena): void {
  describe('secrets', () => {
    it('are in no log, error, metric, event, answer, table, dump, cache, stream file or command line, in clear, base64 or hex', async () => {
      const known = await useSecrets(at());
      expect(Object.keys(known).length).toBeGreaterThan(20);
      const places = await saidAndKept(at());
      expect(places.length).toBeGreaterThan(30);
      // What is looked for would be found: a name that is no secret is.
      expect(places.filter(([, text]) => text.includes('failing/secrets')).map(([place]) => place)).toContain('table notifier.endpoints');
      expect(places.find(([place]) => place === 'logs/state-store.log')?.[1].length).toBeGreaterThan(1_000);
      for (const place of ['pg_dump', 'file ']) expect(places.some(([name, text]) => name.startsWith(place) && text.includes(place === 'pg_dump' ? 'failing/secrets' : 'walls-1'))).toBe(true);
      expect(places.some(([place, text]) => place.startsWith('Redis ') && text.includes('walls-1'))).toBe(true);
      if (process.platform === 'linux') expect(places.some(([place, text]) => place.startsWith('command line') && text.includes('nats.conf'))).toBe(true);
      const found: string[] = [];
      for (const [name, secret] of Object.entries(known)) {
        const bytes = Buffer.from(secret);
        const inner = secret.startsWith('whsec_') ? [secret.slice(6), Buffer.from(secret.slice(6), 'base64').toString('hex')] : [];
        for (const needle of [secret, bytes.toString('base64').replace(/=+$/, ''), bytes.toString('hex'), ...inner]) {
          for (const [place, text] of places) if (text.includes(needle)) found.push(`${name} in ${place}: …${text.slice(Math.max(0, text.indexOf(needle) - 120), text.indexOf(needle))}`);
        }
      }
      expect(found).toEqual([]);
    });
  });
}
