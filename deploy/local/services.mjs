import { createWriteStream, existsSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeBinary, root, toolEnvironment } from './bootstrap.mjs';
import { startChild } from './processes.mjs';
import { ROLES, SERVICES } from './provision.mjs';

const LOG_BYTES = 32 * 1024 * 1024;
const STOP_MS = 10_000;
const BACKOFF_MS = [100, 250, 500, 1_000, 2_000, 5_000];
const STABLE_MS = 10_000;
const PLAIN_LEVEL = /"level":(?:"(?:warn|error|fatal)"|[456]0)/;

const NODE_FLAGS = ['--enable-source-maps', '--import', new URL('end-with-launcher.mjs', import.meta.url).href];
/**
 * A service's memory under load is to be what it holds, not what it has not yet thrown away: a small young generation, and an old one that may double
 * between collections. From a limit of 2 GiB on, which V8 takes by itself on a machine with much memory, it would let it grow fourfold.
 */
const MEMORY_FLAGS = '--max-semi-space-size=8 --max-old-space-size=2000';
/** With less of it collections come sooner. Intake keeps nothing, and the state store little beside what waits for JetStream: by the bounds in its code some 400 MB. */
const FEWER_MB = { intake: '--max-old-space-size=1024', 'state-store': '--max-old-space-size=768' };
/**
 * Of glibc's malloc, in which the bytes of messages are: arenas, which every thread would have for itself, and from which size on a piece, or what is free
 * at the end, goes back to the system as soon as nobody has it. By itself it raises both to 32 and 64 MiB after the first large message.
 */
const MALLOC = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '131072' };

/** Shown in a place of their own, or not at all. */
const COMMON_FIELDS = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'service', 'err']);

/** `state-store` → `UMPIRE_STATE_STORE_`. */
const prefixOf = (service) => `UMPIRE_${service.toUpperCase().replaceAll('-', '_')}_`;

/**
 * What all services are given. Values that differ between services carry the service's name, so that one environment
 * serves one process for all as well as four.
 */
export function serviceEnvironment({ nats, postgresUrl, redisUrl, secrets, namespacesText, origin, logLevel }) {
  const env = { UMPIRE_HOST: '127.0.0.1', UMPIRE_NATS_URL: nats.url, UMPIRE_NAMESPACES: namespacesText, UMPIRE_PUBLIC_URL: origin, UMPIRE_LOG_LEVEL: logLevel,
    UMPIRE_STATE_STORE_REDIS_URL: redisUrl, UMPIRE_NOTIFIER_SECRET_KEY: secrets.secret_key, UMPIRE_STATE_STORE_AUDIT_SECRET_KEY: secrets.audit_key, UMPIRE_NOTIFIER_WEBHOOK_ALLOW_PRIVATE: 'loopback' };
  for (const service of SERVICES) {
    const { user, pass } = nats.shared ?? secrets.nats[service];
    env[`${prefixOf(service)}NATS_USER`] = user;
    env[`${prefixOf(service)}NATS_PASSWORD`] = pass;
    env[`${prefixOf(service)}POSTGRES_URL`] = withUser(postgresUrl, ROLES[service], secrets.roles[service]);
  }
  return env;
}

/** One service sees its own secrets only. */
export function environmentOf(service, env) {
  const others = SERVICES.filter((name) => name !== service).map(prefixOf);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !others.some((prefix) => name.startsWith(prefix))));
}

function withUser(url, user, password) {
  const changed = new URL(url);
  changed.username = user;
  changed.password = password;
  return changed.href;
}

/**
 * A Node program that belongs to the product: its output goes to `home/logs/<name>.log`, warnings and errors (all, with
 * `verbose`) also to `show(line)`. With `revive` it is started again whenever it ends by itself.
 */
export class Service {
  #options;
  #log;
  #child;
  #stopping = false;
  #done;
  #finish;

  /** `entry` is the program's file; `show(line)` and `onEvent(event)` report. */
  constructor({ name, entry, home, env, revive, verbose, show, onEvent }) {
    this.name = name;
    this.#options = { entry, home, env, revive, verbose, show, onEvent };
    this.#log = new BoundedLog(join(home, 'logs', `${name}.log`));
    this.#done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  get pid() {
    return this.#child?.pid;
  }

  /** Resolves with `{code, signal}` once it has ended for good. */
  get ended() {
    return this.#done;
  }

  start() {
    void this.#run();
  }

  /** From now on it is started again whenever it ends by itself. */
  keep() {
    this.#options.revive = true;
  }

  async stop(graceMs = STOP_MS) {
    this.#stopping = true;
    if (this.#child) await this.#child.stop('SIGTERM', graceMs);
    else this.#finish({ code: 0, signal: null });
    await this.#done;
    this.#log.close();
  }

  async #run() {
    for (let failures = 0; ;) {
      const began = performance.now();
      const exit = await this.#once();
      if (this.#stopping || !this.#options.revive) return this.#finish(exit);
      failures = performance.now() - began > STABLE_MS ? 0 : failures + 1;
      this.#options.onEvent({ service: this.name, event: 'died', ...exit });
      await delay(BACKOFF_MS[Math.min(Math.max(0, failures - 1), BACKOFF_MS.length - 1)]);
      if (this.#stopping) return this.#finish(exit);
    }
  }

  async #once() {
    const { entry, home, env } = this.#options;
    // The argument tells people and later starts whose process this is; services do not read it.
    this.#child = startChild({ command: nodeBinary(), args: [...NODE_FLAGS, entry, `--home=${home}`], cwd: root, stdio: ['pipe', 'pipe', 'pipe'],
      env: cleanEnvironment(this.name, env), pidFile: join(home, 'run', `${this.name}.pid`) });
    const { child, exited } = this.#child;
    this.#collect(child.stdout, (line) => this.#options.verbose || PLAIN_LEVEL.test(line.slice(0, 400)));
    this.#collect(child.stderr, () => true);
    const exit = await exited;
    this.#child = undefined;
    return exit;
  }

  #collect(stream, isShown) {
    let rest = '';
    stream?.setEncoding('utf8');
    stream?.on('data', (text) => {
      this.#log.write(text);
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line && isShown(line)) this.#options.show(readable(this.name, line));
    });
  }
}

/** Our own variables, and none of a parent's that would override them; `UMPIRE_POSTGRES_URL` may be an administrator's. */
function cleanEnvironment(name, env) {
  const base = toolEnvironment();
  for (const name of ['UMPIRE_POSTGRES_URL', 'UMPIRE_REDIS_URL', 'UMPIRE_INTERNAL_PORT', 'UMPIRE_PORT']) delete base[name];
  return withMemoryBounds({ ...base, ...env }, name);
}

/** What the environment says itself stands last, and wins. */
export function withMemoryBounds(env, name) {
  return { ...MALLOC, ...env, NODE_OPTIONS: [MEMORY_FLAGS, FEWER_MB[name], env.NODE_OPTIONS].filter(Boolean).join(' ') };
}

/** A JSON log line as one for people. */
function readable(name, line) {
  if (!line.startsWith('{')) return `${name}: ${line}`;
  try {
    const record = JSON.parse(line);
    const word = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' }[record.level] ?? record.level;
    const others = Object.fromEntries(Object.entries(record).filter(([field]) => !COMMON_FIELDS.has(field)));
    const detail = Object.keys(others).length > 0 ? ` ${JSON.stringify(others)}` : '';
    return `${word} ${record.service ?? name}: ${record.msg ?? ''}${record.err?.message ? ` – ${record.err.message}` : ''}${detail}`;
  } catch {
    return `${name}: ${line}`;
  }
}

/** A log file that moves to `<name>.1` whenever it has grown too long, so that two files bound the space. */
class BoundedLog {
  #path;
  #stream;
  #bytes;

  constructor(path) {
    this.#path = path;
    this.#open();
  }

  write(text) {
    this.#stream.write(text);
    this.#bytes += text.length;
    if (this.#bytes < LOG_BYTES) return;
    this.#stream.end();
    renameSync(this.#path, `${this.#path}.1`);
    this.#open();
  }

  close() {
    this.#stream.end();
  }

  #open() {
    this.#bytes = existsSync(this.#path) ? statSync(this.#path).size : 0;
    this.#stream = createWriteStream(this.#path, { flags: 'a', mode: 0o600 });
    this.#stream.on('error', () => {});
  }
}
