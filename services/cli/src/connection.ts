import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { UsageError } from './failures.ts';

/** Where the product answers, and with which key it is asked. */
export type Connection = { url: string; key: string };
export type ConnectionWish = {
  /** A file as `npm start` writes it. */
  file?: string | undefined;
  namespace?: string | undefined;
  /** Whose key of the file: `admin`, `producer`, or a reviewer's name. */
  as?: string | undefined;
  /** Whose, if `as` does not say; null where it must. */
  otherwise: string | null;
};
/** Written by `npm start`, or by hand: what is not there may be null. */
const keysSchema = z.object({ admin: z.string().nullish(), producer: z.string().nullish(), reviewers: z.record(z.string(), z.string()).nullish() }).nullish();
const fileSchema = z.object({ api_url: z.unknown().optional(), keys: keysSchema, namespaces: z.record(z.string(), z.object({ keys: keysSchema })).nullish() });
const MOST_FAULTS = 5;
type ConnectionFile = z.infer<typeof fileSchema>;

export type ConnectionSources = { env: Record<string, string | undefined>; folder: string; readFile: (path: string) => Promise<string> };

const clone = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * The named file; else `UMPIRE_URL` with `UMPIRE_KEY`; else `connection.json` in `UMPIRE_HOME`; else that of this clone's own home.
 * @throws UsageError where there is none, or it lacks the key
 */
export async function connectionFor(wish: ConnectionWish, sources: ConnectionSources): Promise<Connection> {
  const { UMPIRE_URL: url, UMPIRE_KEY: key, UMPIRE_HOME: home } = sources.env;
  if (wish.file === undefined && url && key) {
    if (wish.as !== undefined || wish.namespace !== undefined) throw new UsageError('--as and --namespace choose among a connection file\'s keys: unset UMPIRE_KEY, or name a file with --connection');
    return { url: originOf(url, 'UMPIRE_URL'), key };
  }
  const path = wish.file !== undefined ? resolve(sources.folder, wish.file) : join(home ? resolve(sources.folder, home) : join(clone, '.umpire'), 'connection.json');
  const file = await read(path, sources);
  return { url: originOf(file.api_url, path), key: keyIn(file, wish, path) };
}

async function read(path: string, { readFile }: ConnectionSources): Promise<ConnectionFile> {
  const text = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot read ${path} (${error.code ?? error.message}): start the product (npm start), name a file with --connection, or set UMPIRE_URL and UMPIRE_KEY`);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${(error as Error).message}`);
  }
  const file = fileSchema.safeParse(value);
  if (file.success) return file.data;
  const faults = file.error.issues.map((issue) => `${issue.path.join('.') || 'the whole'}: ${issue.message}`);
  throw new UsageError(`${path} is not a connection file: ${faults.slice(0, MOST_FAULTS).join('; ')}${faults.length > MOST_FAULTS ? `; and ${faults.length - MOST_FAULTS} more` : ''}`);
}

function originOf(value: unknown, where: string): string {
  if (typeof value !== 'string' || !/^https?:$/.test(URL.parse(value)?.protocol ?? '')) throw new UsageError(`${where} does not give an http(s) address`);
  return value.replace(/\/+$/, '');
}

function keyIn(file: ConnectionFile, { namespace, as: asked, otherwise }: ConnectionWish, path: string): string {
  const as = asked ?? otherwise;
  if (as === null) throw new UsageError('say who you are: --as <reviewer>');
  const keys = namespace === undefined ? file.keys : own(file.namespaces, namespace)?.keys;
  if (!keys) throw new UsageError(namespace === undefined ? `${path} holds no keys` : `${path} holds no keys of namespace "${namespace}"`);
  const key = as === 'admin' || as === 'producer' ? keys[as] : own(keys.reviewers, as);
  if (typeof key === 'string') return key;
  throw new UsageError(`${path} holds no key of "${as}": it has ${['admin', 'producer', ...Object.keys(keys.reviewers ?? {})].join(', ')}`);
}

/** @returns what stands under a name that somebody typed: never what all objects have, as `constructor` */
const own = <T>(record: Record<string, T> | null | undefined, name: string): T | undefined => (record && Object.hasOwn(record, name) ? record[name] : undefined);
