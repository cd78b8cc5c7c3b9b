import { eventually } from '@umpire/testing';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RealStore, submission } from '../test/real-store.ts';

// A store and a scheduler, each a process of its own whose wall clock is wrong: only the database's counts.

let real: RealStore;
beforeAll(async () => {
  real = await RealStore.start();
});
afterAll(() => real.stop());

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const rowOf = async (id: string) => {
  const [row] = await real.harness.database.sql<{ status: string; late: number; settled: number }[]>`
    select status, (extract(epoch from settled_at - deadline) * 1000)::float8 as late, (extract(epoch from settled_at) * 1000)::float8 as settled
    from store.escalations where request_id = ${id}`;
  return row!;
};

it('decisions and timeouts are as the database\'s clock says when the processes\' clocks are ten minutes ahead, and then ten behind', async () => {
  const shim = ['--import', pathToFileURL(fileURLToPath(new URL('../test/moved-clock.mjs', import.meta.url))).href];
  const port = await freePort();
  const [store, scheduler] = await Promise.all([real.spawnStore(port, shim), real.spawnScheduler(shim)]);
  const key = await real.harness.key(['reviewer'], 'alice');
  const decide = async (id: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/hitl/respond`, {
      method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify({ interaction_id: id, user_input: { decision: 'approve' } }),
    });
    return { status: response.status, body: (await response.json()) as { outcome: { decided_at: string; source: string } } };
  };

  for (const when of ['ahead', 'behind']) {
    const [short, long] = [`short-${when}`, `long-${when}`];
    const before = await real.now();
    // Ahead, a process that went by its own clock would find the long one over before it began; behind, the short one never due.
    await real.open([submission(short, { interaction: { timeout_seconds: 1 } }), submission(long, { interaction: { timeout_seconds: 300 } })]);
    const decided = await decide(long);
    expect(decided).toMatchObject({ status: 200, body: { outcome: { source: 'human' } } });
    const decidedAt = Date.parse(decided.body.outcome.decided_at);
    expect(decidedAt).toBeGreaterThanOrEqual(before);
    expect(decidedAt).toBeLessThanOrEqual(await real.now());
    await eventually('the short one has run out', async () => (await rowOf(short)).status === 'expired', 60_000);
    const { late, settled } = await rowOf(short);
    expect(late).toBeGreaterThanOrEqual(0);
    expect(settled).toBeLessThanOrEqual(await real.now());
    expect(await decide(short)).toMatchObject({ status: 409, body: { outcome: { source: 'timeout' } } });
    for (const process of [store, scheduler]) process.kill('SIGUSR2');
  }
}, 120_000);
