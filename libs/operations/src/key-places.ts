import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyPlace } from './first-keys.ts';

/** A folder with a file for each namespace, readable by its owner alone. */
export function folderPlace(folder: string): KeyPlace {
  const read = (namespace: string) => readFile(join(folder, namespace), 'utf8').then((text) => text.trim(), (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return {
    read,
    write: async (namespace, key) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      try {
        await writeFile(join(folder, namespace), `${key}\n`, { flag: 'wx', mode: 0o600 });
        return key;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        return (await read(namespace))!;
      }
    },
  };
}

/** A cluster's API, as a pod's service account reaches it. */
export type ClusterApi = { url: string; token: string; namespace: string };
type Secret = { metadata: { resourceVersion: string }; data?: Record<string, string> };

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const ASK_MS = 10_000;
const TRIES = 5;

/** The API of the cluster that this pod runs in. The certificate's authority comes by `NODE_EXTRA_CA_CERTS`. */
export async function ownCluster(env: Record<string, string | undefined>): Promise<ClusterApi> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (!host) throw new Error('this is no pod: KUBERNETES_SERVICE_HOST is not set');
  const read = (name: string) => readFile(join(ACCOUNT, name), 'utf8').then((text) => text.trim());
  return { url: `https://${host.includes(':') ? `[${host}]` : host}:${port}`, token: await read('token'), namespace: await read('namespace') };
}

/**
 * One Kubernetes Secret that exists already, with an entry for each namespace. Needs `get` and `patch` on this one name. The patch carries
 * the version that was read: of two writers one is refused, and reads the other's.
 */
export function secretPlace(api: ClusterApi, name: string): KeyPlace {
  const url = `${api.url}/api/v1/namespaces/${api.namespace}/secrets/${name}`;
  const ask = async (init: RequestInit, headers: Record<string, string> = {}) => {
    const response = await fetch(url, { ...init, headers: { authorization: `Bearer ${api.token}`, accept: 'application/json', ...headers }, signal: AbortSignal.timeout(ASK_MS) });
    if (response.status === 409) return null;
    if (!response.ok) throw new Error(`the cluster answered ${response.status} for secret ${name}: ${(await response.text()).slice(0, 300)}`);
    return (await response.json()) as Secret;
  };
  const keyIn = (secret: Secret | null, namespace: string) => {
    const text = secret?.data?.[namespace];
    return text === undefined ? null : Buffer.from(text, 'base64').toString('utf8').trim();
  };
  return {
    read: async (namespace) => keyIn(await ask({}), namespace),
    write: async (namespace, key) => {
      for (let attempt = 1; attempt <= TRIES; attempt++) {
        const secret = await ask({});
        const kept = keyIn(secret, namespace);
        if (kept !== null) return kept;
        const body = JSON.stringify({ metadata: { resourceVersion: secret!.metadata.resourceVersion }, data: { [namespace]: Buffer.from(key).toString('base64') } });
        if ((await ask({ method: 'PATCH', body }, { 'content-type': 'application/merge-patch+json' })) !== null) return key;
      }
      throw new Error(`secret ${name} is being written by others all the time`);
    },
  };
}
