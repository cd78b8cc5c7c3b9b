import { jetstream, JetStreamApiError, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import type { DynamicModule } from '@nestjs/common';
import { HEADERS, STREAMS, type DeadLetter } from '@umpire/contract';
import { createLogger, generateApiKey, keyDigest, newId, Readiness, startHttpApp, type ServiceContext } from '@umpire/runtime';
import { readStateStoreConfig, StateStoreModule } from '@umpire/state-store';
import { eventually, TEST_NAMESPACES, TEST_NATS_PASSWORD, testDatabase, testNats, type TestDatabase, type TestNats } from '@umpire/testing';
import type { AddressInfo } from 'node:net';
import type { Answer } from '../src/answer.ts';
import { IntakeModule } from '../src/intake.module.ts';
import { readIntakeConfig } from '../src/intake.config.ts';

export type Running = { origin: string; stop(): Promise<void> };
type Register = (context: ServiceContext) => DynamicModule;
export type Reply = { status: number; headers: Headers; body: Record<string, unknown> };

/** Real NATS with its permissions, real Postgres, the real state store, and intakes before it. */
export class Stack {
  readonly nats: TestNats;
  readonly database: TestDatabase;
  readonly jsm: JetStreamManager;
  private readonly running = new Set<Running>();

  private constructor(nats: TestNats, database: TestDatabase, jsm: JetStreamManager) {
    this.nats = nats;
    this.database = database;
    this.jsm = jsm;
  }

  static async start(): Promise<Stack> {
    const [nats, database] = await Promise.all([testNats(), testDatabase()]);
    return new Stack(nats, database, await jetstreamManager(await nats.operator()));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.running].map((service) => service.stop()));
    await this.nats.stop();
    await this.database.drop();
  }

  /** A store that is ready. */
  startStore(settings: Record<string, string> = {}): Promise<Running> {
    const config = readStateStoreConfig({ ...this.environment('state-store'), ...settings });
    return this.runUntilReady('state-store', (context) => StateStoreModule.register(config, context));
  }

  /** An intake that is ready: it has read its policies. */
  startIntake(settings: Record<string, string> = {}): Promise<Running> {
    return this.runUntilReady('intake', this.intake(settings));
  }

  /** An intake that listens, and need not be ready. */
  async startUnreadyIntake(): Promise<Running> {
    return (await this.run('intake', this.intake({}))).service;
  }

  async key(roles: string[], namespace = 'default', user: string | null = null): Promise<string> {
    const key = generateApiKey();
    await this.database.sql`insert into identity.keys (id, namespace, name, digest, roles, user_id)
      values (${newId()}, ${namespace}, 'test', decode(${keyDigest(key)}, 'hex'), ${roles}, ${user})`;
    return key;
  }

  /** What the store holds under an id. */
  async stored(requestId: string, namespace = 'default'): Promise<{ status: string; body: Buffer; seq: number } | undefined> {
    const [row] = await this.database.sql<{ status: string; body: Buffer; seq: number }[]>`
      select e.status, p.body, e.seq from store.escalations e join store.payloads p using (namespace, request_id)
      where e.namespace = ${namespace} and e.request_id = ${requestId}`;
    return row;
  }

  /** Keeps the store from storing anything, while it still knows its keys. @returns what lets it go on */
  holdStore(): Promise<() => Promise<void>> {
    return this.hold('store.escalations');
  }

  /** Keeps everybody from reading a table. @returns what lets them go on */
  async hold(table: string): Promise<() => Promise<void>> {
    const connection = await this.database.sql.reserve();
    await connection`begin`;
    await connection.unsafe(`lock table ${table} in access exclusive mode`);
    return async () => {
      await connection`rollback`;
      connection.release();
    };
  }

  /** Every dead letter that there is, oldest first. */
  async deadLetters(): Promise<(DeadLetter & { on: string })[]> {
    const { state } = await this.jsm.streams.info(STREAMS.rejected.name);
    const letters: (DeadLetter & { on: string })[] = [];
    for (let seq = state.first_seq; seq <= state.last_seq && state.messages > 0; seq++) {
      const message = await this.jsm.streams.getMessage(STREAMS.rejected.name, { seq });
      if (message) letters.push({ ...message.json<DeadLetter>(), on: message.subject });
    }
    return letters;
  }

  /** How many messages lie in the review stream; 0 also while there is none. */
  async queued(): Promise<number> {
    try {
      return (await this.jsm.streams.info(STREAMS.review.name)).state.messages;
    } catch (error) {
      if (error instanceof JetStreamApiError) return 0;
      throw error;
    }
  }

  private environment(service: string): Record<string, string> {
    return { UMPIRE_POSTGRES_URL: this.database.url, UMPIRE_NATS_URL: this.nats.url, UMPIRE_NATS_USER: service, UMPIRE_NATS_PASSWORD: TEST_NATS_PASSWORD, UMPIRE_NAMESPACES: JSON.stringify(TEST_NAMESPACES) };
  }

  private intake(settings: Record<string, string>): Register {
    const config = readIntakeConfig({ ...this.environment('intake'), ...settings });
    return (context) => IntakeModule.register(config, context);
  }

  /** Like whoever puts it into traffic: what comes before a service is ready may be told to come again. */
  private async runUntilReady(name: string, register: Register): Promise<Running> {
    const { service, readiness } = await this.run(name, register);
    await eventually(`${name} is ready`, async () => {
      const { ready, checks } = await readiness.run();
      if (!ready) throw new Error(JSON.stringify(checks));
      return true;
    });
    return service;
  }

  private async run(name: string, register: Register): Promise<{ service: Running; readiness: Readiness }> {
    const logger = createLogger(name, process.env['TEST_LOG'] ?? 'silent');
    const readiness = new Readiness();
    const app = await startHttpApp(register({ logger, readiness }), { host: '127.0.0.1', port: 0, logger, readiness, probesOnOrigin: true });
    const { port } = app.getHttpServer().address() as AddressInfo;
    const service: Running = {
      origin: `http://127.0.0.1:${port}`,
      stop: async () => {
        if (this.running.delete(service)) await app.close();
      },
    };
    this.running.add(service);
    return { service, readiness };
  }
}

/** A producer as one is outside: publishes and hears its answers. */
export class Producer {
  private readonly connection: NatsConnection;
  private readonly namespace: string;
  private count = 0;

  constructor(connection: NatsConnection, namespace = 'default') {
    this.connection = connection;
    this.namespace = namespace;
  }

  publish(tail: string, body: Uint8Array, replyTo?: string): Promise<unknown> {
    const head = headers();
    if (replyTo) head.set(HEADERS.replyTo, replyTo);
    return jetstream(this.connection).publish(`hitl.${this.namespace}.${tail}`, body, { headers: head });
  }

  /** An inbox of this producer's, and the answers that arrive there. */
  listen(): { subject: string; next(): Promise<Answer> } {
    this.count += 1;
    const subject = `_INBOX.ns.${this.namespace}.test.${this.count}`;
    const messages = this.connection.subscribe(subject)[Symbol.asyncIterator]();
    return { subject, next: async () => ((await messages.next()).value as Msg).json<Answer>() };
  }

  /** Publishes and waits for intake's answer. */
  async ask(tail: string, body: Uint8Array): Promise<Answer> {
    const answers = this.listen();
    await this.publish(tail, body, answers.subject);
    return answers.next();
  }
}

export async function post(origin: string, key: string, body: Uint8Array | string, more: Record<string, string> = {}): Promise<Reply> {
  const response = await fetch(`${origin}/api/escalations`, {
    method: 'POST', body, headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...more },
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
}
