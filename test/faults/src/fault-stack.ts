import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@umpire/testing';
import { CuttableLine } from '../../e2e/src/client-proxy.ts';
import { programOf } from '../../../deploy/local/programs.mjs';
import { Stack } from '../../e2e/src/stack.ts';

export const SERVICES = ['intake', 'state-store', 'notifier', 'timeout-scheduler'] as const;
export type ServiceName = (typeof SERVICES)[number];
export type ServerName = 'nats' | 'postgres' | 'redis';
type Env = Record<string, string>;

export type FaultStackOptions = {
  /** Servers that the services reach through a line that can be cut. */
  lines?: ServerName[];
  /** Changes a service's environment. */
  environment?: (name: string, env: Env) => Env;
  prepare?: (home: string) => Promise<void> | void;
  /** After the end, before the home is removed. */
  cleanUp?: (home: string) => void;
};

/** Two namespaces, so that one can be seen not to suffer from the other. */
export const NAMESPACES = { default: ['main'], bystander: ['main'] };
const root = fileURLToPath(new URL('../../../', import.meta.url));
const NODE_FLAGS = ['--enable-source-maps', '--max-semi-space-size=8', '--max-old-space-size=2000'];

/** The split product on real servers, with what a fault needs: lines to cut, further replicas, and what each service was given. */
export class FaultStack {
  readonly lines = {} as Record<ServerName, CuttableLine>;
  /** Lines of the launcher: what it started again, and what the services warned of. */
  readonly said: string[] = [];
  stack!: Stack;
  private readonly environments = new Map<string, Env>();
  private readonly replicas = new Set<Replica>();
  private cleanUp: (home: string) => void = () => undefined;

  static async start(options: FaultStackOptions = {}): Promise<FaultStack> {
    const made = new FaultStack();
    if (options.cleanUp) made.cleanUp = options.cleanUp;
    let home: string | null = null;
    made.stack = await Stack.start('split', NAMESPACES, {
      show: (line) => void made.said.push(line),
      prepare: (given) => {
        home = given;
        return options.prepare?.(given);
      },
      environment: async (name, given) => {
        const env = await made.throughLines(options.lines ?? [], options.environment?.(name, given) ?? given);
        made.environments.set(name, env);
        return env;
      },
    }).catch(async (error: unknown) => {
      // What has not started has ended its own processes; the rest is ours.
      if (home !== null) made.cleanUp(home);
      await Promise.all(Object.values(made.lines).map((line) => line.close()));
      throw error;
    });
    return made;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.replicas].map((replica) => replica.stop('SIGKILL')));
    await this.stack.pause();
    this.cleanUp(this.stack.home);
    await this.stack.stop();
    await Promise.all(Object.values(this.lines).map((line) => line.close()));
  }

  /**
   * A further process of a service, beside the launcher's own. Resolves when it is ready.
   * @param asModules what the compiler wrote, one by one, so that a preload can change what it loads
   */
  async replica(name: ServiceName, more: Env = {}, asModules = false): Promise<Replica> {
    const [port, internalPort] = [await freePort(), await freePort()];
    const env = { ...this.environments.get(name)!, ...more, UMPIRE_PORT: String(port), UMPIRE_INTERNAL_PORT: String(internalPort) };
    const replica = new Replica(name, asModules ? join(root, `services/${name}/dist/main.js`) : programOf(name), env, join(this.stack.home, 'logs', `${name}-${port}.log`));
    this.replicas.add(replica);
    void replica.ended.then(() => this.replicas.delete(replica));
    await replica.ready();
    return replica;
  }

  /** The launcher's process of a service or server. */
  async pid(name: string): Promise<number> {
    return eventually(`${name} to be running`, () => this.stack.pidOf(name), 60_000);
  }

  /** Ends a service with a signal and waits until the launcher has started it again. */
  async end(name: string, signal: NodeJS.Signals): Promise<void> {
    const pid = await this.pid(name);
    process.kill(pid, signal);
    await eventually(`${name} to be started again`, async () => ((now) => now !== null && now !== pid)(await this.stack.pidOf(name)), 60_000);
  }

  /** Waits until everything says that it is ready. */
  async ready(): Promise<void> {
    await eventually('the stack to be ready', async () => (await fetch(`${this.stack.origin}/readyz`)).status === 200, 120_000);
  }

  /** Services that ended without being told to, with what the launcher said of it. */
  endings(): string[] {
    return this.said.filter((line) => / ended \(/.test(line));
  }

  private async throughLines(servers: ServerName[], env: Env): Promise<Env> {
    const changed = { ...env };
    for (const server of servers) {
      for (const [name, value] of Object.entries(env)) {
        if (!name.endsWith(`_${server.toUpperCase()}_URL`)) continue;
        const url = new URL(value);
        this.lines[server] ??= await CuttableLine.to(value);
        url.port = String(this.lines[server].port);
        changed[name] = url.href;
      }
    }
    return changed;
  }
}

/** One more process of a service. */
export class Replica {
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  private readonly child: ChildProcess;
  private readonly internal: string;
  private readonly name: string;

  constructor(name: ServiceName, program: string, env: Env, logFile: string) {
    this.name = name;
    this.internal = `http://127.0.0.1:${env['UMPIRE_INTERNAL_PORT']}`;
    const argv = [...NODE_FLAGS, program];
    // The kernel ends it with us.
    const [command, args] = process.platform === 'linux' ? ['setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, ...argv]] : [process.execPath, argv];
    this.child = spawn(command, args, { cwd: root, env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(logFile);
    this.child.stdout!.pipe(log, { end: false });
    this.child.stderr!.pipe(log, { end: false });
    this.ended = new Promise((resolve) => this.child.once('exit', (code, signal) => resolve({ code, signal })));
    void this.ended.then(() => log.end());
  }

  get pid(): number {
    return this.child.pid!;
  }

  async ready(): Promise<void> {
    await eventually(`a replica of ${this.name} to be ready`, async () => this.child.exitCode !== null || (await fetch(`${this.internal}/readyz`)).status === 200, 60_000);
    if (this.child.exitCode !== null) throw new Error(`a replica of ${this.name} ended with ${this.child.exitCode} while starting`);
  }

  /** @returns how it ended, and how long that took, ms. */
  async stop(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null; tookMs: number }> {
    const began = performance.now();
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    return { ...(await this.ended), tookMs: Math.round(performance.now() - began) };
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
