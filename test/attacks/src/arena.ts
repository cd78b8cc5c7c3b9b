import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { eventually } from '@umpire/testing';
import { Stack } from '../../e2e/src/stack.ts';

export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'umpire';

/** What every attack has before it: the product with a process for each service, two namespaces, an issuer of tokens, and a receiver. */
export class Arena {
  readonly stack: Stack;
  readonly issuer: Issuer;
  readonly receiver: Receiver;

  private constructor(stack: Stack, issuer: Issuer, receiver: Receiver) {
    this.stack = stack;
    this.issuer = issuer;
    this.receiver = receiver;
  }

  static async start(): Promise<Arena> {
    const [issuer, receiver] = await Promise.all([Issuer.start(), Receiver.start()]);
    const tokens = { UMPIRE_JWT_ISSUER: ISSUER, UMPIRE_JWT_AUDIENCE: AUDIENCE, UMPIRE_JWT_JWKS_URL: `${issuer.origin}/jwks` };
    const environment = (_: string, env: Record<string, string>) => ({ ...env, ...tokens, UMPIRE_LOG_LEVEL: 'trace', UMPIRE_RATE_READS: '0', UMPIRE_RATE_WRITES: '0' });
    return new Arena(await Stack.start('split', { default: ['main'], 'team-b': ['main'] }, { environment }), issuer, receiver);
  }

  /** Every key of the other namespace, which has nothing of its own. */
  get stranger() {
    const { admin, producer, reviewers } = this.stack.connection.namespaces['team-b']!.keys;
    return { admin, producer, alice: reviewers.alice };
  }

  get keys() {
    const { admin, producer, reviewers } = this.stack.connection.keys;
    return { admin, producer, ...reviewers };
  }

  /** A socket of a person, and what it hears. */
  async socket(userId: string, headers: Record<string, string>, query = ''): Promise<{ ws: WebSocket; frames: any[]; closed: () => number | null }> {
    const frames: any[] = [];
    let closed: number | null = null;
    const ws = new WebSocket(`${this.stack.origin.replace('http', 'ws')}/ws/hitl/${userId}${query}`, { headers });
    ws.on('message', (data) => frames.push(JSON.parse((data as Buffer).toString())));
    ws.on('close', (code) => (closed = code));
    await new Promise<void>((resolve, reject) => {
      ws.once('open', resolve);
      ws.once('unexpected-response', (_, response) => reject(new Error(`refused with ${response.statusCode}`)));
      ws.once('error', reject);
    });
    return { ws, frames, closed: () => closed };
  }

  /** Processes that died meanwhile, as the launcher saw it. */
  async deaths(): Promise<string[]> {
    const log = await readFile(join(this.stack.home, 'logs', 'launcher.log'), 'utf8').catch(() => '');
    return log.split('\n').filter((line) => /ended \(/.test(line));
  }

  async stop(): Promise<void> {
    await this.stack.stop();
    await Promise.all([this.issuer.stop(), this.receiver.stop()]);
  }
}

const listen = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
const end = (server: Server): Promise<void> => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
};

type Claims = Record<string, unknown>;
const encoded = (value: object | string) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** An issuer of tokens with one key, and every way to forge one. */
export class Issuer {
  readonly origin: string;
  private readonly server: Server;
  private readonly key: KeyObject;
  private readonly publicPem: string;

  private constructor(server: Server, origin: string, key: KeyObject, publicPem: string) {
    this.server = server;
    this.origin = origin;
    this.key = key;
    this.publicPem = publicPem;
  }

  static async start(): Promise<Issuer> {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' };
    const server = createServer((_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] })));
    return new Issuer(server, await listen(server), privateKey, publicKey.export({ type: 'spki', format: 'pem' }).toString());
  }

  sign(claims: Claims = {}, header: object = { alg: 'RS256', kid: 'one' }, key: KeyObject = this.key): string {
    const signed = `${encoded(header)}.${encoded(this.claims(claims))}`;
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key, 'base64url')}`;
  }

  /** Each is wrong in one way. */
  forgeries(): Record<string, string> {
    const past = Math.floor(Date.now() / 1_000) - 3_600;
    const good = this.sign();
    const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const [header, , signature] = good.split('.') as [string, string, string];
    const hmac = (alg: string) => {
      const signed = `${encoded({ alg, kid: 'one' })}.${encoded(this.claims({}))}`;
      return `${signed}.${createHmac('sha256', this.publicPem).update(signed).digest('base64url')}`;
    };
    return {
      'alg none': `${encoded({ alg: 'none' })}.${encoded(this.claims({}))}.`,
      'alg None with a signature': `${encoded({ alg: 'None', kid: 'one' })}.${encoded(this.claims({}))}.${signature}`,
      'the public key as an HMAC secret': hmac('HS256'),
      'another issuer\'s key': this.sign({}, undefined, own.privateKey),
      'a key of its own in the header': this.sign({}, { alg: 'RS256', jwk: own.publicKey.export({ format: 'jwk' }) }, own.privateKey),
      'a key of its own under our key\'s name': this.sign({}, { alg: 'RS256', kid: 'one', jwk: own.publicKey.export({ format: 'jwk' }) }, own.privateKey),
      'a key address of its own': this.sign({}, { alg: 'RS256', kid: 'two', jku: `${this.origin}/jwks` }, own.privateKey),
      'other claims under the same signature': `${header}.${encoded(this.claims({ roles: ['admin'], sub: 'mallory' }))}.${signature}`,
      'expired': this.sign({ exp: past }),
      'not yet valid': this.sign({ nbf: past + 7_200 }),
      'without an end': this.sign({ exp: undefined }),
      'wrong audience': this.sign({ aud: 'elsewhere' }),
      'wrong issuer': this.sign({ iss: 'https://evil.example' }),
      'a namespace that there is not': this.sign({ umpire_namespace: 'nowhere' }),
    };
  }

  stop(): Promise<void> {
    return end(this.server);
  }

  private claims(more: Claims): Claims {
    return { iss: ISSUER, aud: AUDIENCE, sub: 'dana', roles: ['reviewer', 'admin', 'producer'], umpire_namespace: 'default', exp: Math.floor(Date.now() / 1_000) + 600, ...more };
  }
}

/** What webhooks are sent to. */
export class Receiver {
  readonly received: { path: string; headers: Record<string, string>; text: string }[] = [];
  readonly origin: string;
  private readonly server: Server;

  private constructor(server: Server, origin: string, received: Receiver['received']) {
    this.server = server;
    this.origin = origin;
    this.received = received;
  }

  static async start(): Promise<Receiver> {
    const received: Receiver['received'] = [];
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        received.push({ path: request.url!, headers: request.headers as Record<string, string>, text: Buffer.concat(chunks).toString('utf8') });
        response.writeHead(request.url!.includes('failing') ? 500 : 204).end();
      });
    });
    return new Receiver(server, await listen(server), received);
  }

  waitFor(text: string): Promise<Receiver['received'][number]> {
    return eventually(`a webhook with ${text}`, () => this.received.find((one) => one.text.includes(text)), 60_000);
  }

  stop(): Promise<void> {
    return end(this.server);
  }
}
