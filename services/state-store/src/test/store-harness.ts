import { contentDigest, decodeUtf8, encodeFrame, encodeUtf8, readJson, subjects, toHex, type Interaction, type Reason, type SubmitItem, type SubmitReply, type Verdict } from '@umpire/contract';
import { resolveRules } from '@umpire/domain';
import { createLogger, generateApiKey, keyDigest, newId, Readiness, startHttpApp, type Bus } from '@umpire/runtime';
import { testDatabase, testNats, testRedis, TEST_NAMESPACES, TEST_NATS_PASSWORD, type TestDatabase, type TestNats, type TestRedis } from '@umpire/testing';
import type { AddressInfo } from 'node:net';
import { insertKey } from '../keys.queries.ts';
import { StateStoreModule } from '../state-store.module.ts';
import { readStateStoreConfig } from '../state-store.config.ts';

export type Harness = {
  database: TestDatabase;
  nats: TestNats;
  redis: TestRedis;
  intake: Bus;
  scheduler: Bus;
  /** Starts one more store on the same servers. @param settings further environment variables @returns its origin */
  startStore(env?: Record<string, string>): Promise<{ origin: string; stop(): Promise<void> }>;
  key(roles: string[], userId?: string, namespace?: string): Promise<string>;
  group(name: string, members: string[], namespace?: string): Promise<void>;
  submit(items: Submitted[], reason?: Reason): Promise<Verdict[]>;
  stop(): Promise<void>;
};

export type Submitted = { item: SubmitItem; body: Uint8Array };

/** Base64 of 32 bytes: under which the test stores keep their signing keys. */
export const TEST_AUDIT_KEY = Buffer.alloc(32, 7).toString('base64');

/** Real Postgres, NATS and Redis with one or more stores on them. */
export async function startHarness(): Promise<Harness> {
  const [database, nats, redis] = await Promise.all([testDatabase(), testNats(), testRedis()]);
  const intake = await nats.bus('intake');
  const scheduler = await nats.bus('timeout-scheduler');
  const stores: { stop(): Promise<void> }[] = [];
  return {
    database, nats, redis, intake, scheduler,
    async startStore(env = {}) {
      const config = readStateStoreConfig({
        UMPIRE_POSTGRES_URL: database.url, UMPIRE_NATS_URL: nats.url, UMPIRE_NATS_USER: 'state-store', UMPIRE_NATS_PASSWORD: TEST_NATS_PASSWORD,
        UMPIRE_REDIS_URL: redis.url, UMPIRE_NAMESPACES: JSON.stringify(TEST_NAMESPACES), UMPIRE_PORT: '0', UMPIRE_AUDIT_SECRET_KEY: TEST_AUDIT_KEY, ...env,
      });
      const logger = createLogger('state-store', process.env['TEST_LOG'] ?? 'silent');
      const readiness = new Readiness();
      const app = await startHttpApp(StateStoreModule.register(config, { logger, readiness }), { host: '127.0.0.1', port: 0, logger, readiness, probesOnOrigin: true });
      const { port } = app.getHttpServer().address() as AddressInfo;
      const store = { origin: `http://127.0.0.1:${port}`, stop: () => app.close() };
      stores.push(store);
      return store;
    },
    async key(roles, userId, namespace = 'default') {
      const key = generateApiKey();
      await insertKey(database.sql, { id: newId(), namespace, name: 'test', digest: keyDigest(key), roles, user_id: userId ?? null });
      return key;
    },
    async group(name, members, namespace = 'default') {
      await database.sql`insert into identity.groups (namespace, name) values (${namespace}, ${name})`;
      await database.sql`insert into identity.group_members (namespace, group_name, user_id) select ${namespace}, ${name}, member from unnest(${members}::text[]) as member`;
    },
    async submit(items, reason = 'hard_disagreement') {
      const frame = encodeFrame({ items: items.map(({ item }) => item) }, items.map(({ body }) => body));
      return (JSON.parse(decodeUtf8(await intake.request(subjects.submit(reason), frame, 10_000))) as SubmitReply).verdicts;
    },
    async stop() {
      await Promise.all(stores.map((store) => store.stop()));
      await Promise.all([nats.stop(), redis.stop()]);
      await database.drop();
    },
  };
}

let sequence = 0;

/** A submission as intake makes it, of a small payload. */
export function submission(requestId: string, options: { interaction?: Interaction; payload?: string; namespace?: string; submission?: string; kind?: 'escalation' | 'interaction'; task_id?: string; summary?: string } = {}): Submitted {
  const kind = options.kind ?? 'escalation';
  const payload = options.payload ?? JSON.stringify({ request_id: requestId, summary: 'two agents disagree' });
  const resolved = resolveRules(options.interaction, { kind, reason: 'hard_disagreement' });
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.errors));
  return {
    body: encodeUtf8(payload),
    item: {
      type: kind,
      namespace: options.namespace ?? 'default',
      request_id: requestId,
      reason: 'hard_disagreement',
      submission: options.submission ?? `HITL_REVIEW:${(sequence += 1)}`,
      content_digest: toHex(contentDigest(readJson(payload), undefined, { hitlRequest: kind === 'escalation' })),
      rules: resolved.rules,
      policy: null,
      task_id: options.task_id ?? null,
      summary: options.summary ?? 'two agents disagree',
      pipeline_name: kind === 'interaction' ? 'loans' : null,
      step_name: kind === 'interaction' ? 'check' : null,
    },
  };
}

export function cancellation(requestId: string, namespace = 'default'): Submitted {
  return { body: new Uint8Array(), item: { type: 'cancel', namespace, request_id: requestId, reason: 'hard_disagreement', submission: `HITL_REVIEW:${(sequence += 1)}`, detail: 'not needed any more' } };
}
