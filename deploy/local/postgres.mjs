import { createHash } from 'node:crypto';
import { accessSync, chmodSync, chownSync, constants, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, renameSync,
  rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { command } from './bootstrap.mjs';
import { endProcess, identityOf } from './processes.mjs';
import { Trouble } from './trouble.mjs';

/** The superuser's name and the product's database. */
export const SUPERUSER = 'postgres';
export const DATABASE = 'umpire';

const OUTSIDE_FOLDERS = ['/var/lib/umpire', '/var/tmp/umpire'];

/** Where the data of a home is: below it, unless Postgres must run as another user who cannot reach it there. */
export function postgresFolder(home) {
  const user = unprivilegedUser();
  const inside = join(home, 'postgres');
  if (!user || (existsSync(inside) && isReachable(home, user))) return inside;
  const outside = OUTSIDE_FOLDERS.map((base) => join(base, `data-${shortDigest(home)}`)).find(existsSync);
  if (outside) return outside;
  return isReachable(home, user) ? inside : join(placeFor(user), `data-${shortDigest(home)}`);
}

/**
 * Postgres with its data in `postgresFolder(home)`, made at the first start. As root it runs under an unprivileged user,
 * since it refuses to run as root.
 */
export function postgresServer({ home, found, password }) {
  const folder = postgresFolder(home);
  const data = join(folder, 'data');
  const user = found.docker ? undefined : unprivilegedUser();
  const bin = user && found.bin && !isReachable(found.bin, user) ? reachableCopy(found.bin, user) : found.bin;
  const env = user && found.env.LD_LIBRARY_PATH && bin !== found.bin ? movedLibraryPath(found, bin) : found.env;
  return {
    name: 'postgres',
    stopSignal: 'SIGINT',
    url: (port) => `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${DATABASE}`,
    ready: (port) => postgresAnswers('127.0.0.1', port),
    /** Makes the data folder at the first start, complete or not at all. */
    prepare: async () => {
      ownFolder(folder, user);
      if (found.docker) return;
      if (!existsSync(join(data, 'PG_VERSION'))) await initialise({ bin, env, folder, data, user, password });
      await clearStalePid(data);
    },
    command: (port) => {
      if (found.docker) {
        // The image's own start script makes the data folder and gives it to its user.
        return { docker: found.docker, port, volumes: [[data, '/var/lib/postgresql/data']], args: ['-p', String(port), ...settings('*').flatMap((setting) => ['-c', setting])],
          env: { POSTGRES_PASSWORD: password, POSTGRES_DB: DATABASE, POSTGRES_INITDB_ARGS: '-A scram-sha-256 --locale=C' } };
      }
      const args = ['-D', data, '-p', String(port), ...settings('127.0.0.1').flatMap((setting) => ['-c', setting])];
      return { command: join(bin, 'postgres'), args, env: { ...env, LC_ALL: 'C' }, ...user };
    },
  };
}

/** Given on the command line, so that a newer release's settings hold for data made by an older one. */
function settings(address) {
  return [`listen_addresses=${address}`, 'unix_socket_directories=', 'fsync=on', 'max_connections=200', 'shared_buffers=256MB', 'wal_compression=on',
    'max_wal_size=2GB', 'checkpoint_timeout=15min', 'checkpoint_completion_target=0.9', 'random_page_cost=1.1', 'jit=off', 'timezone=GMT',
    'log_timezone=GMT', 'log_line_prefix=%m [%p] ', 'log_checkpoints=off', 'autovacuum_naptime=10s', 'password_encryption=scram-sha-256'];
}

/**
 * Collation is bytewise (fast, the same everywhere); letters are Unicode's where the system knows that locale, so that
 * `lower()` and `ilike` work beyond ASCII. The draft's name is ours alone: an initdb of a killed launcher may still write.
 */
async function initialise({ bin, env, folder, data, user, password }) {
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith('draft-'))) rmSync(join(folder, name), { recursive: true, force: true });
  const draft = join(folder, `draft-${process.pid}`);
  const passwordFile = join(folder, `draft-${process.pid}.password`);
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user) chownSync(passwordFile, user.uid, user.gid);
  const run = (program, args, input) => command(join(bin, program), args, { env: { ...env, LC_ALL: 'C' }, echo: false, input, cwd: folder, ...user });
  const initdb = (...locale) => run('initdb', ['-D', draft, '-U', SUPERUSER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C', ...locale]);
  try {
    await initdb('--lc-ctype=C.UTF-8').catch(() => initdb());
    await run('postgres', ['--single', '-D', draft, '-c', 'timezone=GMT', '-c', 'log_timezone=GMT', 'postgres'], `create database ${DATABASE}\n`);
    renameSync(draft, data);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/**
 * After a crash `postmaster.pid` may name a pid that another program has by now, and Postgres would refuse to start. It is
 * removed only if no process works in the data folder; a postmaster of ours that still does is ended first.
 */
async function clearStalePid(data) {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  if (process.platform !== 'linux') return;
  if (identityOf(pid) && worksIn(pid, data)) await endProcess(pid, 'SIGINT', 20_000);
  for (const straggler of processesIn(data)) await endProcess(straggler, 'SIGTERM', 5_000);
  if (processesIn(data).length === 0) rmSync(file, { force: true });
}

function processesIn(folder) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => worksIn(pid, folder));
}

function worksIn(pid, folder) {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === folder && readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('postgres');
  } catch {
    return false;
  }
}

/** Under root: the uid and gid that Postgres runs as. Else undefined. */
function unprivilegedUser() {
  if (process.getuid?.() !== 0) return undefined;
  const entries = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'));
  const entry = entries.find(([name]) => name === 'postgres') ?? entries.find(([name]) => name === 'nobody');
  if (!entry) throw new Trouble('Postgres does not run as root, and this machine has no user "postgres" or "nobody": run as another user');
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}

/** Whether `user` may enter every folder on the way to `path` and the path itself. */
function isReachable(path, { uid, gid }) {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    if (existsSync(folder)) {
      const { mode, uid: owner, gid: group } = statSync(folder);
      const bit = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
      if (!(mode & bit)) return false;
    }
    if (folder === dirname(folder)) return true;
  }
}

/** A folder of this user outside of private homes. */
function placeFor(user) {
  for (const base of OUTSIDE_FOLDERS) {
    try {
      mkdirSync(base, { recursive: true, mode: 0o711 });
      accessSync(base, constants.W_OK);
      if (statSync(base).uid === 0 && isReachable(base, user)) return base;
    } catch {
      continue;
    }
  }
  throw new Trouble('Postgres runs as an unprivileged user, who can reach neither UMPIRE_HOME nor /var/lib/umpire: choose another --home');
}

function ownFolder(folder, user) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  if (user) chownSync(folder, user.uid, user.gid);
}

/** Copies the programs' whole tree (Postgres finds its parts relative to them) to where `user` can run it. */
function reachableCopy(bin, user) {
  const tree = treeOf(bin);
  const copy = join(placeFor(user), `programs-${shortDigest(`${tree} ${statSync(join(bin, 'postgres')).mtimeMs}`)}`);
  if (!existsSync(join(copy, '.copied'))) {
    const draft = `${copy}.${process.pid}`;
    cpSync(tree, draft, { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(draft, '.copied'), '');
    rmSync(copy, { recursive: true, force: true });
    renameSync(draft, copy);
  }
  return join(copy, bin.slice(tree.length));
}

function treeOf(bin) {
  const at = bin.search(/\/usr\/lib\/postgresql\/\d+\/bin$/);
  return at >= 0 ? bin.slice(0, at) : dirname(bin);
}

function movedLibraryPath(found, bin) {
  const [from, to] = [treeOf(found.bin), treeOf(bin)];
  return { ...found.env, LD_LIBRARY_PATH: found.env.LD_LIBRARY_PATH.split(':').map((path) => join(to, path.slice(from.length))).join(':') };
}

function shortDigest(text) {
  return createHash('sha256').update(resolve(text)).digest('hex').slice(0, 12);
}

/**
 * Whether Postgres takes connections: it asks a started connection for a password. While it starts up or recovers it
 * answers with an error.
 */
function postgresAnswers(host, port) {
  return new Promise((done) => {
    const socket = connect({ host, port, timeout: 2_000 });
    const end = (answer) => {
      socket.destroy();
      done(answer);
    };
    socket.once('connect', () => {
      const body = Buffer.from(`\0\x03\0\0user\0${SUPERUSER}\0database\0${DATABASE}\0\0`, 'latin1');
      const length = Buffer.alloc(4);
      length.writeInt32BE(body.length + 4);
      socket.write(Buffer.concat([length, body]));
    });
    socket.once('data', (data) => end(data[0] === 'R'.charCodeAt(0)));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
    socket.once('close', () => done(false));
  });
}
