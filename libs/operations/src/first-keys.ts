import { generateApiKey, isApiKey, type Sql } from '@umpire/runtime';
import { addKey } from './provisioning.ts';

/** Where the first keys are kept for people to fetch: written once, never overwritten. */
export type KeyPlace = {
  /** @returns the key kept for a namespace, or null */
  read: (namespace: string) => Promise<string | null>;
  /** Keeps a key unless there is one by now. @returns the one that is kept */
  write: (namespace: string, key: string) => Promise<string>;
};

/**
 * Gives each namespace its first admin key: the one that makes all others. The key is kept before the database hears of it, so that a
 * crash between the two leaves nothing that nobody knows; running it again ends what was begun.
 * @returns the namespaces whose key was new to the database
 */
export async function createFirstKeys(sql: Sql, namespaces: string[], place: KeyPlace): Promise<string[]> {
  const added: string[] = [];
  for (const namespace of namespaces) {
    const key = (await place.read(namespace)) ?? (await place.write(namespace, generateApiKey()));
    if (!isApiKey(key)) throw new Error(`what is kept for namespace ${namespace} is not a key of ours`);
    if ((await addKey(sql, { namespace, key, roles: ['admin'], name: 'first admin key' })) > 0) added.push(namespace);
  }
  return added;
}
