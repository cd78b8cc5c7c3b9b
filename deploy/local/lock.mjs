import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { identityOf, until, writePidFile } from './processes.mjs';
import { Trouble } from './trouble.mjs';

/**
 * Takes a lock file that names its owner. Returns `{release}`, or `{owner: pid}` if a live process holds it. A lock whose
 * owner is dead is broken.
 *
 * The file is complete at the moment it appears (`link` of a finished file), so a reader never sees an empty owner.
 */
export function tryLock(path) {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writePidFile(draft, process.pid);
  try {
    for (;;) {
      try {
        linkSync(draft, path);
        return { release: () => rmSync(path, { force: true }) };
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      const owner = liveOwner(path);
      if (owner) return { owner };
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The pid that holds the lock; a lock of a dead owner is moved away. */
function liveOwner(path) {
  const text = read(path);
  if (text === undefined) return undefined;
  const pid = ownerIn(text);
  if (pid) return pid;
  breakLock(path, text);
  return undefined;
}

/** Moves the lock aside; puts it back if it turns out to be a newer one than was judged. */
function breakLock(path, judged) {
  const aside = `${path}.stale.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (read(aside) !== judged) {
    try {
      linkSync(aside, path);
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
  }
  rmSync(aside, { force: true });
}

function ownerIn(text) {
  const [pid = '', identity = ''] = text.split('\n');
  return identity && identityOf(Number(pid)) === identity ? Number(pid) : undefined;
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The pid that holds the lock now, if any. */
export function lockOwner(path) {
  const text = read(path);
  return text === undefined ? undefined : ownerIn(text);
}

/** Runs `work` while holding the lock, waiting for another live owner as long as `limitMs`. */
export async function withLock(path, work, { waiting = () => {}, limitMs = 600_000 } = {}) {
  let lock = tryLock(path);
  if (lock.owner) {
    waiting(lock.owner);
    await until(() => !(lock = tryLock(path)).owner, limitMs, 100);
  }
  if (lock.owner) throw new Trouble(`process ${lock.owner} has held ${path} for ${limitMs / 1000} s: stop it and try again`);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** Replaces a file in one step, readable by its owner only unless `mode` says otherwise. */
export function writeWhole(path, text, mode = 0o600) {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, text, { mode });
  renameSync(draft, path);
}
