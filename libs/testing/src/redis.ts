import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServers } from '../../../deploy/local/servers.mjs';

export type TestRedis = { url: string; kill(): Promise<void>; start(): Promise<void>; stop(): Promise<void> };

/** A redis-server of its own. */
export async function testRedis(): Promise<TestRedis> {
  const home = await mkdtemp(join(tmpdir(), 'umpire-redis-'));
  const servers = await startServers({ home, only: ['redis'], quiet: true });
  return {
    url: servers.redis.url,
    kill: () => servers.redis.kill(),
    start: () => servers.redis.start(),
    stop: async () => {
      await servers.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}
