import { createLogger, Readiness, startHttpApp } from '@umpire/runtime';
import { TEST_NATS_PASSWORD, type TestNats } from '@umpire/testing';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { programOf, refuseStalePrograms } from '../../../deploy/local/programs.mjs';
import { readTimeoutSchedulerConfig, TimeoutSchedulerModule } from '../src/index.ts';

export type Running = { origin: string; stop(): Promise<void> };

const MAIN = programOf('timeout-scheduler');

export function schedulerEnvironment(nats: TestNats, postgresUrl: string): Record<string, string> {
  return { UMPIRE_POSTGRES_URL: postgresUrl, UMPIRE_NATS_URL: nats.url, UMPIRE_NATS_USER: 'timeout-scheduler', UMPIRE_NATS_PASSWORD: TEST_NATS_PASSWORD, UMPIRE_PORT: '0' };
}

/** A scheduler in this process. */
export async function startScheduler(env: Record<string, string>): Promise<Running> {
  const logger = createLogger('timeout-scheduler', process.env['TEST_LOG'] ?? 'silent');
  const readiness = new Readiness();
  const module = TimeoutSchedulerModule.register(readTimeoutSchedulerConfig(env), { logger, readiness });
  const app = await startHttpApp(module, { host: '127.0.0.1', port: 0, logger, readiness, probesOnOrigin: true });
  const { port } = app.getHttpServer().address() as AddressInfo;
  let stopped: Promise<void> | null = null;
  return { origin: `http://127.0.0.1:${port}`, stop: () => (stopped ??= app.close()) };
}

/** A scheduler in a process of its own, as it is deployed. */
export function spawnScheduler(env: Record<string, string>, nodeArguments: string[] = []): Promise<ChildProcess> {
  return spawnService(MAIN, env, nodeArguments);
}

/** Starts a service's program. @returns when it says that it has started */
export async function spawnService(main: string, env: Record<string, string>, nodeArguments: string[] = []): Promise<ChildProcess> {
  refuseStalePrograms();
  const child = spawn(process.execPath, [...nodeArguments, main], { env: { UMPIRE_LOG_LEVEL: 'info', ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  const started = Promise.withResolvers<void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (process.env['TEST_LOG']) process.stdout.write(text);
    if (output.length < 10_000 && (output += text).includes('"msg":"started"')) started.resolve();
  });
  child.once('exit', () => started.reject(new Error(`the service ended: ${output}`)));
  await started.promise;
  return child;
}

/** Ends a process as kill -9 does, if it has not ended yet. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
