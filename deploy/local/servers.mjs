import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { toolEnvironment } from './bootstrap.mjs';
import { dataVersionOf, findServers } from './find-servers.mjs';
import { newPassword, openHome, openSecrets } from './home.mjs';
import { natsServer } from './nats.mjs';
import { Ports } from './ports.mjs';
import { postgresFolder, postgresServer } from './postgres.mjs';
import { signalProcess, startChild, until } from './processes.mjs';
import { redisServer } from './redis.mjs';
import { Steps } from './steps.mjs';
import { Trouble } from './trouble.mjs';

export { removeHome } from './home.mjs';

/** Postgres may have to replay its log after a crash. */
const READY_MS = 120_000;
const STOP_MS = 20_000;
const LOG_BYTES = 16 * 1024 * 1024;
const BACKOFF_MS = [100, 200, 500, 1_000, 2_000, 5_000];
const STABLE_MS = 10_000;

/**
 * Starts nats-server, Redis and Postgres on free ports of 127.0.0.1 with their data in `home`, brings their programs if
 * they are missing, and resolves when all three are ready.
 *
 * Ports: `ports: {nats?, redis?, postgres?}` fixes some. `natsAuth`: text of an `accounts` block. `only`: which of
 * them to start. `supervise: true` restarts one that dies by itself. `opened`: the home, if the caller has opened it.
 * Types and the shape of the result are in `servers.d.mts`.
 */
export async function startServers({ home: givenHome, ports: fixed = {}, quiet = false, natsAuth, only = ['nats', 'redis', 'postgres'],
  supervise = false, steps = new Steps({ quiet }), opened, found, onEvent = () => {} }) {
  const home = resolve(givenHome);
  const own = opened ?? await openHome(home);
  const running = {};
  const stop = async () => {
    await Promise.all(Object.values(running).map((server) => server.stop()));
    if (!opened) own.release();
  };
  try {
    const secrets = openSecrets(home, (all) => {
      all.servers ??= { postgres: newPassword(), redis: newPassword() };
    });
    const programs = found ?? await findServers(steps, { external: Object.fromEntries(['nats', 'redis', 'postgres'].map((name) => [name, !only.includes(name)])),
      dataVersion: dataVersionOf(join(postgresFolder(home), 'data')) });
    const kinds = {
      nats: () => natsServer({ home, found: programs.nats, auth: natsAuth }),
      redis: () => redisServer({ home, found: programs.redis, password: secrets.servers.redis }),
      postgres: () => postgresServer({ home, found: programs.postgres, password: secrets.servers.postgres }),
    };
    const ports = new Ports(home);
    for (const name of only) running[name] = new Server(kinds[name](), { home, port: await ports.take(name, fixed[name]), supervise, onEvent,
      renew: fixed[name] ? undefined : () => ports.renew(name) });
    const results = await Promise.allSettled(only.map((name) => running[name].start()));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    return { ...running, home, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** One running server: its address, and the handles that fault tests need. */
class Server {
  #kind;
  #home;
  #supervise;
  #onEvent;
  #renew;
  #prepared = false;
  #containerised = false;
  #logStart = 0;
  #child;
  #stopping = false;
  #restarting;

  constructor(kind, { home, port, supervise, onEvent, renew }) {
    this.#kind = kind;
    this.#home = home;
    this.port = port;
    this.#supervise = supervise;
    this.#onEvent = onEvent;
    this.#renew = renew;
  }

  get name() {
    return this.#kind.name;
  }

  get url() {
    return this.#kind.url(this.port);
  }

  /** The process's id; undefined while it does not run. */
  get pid() {
    return this.#child?.pid;
  }

  /** Starts it if it does not run; resolves when it is ready. */
  async start() {
    this.#stopping = false;
    if (this.#child) return;
    if (!this.#prepared) await this.#kind.prepare?.();
    this.#prepared = true;
    for (let attempt = 0; ; attempt += 1) {
      const child = this.#spawn();
      let exit;
      void child.exited.then((result) => {
        exit = result;
      });
      const ready = await until(async () => exit !== undefined || await this.#kind.ready(this.port), READY_MS);
      if (ready && exit === undefined) return;
      if (exit === undefined) await child.stop('SIGKILL', 0);
      const said = this.#lastLine();
      if (exit && attempt < 3 && /address already in use|address in use|could not bind/i.test(said.all) && this.#renew) {
        this.port = await this.#renew();
        continue;
      }
      if (exit && attempt < 10 && /pre-existing shared memory block|lock file .* already exists/i.test(said.all)) {
        await delay(300);
        continue;
      }
      throw new Trouble(`${this.name} ${exit ? 'ended' : 'was not ready in time'}: ${said.last} (${this.#log})`);
    }
  }

  /** Ends it in good order; safe to call again. */
  async stop() {
    this.#stopping = true;
    await this.#restarting?.catch(() => {});
    const child = this.#child;
    if (!child) return;
    await child.stop(this.#kind.stopSignal, STOP_MS);
    this.#removeContainer();
  }

  /** Sends a signal (SIGKILL: a crash) and waits until the process has gone, or returns at once for SIGSTOP and SIGCONT. */
  async kill(signal = 'SIGKILL') {
    const child = this.#child;
    if (!child) return;
    if (!this.#supervise) this.#stopping = true;
    signalProcess(child.pid, signal);
    if (!['SIGSTOP', 'SIGCONT', 'SIGHUP'].includes(signal)) await child.exited;
    if (signal === 'SIGKILL') this.#removeContainer();
  }

  /** Stops it (or kills it, with `signal: 'SIGKILL'`) and starts it again on the same port and data. */
  async restart({ signal } = {}) {
    if (signal) await this.kill(signal);
    else await this.stop();
    await this.#restarting?.catch(() => {});
    await this.start();
  }

  /** NATS only: takes over a new `accounts` block without a restart, but for accounts that are new: their imports need one. */
  reconfigure(auth) {
    this.#kind.reconfigure(this.port, auth);
    if (this.#child) signalProcess(this.#child.pid, 'SIGHUP');
  }

  get #log() {
    return join(this.#home, 'logs', `${this.name}.log`);
  }

  get #container() {
    return `umpire-${this.name}-${createHash('sha256').update(this.#home).digest('hex').slice(0, 12)}`;
  }

  #spawn() {
    const { command, args, env, uid, gid } = this.#runnable(this.#kind.command(this.port));
    if (existsSync(this.#log) && statSync(this.#log).size > LOG_BYTES) renameSync(this.#log, `${this.#log}.1`);
    const log = openSync(this.#log, 'a', 0o600);
    const before = statSync(this.#log).size;
    const child = startChild({ command, args, env: toolEnvironment(env), cwd: '/', uid, gid, stdio: ['ignore', log, log],
      pidFile: join(this.#home, 'run', `${this.name}.pid`), deathSignal: this.#kind.stopSignal.slice(3) });
    closeSync(log);
    this.#child = child;
    this.#logStart = before;
    const began = performance.now();
    void child.exited.then((exit) => {
      if (this.#child === child) this.#child = undefined;
      if (!this.#stopping && this.#supervise) this.#recover(exit, began);
    });
    return child;
  }

  #recover(exit, began) {
    if (this.#restarting) return;
    this.#onEvent({ server: this.name, event: 'died', ...exit });
    this.#restarting = (async () => {
      for (let failures = performance.now() - began > STABLE_MS ? 0 : 1; !this.#stopping; failures += 1) {
        await delay(BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)]);
        if (this.#stopping) return;
        try {
          await this.start();
          this.#onEvent({ server: this.name, event: 'restarted' });
          return;
        } catch (error) {
          this.#onEvent({ server: this.name, event: 'restart failed', error });
        }
      }
    })().finally(() => {
      this.#restarting = undefined;
    });
  }

  /** A container's ports appear on 127.0.0.1 only; its files are the home's. */
  #runnable(plan) {
    if (!plan.docker) return plan;
    this.#removeContainer(true);
    const args = ['run', '--rm', '--name', this.#container, '-p', `127.0.0.1:${plan.port}:${plan.port}`,
      ...(plan.asCaller && process.getuid ? ['--user', `${process.getuid()}:${process.getgid()}`] : []),
      ...(plan.entrypoint ? ['--entrypoint', plan.entrypoint] : []),
      ...plan.volumes.flatMap(([from, to]) => ['-v', `${from}:${to}`]),
      ...Object.entries(plan.env ?? {}).flatMap(([name, value]) => ['-e', `${name}=${value}`]), plan.docker, ...plan.args];
    this.#containerised = true;
    return { command: 'docker', args, env: {} };
  }

  #removeContainer(always = false) {
    if (always || this.#containerised) spawnSync('docker', ['rm', '-f', this.#container], { stdio: 'ignore', timeout: 30_000 });
  }

  #lastLine() {
    const text = existsSync(this.#log) ? readFileSync(this.#log, 'utf8').slice(this.#logStart) : '';
    return { all: text, last: text.trim().split('\n').at(-1)?.slice(0, 300) ?? '' };
  }
}
