#!/usr/bin/env node
/**
 * `npm run test:upgrade [-- <revision>] [--record <file>]`: an upgrade as operators make it, with the real processes of both versions on one set of
 * servers, and the demo of each. The revision (default: the one whose database test/deploy/src/earlier keeps) is taken from git's history and
 * built in a folder of its own.
 *
 *   1. the revision's schema and services: its demo
 *   2. this version's migrations, while they run: its demo again
 *   3. this version's four services beside them, on the same queues: both demos
 *   4. the revision's services end: this version's demo
 *   5. back: this version's end, the revision's start again on the migrated database: its demo
 *
 * `--record` keeps what the revision asks of Postgres in steps 1 and 2, one sample of each statement: the fixture of the short form in `npm test`
 * (test/deploy/src/migrations.integration.test.ts). Exit codes: 0 all demos passed, 1 one did not, 2 it could not be run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bootstrap, command, nodeBinary, root, runtime, toolEnvironment } from '../../../deploy/local/bootstrap.mjs';
import { openHome, removeHome } from '../../../deploy/local/home.mjs';
import { connectionOf } from '../../../deploy/local/launch.mjs';
import { Ports } from '../../../deploy/local/ports.mjs';
import { until } from '../../../deploy/local/processes.mjs';
import { prepareSecrets, provisionDatabase, SERVICES } from '../../../deploy/local/provision.mjs';
import { startServers } from '../../../deploy/local/servers.mjs';
import { environmentOf, Service, serviceEnvironment } from '../../../deploy/local/services.mjs';
import { Steps } from '../../../deploy/local/steps.mjs';
import { statementsOf } from './statements.mjs';

/** The last before production was looked after: the state of `earlier/0.1.0-before-11.sql`. */
const EARLIER = 'c714845';
const NAMESPACES = '{"default":["main"]}';
const READY_MS = 60_000;

const { values, positionals } = parseArgs({ options: { record: { type: 'string' } }, allowPositionals: true });
const revision = positionals[0] ?? EARLIER;
const say = (line) => process.stdout.write(`${line}\n`);

class CannotRun extends Error {}

function git(...args) {
  const { status, stdout, stderr, error } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  if (error || status !== 0) throw new CannotRun(`git ${args[0]}: ${error?.message ?? stderr.trim()}`);
  return stdout.trim();
}

/** The revision's code, built. */
function build(folder) {
  try {
    git('worktree', 'add', '--detach', folder, revision);
  } catch (error) {
    throw new CannotRun(`revision ${revision} cannot be had (a shallow clone has no history): ${error.message}`);
  }
  symlinkSync(runtime, join(folder, '.runtime'));
  inFolder(folder, 'pnpm', 'install', '--frozen-lockfile', '--prefer-offline', '--silent');
  inFolder(folder, 'pnpm', 'exec', 'tsc', '-b');
}

function inFolder(cwd, program, ...args) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', env: toolEnvironment() });
  if (status !== 0) throw new CannotRun(`${program} ${args.join(' ')} in the revision's folder: ${stderr || stdout}`);
}

/** The four services of one version behind a gateway of that version. */
async function startVersion({ name, folder, home, ports, env }) {
  // What operators of that version start: its bundle, if it has one.
  const programOf = (service) => [`services/${service}/dist/bundle/main.js`, `services/${service}/dist/main.js`].map((path) => join(folder, path)).find(existsSync);
  const services = {};
  const made = [];
  const make = (service, entry, own) => made.push(new Service({ name: `${name}-${service}`, entry, home, env: own, revive: false, verbose: false,
    show: (line) => say(`    ${name} ${line}`), onEvent: () => {} }));
  for (const service of SERVICES) {
    services[service] = { port: await ports.take(`${name} ${service}`), internalPort: await ports.take(`${name} ${service} internal`) };
    make(service, programOf(service), { ...environmentOf(service, env), UMPIRE_PORT: String(services[service].port), UMPIRE_INTERNAL_PORT: String(services[service].internalPort) });
  }
  const port = await ports.take(`${name} gateway`);
  make('gateway', join(folder, 'deploy/local/gateway.mjs'), { UMPIRE_GATEWAY: JSON.stringify({ host: '127.0.0.1', port, services }) });
  for (const service of made) service.start();
  const origin = `http://127.0.0.1:${port}`;
  const ready = await until(() => fetch(`${origin}/readyz`).then(({ status }) => status === 200, () => false), READY_MS, 100);
  if (!ready) throw new Error(`${name} is not ready: ${await fetch(`${origin}/readyz`).then((answer) => answer.text(), String)}`);
  return { origin, stop: () => Promise.all(made.map((service) => service.stop())) };
}

async function upgrade(earlier, home) {
  const steps = new Steps({ quiet: true });
  const opened = await openHome(home);
  const { secrets, accounts, namespaces } = await prepareSecrets(home, NAMESPACES);
  const servers = await startServers({ home, natsAuth: accounts, steps, opened });
  const ports = new Ports(home);
  const addresses = { nats: { url: servers.nats.url }, postgresUrl: servers.postgres.url, redisUrl: servers.redis.url, secrets };
  const running = new Set();
  const start = async (name, folder) => {
    const env = serviceEnvironment({ ...addresses, namespacesText: NAMESPACES, origin: 'http://127.0.0.1', logLevel: 'info' });
    const version = await startVersion({ name, folder, home, ports, env });
    running.add(version);
    return { origin: version.origin, stop: () => (running.delete(version), version.stop()) };
  };
  const demo = async (what, folder, origin) => {
    const file = join(home, `connection-${new URL(origin).port}.json`);
    writeFileSync(file, JSON.stringify(connectionOf({ origin, ...addresses, namespaces })));
    try {
      const told = await command(nodeBinary(), [join(folder, 'deploy/local/demo.mjs')], { env: { ...process.env, UMPIRE_CONNECTION: file } });
      say(`  passed: ${what}\n${told.trimEnd().split('\n').map((line) => `    ${line}`).join('\n')}`);
    } catch (error) {
      failures.push(what);
      say(`  FAILED: ${what}\n${error.message}`);
    }
  };
  const provision = (folder) => withRoot(folder, { home, adminUrl: servers.postgres.url, secrets, namespaces });
  const failures = [];
  try {
    if (values.record) await logStatements(servers.postgres.url);
    say(`1. ${revision} alone`);
    await provision(earlier);
    let before = await start('earlier', earlier);
    await demo('its demo on its own schema', earlier, before.origin);
    say('2. migrated beneath it');
    await provisionDatabase({ home, adminUrl: servers.postgres.url, secrets, namespaces });
    await demo('its demo on the migrated database', earlier, before.origin);
    if (values.record) keep(join(home, 'logs', 'postgres.log'));
    say('3. this version beside it');
    const now = await start('now', root);
    // One after the other: both listen as the pipeline `main`, whose outcomes each is told once.
    await demo('its demo, with this version beside it', earlier, before.origin);
    await demo('this version\'s demo, with it beside', root, now.origin);
    say('4. this version alone');
    await before.stop();
    await demo('this version\'s demo', root, now.origin);
    say('5. rolled back: the image, not the database');
    await now.stop();
    before = await start('earlier', earlier);
    await demo('its demo after the way back', earlier, before.origin);
    return failures;
  } finally {
    await Promise.all([...running].map((version) => version.stop()));
    await servers.stop();
    opened.release();
  }
}

/** `provision.js` of that folder's build. */
async function withRoot(folder, options) {
  const { provisionDatabase: theirs } = await import(join(folder, 'deploy/local/provision.mjs'));
  return theirs(options);
}

async function logStatements(url) {
  const { default: postgres } = await import('postgres');
  const sql = postgres(url, { max: 1 });
  for (const [name, value] of Object.entries({ log_statement: 'all', log_connections: 'on' })) await sql.unsafe(`alter system set ${name} = '${value}'`);
  await sql`select pg_reload_conf()`;
  await sql.end();
}

function keep(log) {
  const statements = statementsOf(readFileSync(log, 'utf8'));
  writeFileSync(values.record, `${statements.map((one) => JSON.stringify(one)).join('\n')}\n`);
  say(`  kept ${statements.length} statements in ${values.record}`);
}

const work = mkdtempSync(join(tmpdir(), 'umpire-upgrade-'));
const [earlier, home] = [join(work, 'earlier'), join(work, 'home')];
try {
  await bootstrap(new Steps());
  build(earlier);
  const failures = await upgrade(earlier, home);
  say(failures.length === 0 ? 'upgrade and way back: all demos passed' : `failed: ${failures.join('; ')}`);
  process.exitCode = failures.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`test:upgrade: ${error instanceof CannotRun ? `could not be run: ${error.message}` : error.stack}\n`);
  process.exitCode = error instanceof CannotRun ? 2 : 1;
} finally {
  removeHome(home);
  spawnSync('git', ['worktree', 'remove', '--force', earlier], { cwd: root });
  rmSync(work, { recursive: true, force: true });
}
process.exit();
