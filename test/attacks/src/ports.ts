import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const SERVERS = /^(intake|state-store|notifier|timeout-scheduler)( internal)?$/;

/** The HTTP ports of the services behind the gateway, public and internal, by name. */
export async function internalPorts(home: string): Promise<[string, number][]> {
  const ports = JSON.parse(await readFile(join(home, 'ports.json'), 'utf8')) as Record<string, number>;
  return Object.entries(ports).filter(([name]) => SERVERS.test(name));
}
