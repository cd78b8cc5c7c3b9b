import { parseNamespaces } from '@umpire/contract';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

export type Env = Record<string, string | undefined>;

/**
 * Reads a service's configuration from environment variables. Key `natsUrl` of service `state-store` is read from
 * `UMPIRE_STATE_STORE_NATS_URL`, else `UMPIRE_NATS_URL`, so that all services can share one environment. Each may end in `_FILE`
 * and then names a file that holds the value: how containers are given secrets.
 * @throws ConfigError that names every bad key.
 */
export function loadConfig<Shape extends z.ZodRawShape>(service: string, shape: Shape, env: Env): z.infer<z.ZodObject<Shape>> {
  const names = new Map<string, string>();
  const raw: Record<string, string> = {};
  const faults: string[] = [];
  for (const key of Object.keys(shape)) {
    const [own, shared] = variableNames(service, key);
    const found = [own, `${own}_FILE`, shared, `${shared}_FILE`].find((name) => env[name] !== undefined && env[name] !== '');
    names.set(key, found ?? shared);
    if (found === undefined) continue;
    try {
      raw[key] = found.endsWith('_FILE') ? readFileSync(env[found]!, 'utf8').trim() : env[found]!;
    } catch (error) {
      faults.push(`${found}: ${(error as Error).message}`);
    }
  }
  if (faults.length > 0) throw new ConfigError(service, faults);
  const parsed = z.object(shape).safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new ConfigError(service, parsed.error.issues.map((issue) => `${names.get(String(issue.path[0])) ?? issue.path.join('.')}: ${issue.message}`));
}

/** @returns the variables that key `natsUrl` of `state-store` is read from: its own, and the one that all services share. */
export function variableNames(service: string, key: string): [own: string, shared: string] {
  const tail = key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  return [`UMPIRE_${service.toUpperCase().replaceAll('-', '_')}_${tail}`, `UMPIRE_${tail}`];
}

/** Bad configuration: printed whole, then exit 1. */
export class ConfigError extends Error {
  readonly faults: string[];

  constructor(service: string, faults: string[]) {
    super(`${service} cannot start, its configuration is not valid:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/**
 * Reads several services' configurations from one environment.
 * @throws ConfigError of `service` with the faults of all of them, each once.
 */
export function readTogether<T extends Record<string, unknown>>(service: string, env: Env, readers: { [K in keyof T]: (env: Env) => T[K] }): T {
  const faults = new Set<string>();
  const configs: Partial<T> = {};
  for (const key of Object.keys(readers) as (keyof T)[]) {
    try {
      configs[key] = readers[key](env);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const fault of error.faults) faults.add(fault);
    }
  }
  if (faults.size > 0) throw new ConfigError(service, [...faults]);
  return configs as T;
}

const port = z.coerce.number().int().min(0).max(65_535);

const file = z.string().min(1).optional();

/** How NATS is reached, and what our streams are called there. */
export const natsConfig = {
  /** One or several, with commas. `tls://` asks for TLS. */
  natsUrl: z.string().default('nats://127.0.0.1:4222'),
  natsUser: z.string().optional(),
  natsPassword: z.string().optional(),
  /** A credentials file (operator mode). Read again at every reconnect. */
  natsCreds: file,
  /** PEM files: the authority that signed the server's certificate; our own certificate and key where the server asks for one. */
  natsTlsCa: file,
  natsTlsCert: file,
  natsTlsKey: file,
  /** The JetStream domain that holds our streams, on a leaf node or a cluster with several. */
  natsDomain: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/, 'must be letters, digits, - and _').optional(),
  /** Put before every stream's name, on a cluster that has streams of others. */
  natsStreamPrefix: z.string().regex(/^[A-Za-z0-9_-]{0,32}$/, 'must be letters, digits, - and _').default(''),
  /** Copies of each stream in a cluster. Without it a stream is left with what it has. */
  natsReplicas: z.coerce.number().pipe(z.literal([1, 3, 5])).optional(),
  /** `ensure` makes and mends streams and consumers; `check` only looks, for users without the right to. */
  topology: z.enum(['ensure', 'check']).default('ensure'),
} as const;

/** How Postgres is reached. */
export const postgresConfig = {
  postgresUrl: z.string().min(1, 'a postgres:// URL is needed'),
  postgresPool: z.coerce.number().int().min(1).max(200).default(10),
  /** PEM file of the authority that signed the server's certificate: the connection is then TLS, and the server's name is verified. */
  postgresTlsCa: file,
  /** Behind a pooler that gives each transaction another session (PgBouncer): nothing is prepared or set for a session. */
  postgresPooled: z.enum(['true', 'false']).default('false').transform((text) => text === 'true'),
} as const;

/** Keys that every service has. Durations in milliseconds. */
export const baseConfig = {
  host: z.string().default('127.0.0.1'),
  port: port.default(8080),
  internalPort: port.optional(),
  ...natsConfig,
  ...postgresConfig,
  namespaces: z.string().default('{"default":["main"]}').transform((text, context) => {
    const parsed = parseNamespaces(text);
    if (parsed.ok) return parsed.namespaces;
    for (const message of parsed.errors) context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }),
  publicUrl: z.string().default('http://127.0.0.1:8080'),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
} as const;

export type BaseConfig = z.infer<z.ZodObject<typeof baseConfig>>;
