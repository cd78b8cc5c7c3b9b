import { SERVICES, renderNatsAccounts, type NatsPassword, type ServiceName, type TopologyNames } from '@umpire/contract';
import { eventually } from '@umpire/testing';
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { findServers } from '../../../deploy/local/find-servers.mjs';
import { startServers } from '../../../deploy/local/servers.mjs';
import { Steps } from '../../../deploy/local/steps.mjs';
import { isUnpacked, unpackedFolder, unpackOwn } from '../../../deploy/local/unpack.mjs';

const certificate = (name: string) => fileURLToPath(new URL(`certificates/${name}.pem`, import.meta.url));
export const PASSWORD = 'only-for-tests';
/** An unprivileged user: PgBouncer, like the image, does not run as root. */
export const NOBODY = { uid: 65_534, gid: 65_534 };
export const ROLE: Record<ServiceName, string> = { intake: 'umpire_intake', 'state-store': 'umpire_state_store', notifier: 'umpire_notifier', 'timeout-scheduler': 'umpire_scheduler' };

export type ForeignServers = {
  folder: string;
  /** PEM file of the authority behind every server's certificate. */
  authority: string;
  natsUrl: string;
  /** The owner's, straight to Postgres. */
  ownerUrl: string;
  /** A role's, through PgBouncer in transaction mode. */
  pooledUrl: (service: ServiceName) => string;
  redisUrl: string;
  redisPrefix: string;
  stop: () => Promise<void>;
};

/** Servers as somebody else runs them: everything over TLS, NATS with streams under a prefix, Postgres behind PgBouncer, Redis with an ACL user. */
export async function startForeignServers(names: TopologyNames): Promise<ForeignServers> {
  const folder = mkdtempSync(join(tmpdir(), 'umpire-foreign-'));
  chmodSync(folder, 0o755);
  for (const name of ['ca', 'server', 'server-key']) copyFileSync(certificate(name), join(folder, `${name}.pem`));
  if (process.getuid?.() === 0) chownSync(join(folder, 'server-key.pem'), NOBODY.uid, NOBODY.gid);
  chmodSync(join(folder, 'server-key.pem'), 0o600);
  const home = join(folder, 'home');
  const servers = await startServers({ home, only: ['nats', 'postgres'], quiet: true, natsAuth: natsConfig(names, folder) });
  const children: ChildProcess[] = [];
  await withTls(servers.postgres.url);
  const bouncer = await startPgBouncer(folder, servers.postgres.port, children);
  const redis = await startRedis(folder, children);
  const local = (url: string, port: number) => Object.assign(new URL(url), { hostname: 'localhost', port: String(port) }).href;
  return {
    folder, authority: join(folder, 'ca.pem'), natsUrl: `tls://localhost:${servers.nats.port}`,
    ownerUrl: local(servers.postgres.url, servers.postgres.port),
    pooledUrl: (service) => `postgres://${ROLE[service]}:${PASSWORD}@localhost:${bouncer}/umpire`,
    redisUrl: `rediss://umpire:${PASSWORD}@localhost:${redis}/0`, redisPrefix: 'acme:',
    stop: async () => {
      await Promise.all(children.map((child) => new Promise((done) => {
        if (child.exitCode !== null) return done(null);
        child.once('exit', done);
        child.kill('SIGKILL');
      })));
      await servers.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function natsConfig(names: TopologyNames, folder: string): string {
  const user = (name: string): { user: string; pass: NatsPassword } => ({ user: name, pass: PASSWORD });
  const services = Object.fromEntries(SERVICES.map((service) => [service, user(service)])) as Record<ServiceName, { user: string; pass: NatsPassword }>;
  const accounts = renderNatsAccounts({ services, operator: user('operator'), producers: [{ ...user('producer-default'), namespace: 'default', outcomeConsumers: ['main'] }] }, names);
  return `${accounts}\ntls { cert_file: ${JSON.stringify(join(folder, 'server.pem'))}, key_file: ${JSON.stringify(join(folder, 'server-key.pem'))} }`;
}

/** Has a running Postgres speak TLS, and nothing else over the network. */
async function withTls(url: string): Promise<void> {
  const sql = postgres(url, { max: 1 });
  const [row] = await sql<{ data_directory: string }[]>`show data_directory`;
  const data = row!.data_directory;
  const owner = statSync(data);
  for (const [from, to] of [['server', 'server.crt'], ['server-key', 'server.key']] as const) {
    copyFileSync(certificate(from), join(data, to));
    chownSync(join(data, to), owner.uid, owner.gid);
    chmodSync(join(data, to), 0o600);
  }
  writeFileSync(join(data, 'pg_hba.conf'), 'hostssl all all all scram-sha-256\n');
  await sql`alter system set ssl = on`;
  await sql`select pg_reload_conf()`;
  await sql.end();
}

async function startPgBouncer(folder: string, postgresPort: number, children: ChildProcess[]): Promise<number> {
  const unpacked = isUnpacked('pgbouncer') ? unpackedFolder('pgbouncer') : await unpackOwn('pgbouncer', () => 'pgbouncer', /^(postgresql-common|postgresql-client-common|perl|ssl-cert|openssl|lsb-)/);
  const program = ['usr/sbin/pgbouncer', 'usr/bin/pgbouncer'].map((path) => join(unpacked, path)).find(existsSync)!;
  const libraries = ['usr/lib', 'lib'].flatMap((base) => (existsSync(join(unpacked, base)) ? readdirSync(join(unpacked, base)).filter((name) => name.includes('-linux-gnu')).map((name) => join(unpacked, base, name)) : []));
  const [port, own] = [await freePort(), join(folder, 'pgbouncer')];
  mkdirSync(own);
  chmodSync(own, 0o755);
  writeFileSync(join(own, 'users.txt'), Object.values(ROLE).map((role) => `"${role}" "${PASSWORD}"\n`).join(''), { mode: 0o644 });
  writeFileSync(join(own, 'pgbouncer.ini'), `[databases]
umpire = host=127.0.0.1 port=${postgresPort} dbname=umpire
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
pool_mode = transaction
auth_type = scram-sha-256
auth_file = ${join(own, 'users.txt')}
default_pool_size = 8
max_client_conn = 200
client_tls_sslmode = require
client_tls_cert_file = ${join(folder, 'server.pem')}
client_tls_key_file = ${join(folder, 'server-key.pem')}
server_tls_sslmode = verify-full
server_tls_ca_file = ${join(folder, 'ca.pem')}
`, { mode: 0o644 });
  // A copy where nobody can read it: the tools' folder may lie below a private one.
  const copied = join(own, 'program');
  copyFileSync(program, copied);
  chmodSync(copied, 0o755);
  const copiedLibraries = libraries.map((library, index) => {
    const to = join(own, `lib${index}`);
    mkdirSync(to);
    for (const name of readdirSync(library)) if (name.includes('.so')) copyFileSync(join(library, name), join(to, name));
    return to;
  });
  children.push(spawn(copied, [join(own, 'pgbouncer.ini')], { stdio: 'ignore', env: { ...process.env, LD_LIBRARY_PATH: copiedLibraries.join(delimiter) }, ...(process.getuid?.() === 0 ? NOBODY : {}) }));
  await eventually('PgBouncer to listen', () => listens(port), 30_000);
  return port;
}

/** The ACL of deploy/README.md: one user, its own keys, the commands that are used. */
export const REDIS_ACL = '~acme:* resetchannels -@all +mget +set +del +eval +evalsha +script|load +time +hmget +hset +pexpire +ping +info';

async function startRedis(folder: string, children: ChildProcess[]): Promise<number> {
  const { redis } = await findServers(new Steps({ quiet: true }), { external: { nats: true, postgres: true } });
  const [port, file] = [await freePort(), join(folder, 'redis.conf')];
  writeFileSync(file, `port 0
tls-port ${port}
bind 127.0.0.1
tls-cert-file ${join(folder, 'server.pem')}
tls-key-file ${join(folder, 'server-key.pem')}
tls-ca-cert-file ${join(folder, 'ca.pem')}
tls-auth-clients no
save ""
user default off
user umpire on >${PASSWORD} ${REDIS_ACL}
`);
  children.push(spawn(redis!.command, [file], { stdio: 'ignore', env: { ...process.env, ...redis!.env } }));
  await eventually('Redis to listen', () => listens(port), 30_000);
  return port;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connectTcp({ host: '127.0.0.1', port }, () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}
