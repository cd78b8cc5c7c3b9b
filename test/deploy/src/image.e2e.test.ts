import { SERVICES, type ServiceName, type TopologyNames } from '@umpire/contract';
import { connectPostgres, createLogger, transaction, withDeadline } from '@umpire/runtime';
import { eventually } from '@umpire/testing';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { Redis } from 'ioredis';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, NOBODY, PASSWORD, startForeignServers, type ForeignServers } from './foreign-servers.ts';
import { root } from './kustomize.ts';

const run = promisify(execFile);
/** Streams under a prefix, made by the operator; services may only look. */
const NAMES: TopologyNames = { streamPrefix: 'ACME_', topology: 'check' };
const asNobody = process.getuid?.() === 0 ? NOBODY : {};

let servers: ForeignServers;
let image: string;
let shared: Record<string, string>;
const ports = {} as Record<ServiceName, { http: number; internal: number }>;
const started = new Map<ServiceName, ChildProcess>();
/** What the services wrote. */
let written = '';

beforeAll(async () => {
  image = join(mkdtempSync(join(tmpdir(), 'umpire-image-')), 'app');
  chmodSync(join(image, '..'), 0o755);
  // The steps of the Dockerfile, in a folder.
  await run(process.execPath, [join(root, 'deploy/image/build.mjs'), '--out', image], { cwd: root, maxBuffer: 16 * 1024 * 1024 });
  await run('chmod', ['-R', 'a-w', image]);
  servers = await startForeignServers(NAMES);
  shared = {
    PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', UMPIRE_NATS_URL: servers.natsUrl, UMPIRE_NATS_TLS_CA: servers.authority, UMPIRE_NATS_STREAM_PREFIX: 'ACME_', UMPIRE_TOPOLOGY: 'check',
    UMPIRE_POSTGRES_TLS_CA: servers.authority, UMPIRE_NAMESPACES: '{"default":["main"]}', UMPIRE_LOG_LEVEL: 'warn',
  };
}, 300_000);
afterAll(async () => {
  await Promise.all([...started.values()].map((child) => new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done(null);
    child.once('exit', done);
    child.kill('SIGKILL');
  })));
  await servers?.stop();
  await run('chmod', ['-R', 'u+w', image]);
  rmSync(join(image, '..'), { recursive: true, force: true });
}, 60_000);

const entry = (...args: string[]) => [join(image, 'entry.mjs'), ...args];

async function umpire(args: string[], env: Record<string, string>): Promise<string> {
  const { stdout } = await run(process.execPath, entry('umpire', ...args), { cwd: '/', env: { ...shared, ...env }, ...asNobody });
  return stdout;
}

async function start(service: ServiceName): Promise<void> {
  ports[service] = { http: await freePort(), internal: await freePort() };
  const own = `UMPIRE_${service.toUpperCase().replaceAll('-', '_')}`;
  const env = {
    ...shared, UMPIRE_SERVICE: service, UMPIRE_HOST: '127.0.0.1', UMPIRE_PORT: String(ports[service].http), UMPIRE_INTERNAL_PORT: String(ports[service].internal), UMPIRE_POSTGRES_POOLED: 'true',
    [`${own}_POSTGRES_URL`]: servers.pooledUrl(service), [`${own}_NATS_USER`]: service, [`${own}_NATS_PASSWORD`]: PASSWORD,
    ...(service === 'state-store' ? { UMPIRE_REDIS_URL: servers.redisUrl, UMPIRE_REDIS_PREFIX: servers.redisPrefix, UMPIRE_REDIS_TLS_CA: servers.authority } : {}),
    ...(service === 'notifier' ? { UMPIRE_NOTIFIER_SECRET_KEY: Buffer.alloc(32, 7).toString('base64') } : {}),
  };
  const child = spawn(process.execPath, entry(), { cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'], ...asNobody });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => {
    written += text.toString();
    process.stdout.write(text);
  });
  started.set(service, child);
  // The image's own health check, as the engine runs it.
  await eventually(`${service} to be ready`, () => run(process.execPath, [join(image, 'health.mjs')], { env, ...asNobody }).then(() => true, () => child.exitCode !== null && Promise.reject(new Error(`${service} ended`))), 90_000);
}

const ask = async (service: ServiceName, method: string, path: string, key: string, body?: object) => {
  const response = await fetch(`http://127.0.0.1:${ports[service].http}${path}`, {
    method, headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) }, ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as any };
};

describe('what the image holds', () => {
  it('is production code alone', () => {
    const packages = readdirSync(join(image, 'node_modules/.pnpm'));
    expect(packages.filter((name) => /^(vitest|vite|typescript|oxlint|@types|playwright|react|dependency-cruiser|kubernetes-models)@/.test(name))).toEqual([]);
    expect(readdirSync(join(image, 'libs'))).toEqual(expect.arrayContaining(['contract', 'domain', 'operations', 'runtime']));
    expect(readdirSync(join(image, 'libs'))).not.toContain('testing');
    expect(existsSync(join(image, 'test'))).toBe(false);
    // The patched driver, not the published one.
    expect(packages.some((name) => name.startsWith('postgres@') && name.includes('patch_hash'))).toBe(true);
  });

  it('says what can be started', async () => {
    await expect(run(process.execPath, entry('nothing'), { env: {} })).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('timeout-scheduler') });
    await expect(run(process.execPath, entry(), { env: {} })).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('no service is named') });
  });
});

describe('the image on servers of somebody else\'s, as nobody, on a file system that it cannot write', () => {
  it('migrates, makes the topology and the first key', async () => {
    const owner = { UMPIRE_POSTGRES_ADMIN_URL: servers.ownerUrl };
    expect(await umpire(['migrate'], { ...owner, UMPIRE_ROLE_PASSWORD: PASSWORD })).toMatch(/^\d+ migrations applied/);
    expect(await umpire(['migrate', '--check'], owner)).not.toContain('to apply');
    const operator = { UMPIRE_OPERATOR_NATS_USER: 'operator', UMPIRE_OPERATOR_NATS_PASSWORD: PASSWORD };
    await expect(umpire(['topology', 'check'], operator)).rejects.toMatchObject({ code: 4 });
    await umpire(['topology', 'apply'], operator);
    expect(await umpire(['topology', 'check'], operator)).toContain('as it should be');
    chmodSync(servers.folder, 0o777);
    await umpire(['first-key', 'create', '--folder', join(servers.folder, 'keys')], owner);
  }, 120_000);

  it('has every service ready', async () => {
    await Promise.all(SERVICES.map(start));
    for (const service of SERVICES) expect((await fetch(`http://127.0.0.1:${ports[service].internal}/readyz`)).status).toBe(200);
  }, 180_000);

  it('carries an escalation from its producer to its outcome', async () => {
    const admin = readFileSync(join(servers.folder, 'keys/default'), 'utf8').trim();
    const key = async (body: object) => (await ask('state-store', 'POST', '/identity/keys', admin, body)).body.key as string;
    const [producer, alice] = [await key({ name: 'producer', roles: ['producer'] }), await key({ name: 'alice', roles: ['reviewer'], user_id: 'alice' })];
    const posted = await eventually('the post to be stored', async () => {
      const answer = await ask('intake', 'POST', '/api/escalations', producer, { type: 'hitl_interaction', payload: { interaction_id: 'from/the image', pipeline_name: 'p', step_name: 's', data: { amount: 12 } } });
      return answer.body.status === 'stored' && answer;
    }, 60_000);
    expect(posted.status).toBe(202);
    const answered = await ask('state-store', 'POST', '/hitl/respond', alice, { interaction_id: 'from/the image', user_input: { decision: 'approve' } });
    expect(answered).toMatchObject({ status: 200, body: { outcome: { state: 'completed', verdict: 'approve', decided_by: ['alice'] } } });
    const status = await ask('state-store', 'GET', `/hitl/status/${encodeURIComponent('from/the image')}?wait=20`, producer);
    expect(status.body.outcome ?? status.body).toMatchObject({ verdict: 'approve' });
  }, 120_000);

  it('is answered by PgBouncer whatever is asked at once, in transactions and outside', async () => {
    const sql = connectPostgres({ url: servers.pooledUrl('state-store'), max: 2, service: 'test', logger: createLogger('test', 'silent'), tlsCa: servers.authority, pooled: true });
    const asked = Array.from({ length: 120 }, (_, index) => [
      async () => Number((await sql<{ n: number }[]>`select 1 as n`)[0]!.n),
      async () => Number((await sql<{ n: number }[]>`select ${1}::int as n`)[0]!.n),
      () => transaction(sql, 30_000, async (tx) => Number((await tx<{ n: number }[]>`select ${1}::int as n`)[0]!.n)),
    ][index % 3]!());
    expect(await withDeadline(Promise.all(asked), 30_000, 'all answers')).toEqual(asked.map(() => 1));
    await sql.end({ timeout: 1 });
  }, 60_000);

  it('keeps to its own keys in Redis, and speaks to Postgres as the roles alone', async () => {
    const redis = new Redis(servers.redisUrl, { tls: { ca: readFileSync(servers.authority, 'utf8') }, maxRetriesPerRequest: 1 });
    await expect(redis.set('another:key', '1')).rejects.toThrow(/NOPERM/);
    redis.disconnect();
    const sql = postgres(servers.ownerUrl, { max: 1, ssl: { ca: readFileSync(servers.authority, 'utf8') } });
    const users = await sql<{ usename: string; ssl: boolean }[]>`
      select distinct usename, ssl from pg_stat_activity join pg_stat_ssl using (pid) where datname = 'umpire' and pid <> pg_backend_pid() order by usename`;
    await sql.end();
    expect([...users]).toEqual(['umpire_intake', 'umpire_notifier', 'umpire_scheduler', 'umpire_state_store'].map((usename) => ({ usename, ssl: true })));
    const metrics = await (await fetch(`http://127.0.0.1:${ports['state-store'].internal}/metrics`)).text();
    expect(metrics).toMatch(/umpire_store_rate_limit_total\{[^}]*where="redis"[^}]*\} [1-9]/);
  }, 60_000);

  it('asks for nothing that it may not', () => {
    expect(written.split('\n').filter((line) => /violation|permission|NOPERM|EROFS|EACCES/i.test(line))).toEqual([]);
  });

  it('stops in order when the engine asks it to', async () => {
    const exits = await Promise.all([...started].map(async ([service, child]) => {
      const exited = new Promise<[number | null, NodeJS.Signals | null]>((done) => child.once('exit', (...exit) => done(exit)));
      child.kill('SIGTERM');
      return [service, ...(await exited)];
    }));
    expect(exits, written.slice(-4_000)).toEqual([...started.keys()].map((service) => [service, 0, null]));
  }, 60_000);

  it('holds the commands of the restore drill, which sign in to these servers like all others', async () => {
    const operator = { UMPIRE_OPERATOR_NATS_USER: 'operator', UMPIRE_OPERATOR_NATS_PASSWORD: PASSWORD };
    const told = (await umpire(['topology', 'events', '--since', '2020-01-01T00:00:00Z'], operator)).trimEnd().split('\n').map((line) => JSON.parse(line));
    expect(told.filter(({ request_id }) => request_id === 'from/the image').map(({ seq, type, verdict }) => [seq, type, verdict])).toEqual([[1, 'opened', undefined], [2, 'responded', undefined], [3, 'resolved', 'approve']]);
    expect(await umpire(['topology', 'forget', '--yes'], operator)).toBe('deleted: ACME_HITL_EVENTS\ndeleted: ACME_HITL_OUTCOMES\n');
  }, 60_000);
});
