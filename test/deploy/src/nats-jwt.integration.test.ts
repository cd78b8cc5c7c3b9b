import { createAccount, createOperator, createUser, encodeAccount, encodeActivation, encodeOperator, encodeUser, fmtCreds, type Account, type KeyPair, type User } from '@nats-io/jwt';
import { jetstream } from '@nats-io/jetstream';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { durableConsumers, inboxPrefix, SERVICES, type Permissions, type ServiceName, type TopologyNames } from '@umpire/contract';
import { EXIT, run } from '@umpire/cli';
import { permissionsDocument } from '@umpire/operations';
import { Bus, createLogger, DurableConsumer, TopologyKeeper } from '@umpire/runtime';
import { eventually } from '@umpire/testing';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServers } from '../../../deploy/local/servers.mjs';

const NAMESPACES = { default: ['main'] };
/** Streams under a prefix, in a JetStream domain; services only look at them. */
const NAMES: TopologyNames = { streamPrefix: 'ACME_', domain: 'hub', topology: 'check' };
const UNLIMITED = { subs: -1, conn: -1, leaf: -1, imports: -1, exports: -1, data: -1, payload: -1, wildcards: true };
const JETSTREAM = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
const logger = createLogger('test', 'silent');

let folder: string;
let servers: Awaited<ReturnType<typeof startServers>>;
const opened: { close(): Promise<void> }[] = [];
const credsOf = (name: string) => join(folder, `${name}.creds`);

/** A server in operator mode: whoever makes accounts and users signs JWTs, from what `umpire topology accounts --permissions` says. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'umpire-jwt-'));
  const [operator, system, services, producers] = [createOperator(), createAccount(), createAccount(), createAccount()];
  const document = permissionsDocument(NAMESPACES, NAMES);
  const shared = document.accounts['default']!;
  const named = (kind: string, subject: string) => `${kind} ${subject}`;
  const exported = shared.exports.map(({ kind, subject, response_type }) => ({ name: named(kind, subject), subject, type: kind, token_req: true, ...(response_type ? { response_type: 'Stream' as const } : {}) }));
  const imported = await Promise.all(shared.imports.map(async ({ kind, subject, to = subject }) => ({
    // Of a service `subject` is what the importer asks and `to` what the exporter hears; of a stream `to` is a prefix.
    name: named(kind, subject), subject, account: services.getPublicKey(), type: kind, ...(kind === 'service' ? { local_subject: to } : {}),
    token: await encodeActivation(named(kind, subject), producers, services, kind, { subject }),
  })));
  const account = (name: string, pair: KeyPair, more: Partial<Account>) => encodeAccount(name, pair, { ...more, limits: { ...UNLIMITED, ...more.limits } }, { signer: operator });
  const jwts = {
    [system.getPublicKey()]: await account('SYS', system, {}),
    [services.getPublicKey()]: await account('UMPIRE', services, { limits: JETSTREAM, exports: exported }),
    [producers.getPublicKey()]: await account('ns-default', producers, { imports: imported }),
  };
  const user = async (name: string, of: KeyPair, permissions?: Permissions) => {
    const pair = createUser();
    const limits: Partial<User> = permissions ? { pub: { allow: permissions.publish }, sub: { allow: permissions.subscribe } } : {};
    writeFileSync(credsOf(name), fmtCreds(await encodeUser(name, pair, of, limits), pair), { mode: 0o600 });
  };
  for (const service of SERVICES) await user(service, services, document.services[service]);
  await user('operator', services);
  await user('producer', producers, document.producers['default']!);
  const natsAuth = `operator: ${await encodeOperator('acme', operator, { system_account: system.getPublicKey() })}
system_account: ${system.getPublicKey()}
resolver: MEMORY
resolver_preload: {\n${Object.entries(jwts).map(([key, jwt]) => `  ${key}: ${jwt}`).join('\n')}\n}
jetstream { store_dir: ${JSON.stringify(join(folder, 'jetstream'))}, domain: hub }`;
  servers = await startServers({ home: join(folder, 'home'), only: ['nats'], quiet: true, natsAuth });
});
afterAll(async () => {
  await Promise.allSettled(opened.map((one) => one.close()));
  await servers?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function bus(service: ServiceName): Promise<Bus> {
  const made = await Bus.connect({ url: servers.nats.url, creds: credsOf(service), service, logger, domain: 'hub', streamPrefix: 'ACME_', topology: 'check' });
  opened.push(made.connection);
  return made;
}

async function producer(): Promise<NatsConnection> {
  const connection = await connect({ servers: servers.nats.url, authenticator: credsAuthenticator(readFileSync(credsOf('producer'))), inboxPrefix: inboxPrefix.namespace('default') });
  opened.push(connection);
  return connection;
}

async function umpire(argv: string[], creds: string): Promise<{ exit: number; out: string; err: string }> {
  const ran = { exit: -1, out: '', err: '' };
  const env = { UMPIRE_NATS_URL: servers.nats.url, UMPIRE_NATS_CREDS: creds, UMPIRE_NATS_DOMAIN: 'hub', UMPIRE_NATS_STREAM_PREFIX: 'ACME_', UMPIRE_NAMESPACES: JSON.stringify(NAMESPACES) };
  ran.exit = await run(argv, { env, folder, readFile: (path) => readFile(path, 'utf8'), readInput: () => Promise.resolve(''), out: (line) => { ran.out += `${line}\n`; }, err: (line) => { ran.err += `${line}\n`; } });
  return ran;
}

describe('a NATS in operator mode, everybody by a creds file, streams under a prefix in a domain', () => {
  it('is given its streams by the operator\'s command', async () => {
    expect((await umpire(['topology', 'plan'], credsOf('operator'))).exit).toBe(EXIT.differs);
    expect(await umpire(['topology', 'apply'], credsOf('operator'))).toMatchObject({ exit: EXIT.ok, err: '' });
    expect(await umpire(['topology', 'check'], credsOf('operator'))).toMatchObject({ exit: EXIT.ok, out: expect.stringContaining('ACME_HITL_REVIEW: 1 copy') });
    // Of another account, where no JetStream is.
    expect((await umpire(['topology', 'plan'], credsOf('producer'))).exit).not.toBe(EXIT.ok);
    expect(await umpire(['topology', 'plan'], join(folder, 'nobody.creds'))).toMatchObject({ exit: EXIT.refused, err: expect.stringContaining('nobody.creds') });
  });

  it('is right for every service, with the right to look alone', async () => {
    for (const service of SERVICES) {
      const keeper = new TopologyKeeper(await bus(service), NAMESPACES, logger);
      await expect(keeper.start()).resolves.toBeUndefined();
      await keeper.stop();
    }
  });

  it('carries a producer\'s message to intake and an outcome back, across the accounts', async () => {
    const asked = await producer();
    const ack = (await asked.request('hitl.default.review.custom_rule', '{"n":1}', { timeout: 5_000 })).json<{ stream: string; domain: string }>();
    expect(ack).toMatchObject({ stream: 'ACME_HITL_REVIEW', domain: 'hub' });
    const read: string[] = [];
    const consumer = new DurableConsumer({ bus: await bus('intake'), spec: durableConsumers(NAMESPACES).find(({ name }) => name === 'intake-default-custom_rule')!, logger, maxItems: 10, maxBytes: 100_000,
      handle: async (messages) => {
        for (const message of messages) {
          read.push(message.string());
          expect(await message.ackAck()).toBe(true);
        }
      } });
    consumer.start();
    await eventually('intake to read it', () => read.length > 0, 30_000);
    await consumer.stop();
    await (await bus('state-store')).js.publish('hitl.default.outcome.custom_rule', '{"verdict":"approve"}');
    const outcomes = await jetstream(asked, { domain: 'hub' }).consumers.get('ACME_HITL_OUTCOMES', 'outcomes_default_main');
    const message = (await outcomes.next({ expires: 10_000 }))!;
    const pulled = message.string();
    expect(await message.ackAck()).toBe(true);
    expect([read, pulled]).toEqual([['{"n":1}'], '{"verdict":"approve"}']);
  });
});
