import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch, type Connection, type LaunchOptions } from '../../../deploy/local/launch.mjs';
import { removeHome, type LocalServers } from '../../../deploy/local/servers.mjs';

export type Topology = 'all' | 'split';

/** Both, unless `TOPOLOGY` names one. */
export const topologies: Topology[] = process.env['TOPOLOGY'] ? [process.env['TOPOLOGY'] as Topology] : ['all', 'split'];

export type Answer = { status: number; headers: Headers; text: string; body: any };

/** What a test changes about a start; `prepare` is given the home before anything is in it. */
export type StackOptions = Pick<LaunchOptions, 'environment' | 'show'> & { prepare?: (home: string) => Promise<void> | void };

/** The product as a user runs it, in a temporary home on a free port, and what a test needs to speak with it. */
export class Stack {
  readonly home: string;
  readonly topology: Topology;
  private readonly options: StackOptions;
  private product!: Awaited<ReturnType<typeof launch>>;
  private readonly connections: NatsConnection[] = [];

  private constructor(home: string, topology: Topology, options: StackOptions) {
    this.home = home;
    this.topology = topology;
    this.options = options;
  }

  static async start(topology: Topology, namespaces?: Record<string, string[]>, options: StackOptions = {}): Promise<Stack> {
    if (namespaces) process.env['UMPIRE_NAMESPACES'] = JSON.stringify(namespaces);
    else delete process.env['UMPIRE_NAMESPACES'];
    const stack = new Stack(await mkdtemp(join(tmpdir(), 'umpire-e2e-')), topology, options);
    await options.prepare?.(stack.home);
    await stack.resume();
    return stack;
  }

  /** Starts it (again) on the same home. */
  async resume(): Promise<void> {
    const { environment, show } = this.options;
    this.product = await launch({ home: this.home, port: 0, split: this.topology === 'split', ...(environment ? { environment } : {}), ...(show ? { show } : {}) });
  }

  /** The three servers, to be killed, stopped and started. */
  get servers(): LocalServers {
    return this.product.servers;
  }

  get connection(): Connection {
    return this.product.connection;
  }

  get origin(): string {
    return this.product.origin;
  }

  async request(method: string, path: string, key: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(`${this.origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(90_000),
    });
    const text = await response.text();
    const json = /[/+]json/.test(response.headers.get('content-type') ?? '') && text.length > 0;
    return { status: response.status, headers: response.headers, text, body: json ? JSON.parse(text) : undefined };
  }

  post(path: string, key: string, body: unknown, headers?: Record<string, string>): Promise<Answer> {
    return this.request('POST', path, key, body, headers);
  }

  get(path: string, key: string): Promise<Answer> {
    return this.request('GET', path, key);
  }

  respond(id: string, userInput: object, key = this.connection.keys.reviewers.alice): Promise<Answer> {
    return this.post('/hitl/respond', key, { interaction_id: id, user_input: userInput });
  }

  /** A producer's NATS connection, as any client makes one from `connection.json`. */
  async producer(namespace = 'default'): Promise<{ nats: NatsConnection; js: JetStreamClient }> {
    const { producer } = this.connection.namespaces[namespace]!.nats;
    const nats = await connect({ servers: this.connection.nats_url, user: producer.user, pass: producer.pass, inboxPrefix: producer.inbox_prefix, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
    this.connections.push(nats);
    return { nats, js: jetstream(nats) };
  }

  /** The current process id of a service or server of the split topology; null while it is being restarted. */
  async pidOf(name: string): Promise<number | null> {
    const text = await readFile(join(this.home, 'run', `${name}.pid`), 'utf8').catch(() => '');
    const pid = Number(text.split('\n')[0]);
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  }

  /** The product's end, as Ctrl-C makes it. */
  async pause(): Promise<void> {
    await Promise.allSettled(this.connections.splice(0).map((connection) => connection.close()));
    await this.product.stop();
  }

  /** The end of the whole product at once, as kill -9 on everything makes it. */
  async crash(): Promise<void> {
    await Promise.allSettled(this.connections.splice(0).map((connection) => connection.close()));
    this.product.kill();
    // Only this process's own hold on the home is left to give up.
    await this.product.stop();
  }

  async stop(): Promise<void> {
    await this.pause();
    removeHome(this.home);
  }
}
