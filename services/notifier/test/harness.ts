import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { contentDigest, decodeUtf8, encodeFrame, encodeUtf8, readJson, subjects, toHex, type Interaction, type SubmitItem, type SubmitReply } from '@umpire/contract';
import { resolveRules } from '@umpire/domain';
import { createLogger, ensureStreams, generateApiKey, keyDigest, newId, Readiness, startHttpApp, type Bus } from '@umpire/runtime';
import { readStateStoreConfig, StateStoreModule } from '@umpire/state-store';
import { testDatabase, testNats, TEST_NAMESPACES, TEST_NATS_PASSWORD, type TestDatabase, type TestNats } from '@umpire/testing';
import { NotifierModule, readNotifierConfig } from '../src/index.ts';

export type App = { origin: string; stop: () => Promise<void> };
/** An HTTP call with a key. `body` is parsed JSON, null where there is none. */
export type Call = (method: string, path: string, body?: unknown) => Promise<{ status: number; body: any }>;

const SECRET_KEY = randomBytes(32).toString('base64');
const logger = createLogger('test', process.env['TEST_LOG'] ?? 'silent');

/** Real Postgres and NATS, with a real state store for keys and content, and as many notifiers as a test starts. */
export class Harness {
  readonly database: TestDatabase;
  readonly nats: TestNats;
  private store: App;
  private readonly storeBus: Bus;
  private readonly intake: Bus;
  private readonly apps: App[] = [];
  private submissions = 0;

  private constructor(parts: { database: TestDatabase; nats: TestNats; store: App; storeBus: Bus; intake: Bus }) {
    this.database = parts.database;
    this.nats = parts.nats;
    this.store = parts.store;
    this.storeBus = parts.storeBus;
    this.intake = parts.intake;
  }

  static async start(): Promise<Harness> {
    const [database, nats] = await Promise.all([testDatabase(), testNats()]);
    const storeBus = await nats.bus('state-store');
    await ensureStreams(storeBus);
    return new Harness({ database, nats, store: await stateStore(database, nats), storeBus, intake: await nats.bus('intake') });
  }

  stopStore(): Promise<void> {
    return this.store.stop();
  }

  async startStore(env: Record<string, string> = {}): Promise<void> {
    this.store = await stateStore(this.database, this.nats, env);
  }

  /** Another one after a restart. */
  get storeOrigin(): string {
    return this.store.origin;
  }

  /** @param env variables beside those that reach the test's servers; short times unless given */
  async notifier(env: Record<string, string> = {}): Promise<App> {
    const config = readNotifierConfig(this.notifierEnvironment(env));
    const app = await listen((readiness) => NotifierModule.register(config, { logger, readiness }));
    this.apps.push(app);
    return app;
  }

  notifierEnvironment(more: Record<string, string>): Record<string, string> {
    return {
      ...environment(this.database, this.nats), UMPIRE_NATS_USER: 'notifier', UMPIRE_SECRET_KEY: SECRET_KEY, UMPIRE_WEBHOOK_ALLOW_PRIVATE: 'loopback', UMPIRE_WEBHOOK_POLL_MS: '250',
      UMPIRE_WEBHOOK_RETRY_SECONDS: '0.05,0.05,0.05', ...more,
    };
  }

  async key(roles: string[], namespace = 'default', userId: string | null = null): Promise<string> {
    const key = generateApiKey();
    await this.database.sql`
      insert into identity.keys (id, namespace, name, digest, roles, user_id) values (${newId()}, ${namespace}, 'test', decode(${keyDigest(key)}, 'hex'), ${roles}, ${userId})`;
    return key;
  }

  async caller(origin: string, roles: string[] = ['admin'], namespace = 'default', userId: string | null = null): Promise<Call> {
    return this.callWith(origin, await this.key(roles, namespace, userId));
  }

  callWith(origin: string | (() => string), key: string): Call {
    return async (method, path, body) => {
      const headers = { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
      const response = await fetch(`${typeof origin === 'string' ? origin : origin()}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      const text = await response.text();
      return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
    };
  }

  /** Publishes an event as the state store does. @returns its id */
  async publish(more: { type?: string; namespace?: string; requestId?: string; seq?: number; escalation?: string; data?: Record<string, unknown>; id?: string } = {}): Promise<string> {
    const id = more.id ?? newId();
    const type = more.type ?? 'opened';
    const namespace = more.namespace ?? 'default';
    const requestId = more.requestId ?? `hitl-${id}`;
    const data = JSON.stringify({ clocks: [], ...more.data });
    const escalation = more.escalation ?? (type === 'opened' ? `{"request_id":${JSON.stringify(requestId)},"alignment_score":30.0}` : undefined);
    const head = JSON.stringify({ id, schema_version: '1.0', type, namespace, request_id: requestId, seq: more.seq ?? 1, reason: 'hard_disagreement', occurred_at: new Date().toISOString() });
    const text = `${head.slice(0, -1)},"data":${escalation === undefined ? data : `${data.slice(0, -1)},"escalation":${escalation}}`}}`;
    await this.storeBus.publish(subjects.event(namespace, type, 'hard_disagreement'), text);
    return id;
  }

  /** Submits a real escalation to the state store, as intake does. */
  async submit(requestId: string, options: { payload?: string; interaction?: Interaction; namespace?: string; kind?: 'escalation' | 'interaction' } = {}): Promise<void> {
    const kind = options.kind ?? 'escalation';
    const payload = options.payload ?? JSON.stringify({ request_id: requestId, summary: 'two agents disagree' });
    const resolved = resolveRules(options.interaction, { kind, reason: 'hard_disagreement' });
    if (!resolved.ok) throw new Error(JSON.stringify(resolved.errors));
    const item: SubmitItem = {
      type: kind, namespace: options.namespace ?? 'default', request_id: requestId, reason: 'hard_disagreement', submission: `HITL_REVIEW:${(this.submissions += 1)}@0`,
      content_digest: toHex(contentDigest(readJson(payload), undefined, { hitlRequest: kind === 'escalation' })), rules: resolved.rules, policy: null, task_id: null,
      summary: 'two agents disagree', pipeline_name: kind === 'interaction' ? 'loans' : null, step_name: kind === 'interaction' ? 'check' : null,
    };
    const reply = await this.intake.request(subjects.submit('hard_disagreement'), encodeFrame({ items: [item] }, [encodeUtf8(payload)]), 10_000);
    const [verdict] = (JSON.parse(decodeUtf8(reply)) as SubmitReply).verdicts;
    if (verdict?.status !== 'stored') throw new Error(JSON.stringify(verdict));
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.apps.map((app) => app.stop()));
    await this.store.stop();
    await this.nats.stop();
    await this.database.drop();
  }
}

function environment(database: TestDatabase, nats: TestNats): Record<string, string> {
  return { UMPIRE_POSTGRES_URL: database.url, UMPIRE_NATS_URL: nats.url, UMPIRE_NATS_PASSWORD: TEST_NATS_PASSWORD, UMPIRE_NAMESPACES: JSON.stringify(TEST_NAMESPACES), UMPIRE_POSTGRES_POOL: '6' };
}

function stateStore(database: TestDatabase, nats: TestNats, env: Record<string, string> = {}): Promise<App> {
  const config = readStateStoreConfig({ ...environment(database, nats), ...env, UMPIRE_NATS_USER: 'state-store' });
  return listen((readiness) => StateStoreModule.register(config, { logger, readiness }));
}

async function listen(register: (readiness: Readiness) => Parameters<typeof startHttpApp>[0]): Promise<App> {
  const readiness = new Readiness();
  const app = await startHttpApp(register(readiness), { host: '127.0.0.1', port: 0, logger, readiness, probesOnOrigin: true });
  let stopped: Promise<void> | undefined;
  return { origin: `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`, stop: () => (stopped ??= app.close()) };
}
