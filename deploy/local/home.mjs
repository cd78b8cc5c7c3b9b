import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from './bootstrap.mjs';
import { tryLock, lockOwner, writeWhole } from './lock.mjs';
import { postgresFolder } from './postgres.mjs';
import { endLeftovers } from './processes.mjs';
import { Trouble } from './trouble.mjs';

const SERVERS = ['nats', 'redis', 'postgres'];

/** The folder that holds everything of one instance: `--home`, else UMPIRE_HOME, else `.umpire/` in this clone. */
export function homeFolder(given) {
  return resolve(given ?? (process.env.UMPIRE_HOME || join(root, '.umpire')));
}

/** The pid of the launcher that runs this home now, if one does. */
export function launcherOf(home) {
  return lockOwner(join(home, 'launcher.lock'));
}

/**
 * Makes the home, takes its lock, and ends what an earlier, killed run left running. Returns `{release, ended}`.
 * Refused with one line if another launcher runs it.
 */
export async function openHome(home) {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  for (const part of ['run', 'logs']) mkdirSync(join(home, part), { recursive: true, mode: 0o700 });
  // Under root, Postgres runs as another user and must be able to walk through; everything inside is private by itself.
  if (process.getuid?.() === 0) chmodSync(home, statSync(home).mode | 0o011);
  const lock = tryLock(join(home, 'launcher.lock'));
  if (lock.owner) throw new Trouble(`${home} is already in use by process ${lock.owner}: stop that first, or give another --home`);
  try {
    const ended = await endLeftovers(join(home, 'run'), (name) => (name === 'postgres' ? 'SIGINT' : 'SIGTERM'), SERVERS);
    return { release: lock.release, ended };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Deletes a home and what it keeps elsewhere. */
export function removeHome(home) {
  const database = postgresFolder(home);
  for (const folder of [database, home]) rmSync(folder, { recursive: true, force: true });
}

/**
 * The home's secrets: made once, kept in `secrets.json` (0600). `change(secrets)` may add to them; what it adds is saved
 * before this returns.
 */
export function openSecrets(home, change = () => {}) {
  const file = join(home, 'secrets.json');
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '{}';
  const secrets = JSON.parse(before);
  change(secrets);
  const after = `${JSON.stringify(secrets, null, 2)}\n`;
  if (after !== before) writeWhole(file, after);
  return secrets;
}

/** A new password: 192 random bits in letters that need no escaping in URLs and configuration files. */
export function newPassword() {
  return randomBytes(24).toString('base64url').replaceAll('-', 'x').replaceAll('_', 'y');
}
