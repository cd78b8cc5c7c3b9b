import { createLogger, metrics, Sealer } from '@umpire/runtime';
import { testDatabase, type TestDatabase } from '@umpire/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Checkpoints } from './checkpoint.loop.ts';
import { SigningKeys } from './signing-keys.service.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

const keysUnder = (byte: number) => new SigningKeys(database.sql, new Sealer([Buffer.alloc(32, byte)]), 'default', () => 4_000_000_000_000);
const checkpoints = (keys: SigningKeys) => new Checkpoints(database.sql, keys, { everySeconds: 60, chains: 100 }, createLogger('test', 'silent'));
const age = async () => (await metrics.getSingleMetric('umpire_store_checkpoint_age_seconds')!.get()).values[0]!.value;
const sealedAgo = (hours: number) => database.sql`update store.checkpoint_cursor set moved_at = clock_timestamp() - make_interval(hours => ${hours}::integer)`;

it('rises for as long as nothing can be signed, and falls once it can be', async () => {
  await keysUnder(1).signer();
  for (const hours of [1, 2]) {
    await sealedAgo(hours);
    await expect(checkpoints(keysUnder(2)).runOnce()).rejects.toThrow(/sealed under another/);
    expect(await age()).toBeGreaterThanOrEqual(hours * 3_600);
  }
  await checkpoints(keysUnder(1)).runOnce();
  await checkpoints(keysUnder(1)).runOnce();
  expect(await age()).toBeLessThan(3_600);
});
