import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '@umpire/testing';
import { describe, expect, it } from 'vitest';
import { identityOf } from '../../../deploy/local/processes.mjs';
import { removeHome } from '../../../deploy/local/servers.mjs';

type Pids = { services: Record<string, number>; servers: Record<string, number> };

/** The split topology with a launcher that can be killed. */
async function launched(home: string, env: Record<string, string>): Promise<{ launcher: number; pids: Pids }> {
  const child = spawn(process.execPath, ['--experimental-strip-types', '--conditions=source', fileURLToPath(new URL('orphans-launcher.ts', import.meta.url)), home], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  for await (const line of createInterface({ input: child.stdout })) return { launcher: child.pid!, pids: JSON.parse(line) as Pids };
  throw new Error('the launcher ended before anything ran');
}

/** A folder with a `setpriv` that starts the program, and asks for no signal at its parent's death. */
async function deafSetpriv(home: string): Promise<string> {
  const folder = join(home, 'bin');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'setpriv'), '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n', { mode: 0o755 });
  return folder;
}

describe('a launcher that is killed', () => {
  it('together with its servers, where the kernel tells nobody of it, leaves no service behind', async () => {
    const home = await mkdtemp(join(tmpdir(), 'umpire-orphans-'));
    const { launcher, pids } = await launched(home, { PATH: `${await deafSetpriv(home)}${delimiter}${process.env['PATH']}` });
    const services = Object.entries(pids.services).map(([name, pid]) => ({ name, pid, identity: identityOf(pid) }));
    expect(services.every(({ identity }) => identity !== undefined)).toBe(true);
    for (const pid of [launcher, ...Object.values(pids.servers)]) process.kill(pid, 'SIGKILL');
    const left = () => services.filter(({ pid, identity }) => identityOf(pid) === identity);
    await eventually('every service has ended', () => left().length === 0, 60_000).catch(() => undefined);
    const remaining = left();
    for (const { pid } of remaining) process.kill(pid, 'SIGKILL');
    await eventually('all has ended', () => [...remaining.map(({ pid }) => pid), ...Object.values(pids.servers)].every((pid) => identityOf(pid) === undefined), 60_000);
    removeHome(home);
    expect(remaining.map(({ name }) => name)).toEqual([]);
  });
});
