import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;
const bootId = readText('/proc/sys/kernel/random/boot_id').trim();
const setpriv = process.platform === 'linux' ? findOnPath('setpriv') : undefined;

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The full path of a program on PATH, or undefined. */
export function findOnPath(program) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (folder && existsSync(join(folder, program))) return join(folder, program);
  }
  return undefined;
}

/**
 * What tells this process apart from a later one under the same pid: its start time within this boot. Undefined when no
 * such process runs (a zombie does not run).
 */
export function identityOf(pid) {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (process.platform !== 'linux') return identityByPs(pid);
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 20 || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return `${bootId} ${fields[19]}`;
}

function identityByPs(pid) {
  const { status, stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return status === 0 && stdout.trim() ? stdout.trim() : undefined;
}

/** Writes `<pid>\n<identity>\n`, so that a later run can tell whether the process is still the one meant. */
export function writePidFile(path, pid) {
  writeFileSync(path, `${pid}\n${identityOf(pid) ?? ''}\n`, { mode: 0o600 });
}

/** The pid in the file if exactly that process still runs, else undefined. */
export function livePid(path) {
  const [pidText = '', identity = ''] = readText(path).split('\n');
  const pid = Number(pidText);
  return identity && identityOf(pid) === identity ? pid : undefined;
}

export function signalProcess(pid, signal) {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (error.code === 'ESRCH') return false;
    throw error;
  }
}

/** Ends a process that is not our child: asks with `signal`, insists with SIGKILL after `graceMs`. */
export async function endProcess(pid, signal = 'SIGTERM', graceMs = 10_000) {
  const identity = identityOf(pid);
  if (!identity) return;
  const gone = () => identityOf(pid) !== identity;
  signalProcess(pid, signal);
  if (await until(gone, graceMs)) return;
  signalProcess(pid, 'SIGKILL');
  await until(gone, 5_000);
}

/** Polls `condition` until it holds (true) or `limitMs` have passed (false). */
export async function until(condition, limitMs, everyMs = POLL_MS) {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) return false;
    await delay(everyMs);
  }
  return true;
}

/**
 * Starts a child in a process group of its own (a Ctrl-C at the terminal reaches the launcher only, which stops children
 * in order) that the kernel ends with `deathSignal` should the launcher be killed, and writes its pid file.
 */
export function startChild({ command, args = [], env, cwd, uid, gid, stdio, pidFile, deathSignal = 'TERM' }) {
  const [program, argv] = setpriv
    ? [setpriv, ['--pdeathsig', deathSignal, '--', command, ...args]]
    : [command, args];
  const child = spawn(program, argv, { env, cwd, uid, gid, stdio, detached: true });
  const exited = new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 127, signal: null, error }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  if (child.pid && pidFile) writePidFile(pidFile, child.pid);
  void exited.then(() => {
    if (pidFile && Number(readText(pidFile).split('\n')[0]) === child.pid) rmSync(pidFile, { force: true });
  });
  return { child, pid: child.pid, exited, stop: (signal, graceMs) => stopChild(child, exited, signal, graceMs) };
}

async function stopChild(child, exited, signal = 'SIGTERM', graceMs = 10_000) {
  if (child.exitCode !== null || child.signalCode !== null || !child.pid) return exited;
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  const result = await exited;
  clearTimeout(timer);
  return result;
}

/**
 * Ends what an earlier, killed run left behind: the processes named by pid files in `folder` that provably are the ones
 * written down. Those listed in `last` are ended after all others, with the signal that `signalFor(name)` gives. Returns what was ended.
 */
export async function endLeftovers(folder, signalFor = () => 'SIGTERM', last = []) {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.pid')).map((name) => name.slice(0, -4));
  const ended = [];
  const endAll = (group) => Promise.all(group.map(async (name) => {
    const path = join(folder, `${name}.pid`);
    const pid = livePid(path);
    if (pid && pid !== process.pid) {
      await endProcess(pid, signalFor(name));
      ended.push(`${name} ${pid}`);
    }
    rmSync(path, { force: true });
  }));
  await endAll(names.filter((name) => !last.includes(name)));
  await endAll(names.filter((name) => last.includes(name)));
  return ended;
}
