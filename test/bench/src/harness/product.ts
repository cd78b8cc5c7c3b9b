import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { launch, type Connection, type Umpire } from '../../../../deploy/local/launch.mjs';
import { removeHome } from '../../../../deploy/local/servers.mjs';
import { cpuOf, cpuOfTree, memoryOf } from './machine.ts';

/** The client makes stack traces in advance for requests that may fail: not what is measured here. */
const PLAIN = { noAsyncTraces: true };
const IDLE_LOOK_MS = 1_000;
/** Loops that follow the store look every three seconds: what is quiet for four has nothing left. */
const IDLE_LOOKS = 4;
const IDLE_WITHIN_SECONDS = 300;

export type Sql = postgres.Sql;
export const SERVICES = ['intake', 'state-store', 'notifier', 'timeout-scheduler'] as const;

/** CPU time by process name, in ms. */
export type CpuTimes = Record<string, number>;

/** The product as its users run it, with its own servers, which the limits and the peers then use as well. */
export class Product {
  readonly home: string;
  private readonly split: boolean;
  private product!: Umpire;
  private readonly closers: (() => Promise<unknown>)[] = [];
  /** The producer's, as any client makes it. */
  nats!: NatsConnection;
  js!: JetStreamClient;
  /** The operator's, which may do everything. */
  operator!: NatsConnection;
  operatorJs!: JetStreamClient;
  jsm!: JetStreamManager;
  /** The superuser's. */
  sql!: Sql;

  private constructor(home: string, split: boolean) {
    this.home = home;
    this.split = split;
  }

  /** @param env settings of the services, beside those that the launcher makes */
  static async start(options: { split?: boolean; env?: Record<string, string> } = {}): Promise<Product> {
    const product = new Product(await mkdtemp(join(tmpdir(), 'umpire-bench-')), options.split ?? true);
    Object.assign(process.env, options.env ?? {});
    product.product = await launch({ home: product.home, port: 0, split: product.split });
    await product.connect();
    return product;
  }

  private async connect(): Promise<void> {
    const { producer } = this.connection.nats;
    this.nats = await connect({ servers: this.connection.nats_url, user: producer.user, pass: producer.pass, inboxPrefix: producer.inbox_prefix, ...PLAIN });
    this.js = jetstream(this.nats, { timeout: 30_000 });
    this.operator = await this.connectOperator();
    this.operatorJs = jetstream(this.operator, { timeout: 30_000 });
    this.jsm = await jetstreamManager(this.operator);
    this.sql = this.connectPostgres();
    this.closers.push(() => this.nats.close(), () => this.operator.close());
  }

  /** A connection of one's own, closed at the end. */
  connectPostgres(max = 4, url = this.connection.postgres_url): Sql {
    const sql = postgres(url, { max, onnotice: () => undefined });
    this.closers.push(() => sql.end({ timeout: 1 }));
    return sql;
  }

  async connectOperator(): Promise<NatsConnection> {
    const { user, pass } = await this.operatorLogin();
    return connect({ servers: this.connection.nats_url, user, pass, inboxPrefix: '_INBOX.operator', ...PLAIN });
  }

  async operatorLogin(): Promise<{ user: string; pass: string }> {
    return (JSON.parse(await readFile(join(this.home, 'secrets.json'), 'utf8')) as { nats: { operator: { user: string; pass: string } } }).nats.operator;
  }

  /** A fresh database on the same server. @returns its URL, the superuser's */
  async database(name: string): Promise<string> {
    await this.sql.unsafe(`drop database if exists ${name} with (force)`);
    await this.sql.unsafe(`create database ${name}`);
    const url = new URL(this.connection.postgres_url);
    url.pathname = `/${name}`;
    return url.href;
  }

  get connection(): Connection {
    return this.product.connection;
  }

  async pids(): Promise<Record<string, number>> {
    const files = (await readdir(join(this.home, 'run'))).filter((name) => name.endsWith('.pid'));
    const entries = await Promise.all(files.map(async (name): Promise<[string, number]> => [name.slice(0, -4), Number((await readFile(join(this.home, 'run', name), 'utf8')).split('\n')[0])]));
    return Object.fromEntries(entries.filter(([, pid]) => pid > 0));
  }

  /** CPU time so far of every process of the product and of this one. */
  async cpu(): Promise<CpuTimes> {
    const times = Object.entries(await this.pids()).map(([name, pid]): [string, number] => [name, name === 'postgres' ? cpuOfTree(pid) : cpuOf(pid)]);
    return { ...Object.fromEntries(times), bench: cpuOf(process.pid) };
  }

  /**
   * Until all that was published has been read and acked by every durable consumer, and the loops that read what changed are done too: what is
   * measured next, ours or another's, does not have their work in it.
   */
  async atRest(): Promise<void> {
    await until('consumers at rest', async () => {
      for (const stream of ['HITL_REVIEW', 'HITL_EVENTS']) {
        for await (const { num_pending, num_ack_pending } of this.jsm.consumers.list(stream)) if (num_pending + num_ack_pending > 0) return false;
      }
      return true;
    });
    await this.idle();
  }

  /** Until its processes together take less than a tenth of a processor for some seconds; an idle product takes half of that. */
  private async idle(): Promise<void> {
    const work = async () => Object.entries(await this.cpu()).reduce((sum, [name, ms]) => (name === 'bench' ? sum : sum + ms), 0);
    let before = await work();
    let quiet = 0;
    await until('an idle product', async () => {
      await new Promise((resolve) => setTimeout(resolve, IDLE_LOOK_MS));
      const now = await work();
      // Less than before: a process is another one.
      quiet = now >= before && now - before < IDLE_LOOK_MS / 10 ? quiet + 1 : 0;
      before = now;
      return quiet >= IDLE_LOOKS;
    }, IDLE_WITHIN_SECONDS);
  }

  /** Bytes of write-ahead log so far. */
  async wal(): Promise<number> {
    const [row] = await this.sql<[{ bytes: number }]>`select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as bytes`;
    return row.bytes;
  }

  async memory(): Promise<Record<string, number>> {
    return Object.fromEntries(Object.entries(await this.pids()).map(([name, pid]) => [name, memoryOf(pid)]));
  }

  async request(method: string, path: string, key: string, body?: unknown): Promise<{ status: number; text: string }> {
    const response = await fetch(`${this.connection.api_url}${path}`, {
      method, headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  }

  /** Stops and starts all of it on the same home. @returns the seconds that the start took */
  async restart(): Promise<number> {
    await this.disconnect();
    const began = performance.now();
    this.product = await launch({ home: this.home, port: 0, split: this.split });
    const seconds = (performance.now() - began) / 1000;
    await this.connect();
    return seconds;
  }

  private async disconnect(): Promise<void> {
    await Promise.allSettled(this.closers.splice(0).map((close) => close()));
    await this.product.stop();
  }

  async stop(): Promise<void> {
    await this.disconnect();
    removeHome(this.home);
  }
}

/** CPU time between two readings, in µs for each of `items`, as metrics `cpu_<process>`. */
export function cpuEach(before: CpuTimes, after: CpuTimes, items: number): Record<string, number> {
  return Object.fromEntries(Object.keys(after).map((name) => [`cpu_${name}`, ((after[name]! - (before[name] ?? 0)) * 1000) / items]));
}

/** @throws when `holds` is not true within `seconds` */
export async function until(what: string, holds: () => Promise<boolean>, seconds = 120, everyMs = 10): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`${what} did not come within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
