import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { removeHome, startServers } from '../../../deploy/local/servers.mjs';
import { createTemplate } from './databases.ts';

/** Starts one real Postgres for the run, on a free port with its data in a temporary folder, and makes the template database. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = await mkdtemp(join(tmpdir(), 'umpire-test-'));
  const servers = await startServers({ home, only: ['postgres'], quiet: true });
  await createTemplate(servers.postgres.url, 'umpire_template');
  project.provide('postgresUrl', servers.postgres.url);
  project.provide('template', 'umpire_template');
  return async () => {
    await servers.stop();
    removeHome(home);
  };
}
