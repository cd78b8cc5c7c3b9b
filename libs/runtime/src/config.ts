import { parseNamespaces } from '@umpire/contract';
import { z } from 'zod';

export type Env = Record<string, string | undefined>;

/**
 * Reads a service's configuration from environment variables. Key `natsUrl` of service `state-store` is read from
 * `UMPIRE_STATE_STORE_NATS_URL`, else `UMPIRE_NATS_URL`, so that all services can share one environment.
 * @throws ConfigError that names every bad key.
 */
export function loadConfig<Shape extends z.ZodRawShape>(service: string, shape: Shape, env: Env): z.infer<z.ZodObject<Shape>> {
  const infix = service.toUpperCase().replaceAll('-', '_');
  const names = new Map<string, string>();
  const raw: Record<string, string> = {};
  for (const key of Object.keys(shape)) {
    const tail = key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    const own = `UMPIRE_${infix}_${tail}`;
    const name = env[own] !== undefined && env[own] !== '' ? own : `UMPIRE_${tail}`;
    names.set(key, name);
    const value = env[name];
    if (value !== undefined && value !== '') raw[key] = value;
  }
  const parsed = z.object(shape).safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new ConfigError(service, parsed.error.issues.map((issue) => `${names.get(String(issue.path[0])) ?? issue.path.join('.')}: ${issue.message}`));
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

/** Keys that every service has. Durations in milliseconds. */
export const baseConfig = {
  host: z.string().default('127.0.0.1'),
  port: port.default(8080),
  internalPort: port.optional(),
  natsUrl: z.string().default('nats://127.0.0.1:4222'),
  natsUser: z.string().optional(),
  natsPassword: z.string().optional(),
  postgresUrl: z.string().min(1, 'a postgres:// URL is needed'),
  postgresPool: z.coerce.number().int().min(1).max(200).default(10),
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
