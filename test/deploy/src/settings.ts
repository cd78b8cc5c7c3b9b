import { run } from '@umpire/cli';
import { readIntakeConfig } from '@umpire/intake';
import { readNotifierConfig } from '@umpire/notifier';
import type { Env } from '@umpire/runtime';
import { readStateStoreConfig } from '@umpire/state-store';
import { readTimeoutSchedulerConfig } from '@umpire/timeout-scheduler';
import type { ServiceName } from '@umpire/contract';

const READERS: Record<ServiceName, (env: Env) => unknown> = {
  intake: readIntakeConfig, 'state-store': readStateStoreConfig, notifier: readNotifierConfig, 'timeout-scheduler': readTimeoutSchedulerConfig,
};

/** An environment that notes which variables somebody looks for in it. */
function noting(env: Env): { env: Env; looked: Set<string> } {
  const looked = new Set<string>();
  return { looked, env: new Proxy(env, { get: (target, name) => {
    if (typeof name === 'string') looked.add(name);
    return target[name as string];
  } }) };
}

/** @returns every variable that a service's own reader looks for */
export function variablesOf(service: ServiceName): Set<string> {
  const { env, looked } = noting({});
  try {
    READERS[service](env);
  } catch {
    // Without its required keys: it has looked for all of them by then.
  }
  return looked;
}

/** @returns what the service's reader says is wrong with an environment, or null; else what it read */
export function readAs(service: ServiceName, env: Env): { fault: string | null; config: any } {
  try {
    return { fault: null, config: READERS[service](env) };
  } catch (error) {
    return { fault: (error as Error).message, config: null };
  }
}

/** @returns which variables an operation looks for, and how it ends; its servers need not be there */
export async function operate(argv: string[], given: Env): Promise<{ looked: Set<string>; exit: number; err: string }> {
  const { env, looked } = noting(given);
  let err = '';
  const exit = await run(argv, { env, folder: '/', readFile: () => Promise.reject(new Error('no files')), readInput: () => Promise.resolve(''), out: () => undefined, err: (line) => { err += line; } });
  return { looked, exit, err };
}
