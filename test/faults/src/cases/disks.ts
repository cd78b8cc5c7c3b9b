import { delay, eventually } from '@umpire/testing';
import { join } from 'node:path';
import { SmallDisk } from '../disk.ts';
import type { FaultCase, FaultRun } from '../fault-case.ts';

const streamDisk = new SmallDisk((home) => join(home, 'nats', 'data'), 96);
const databaseDisk = new SmallDisk((home) => join(home, 'postgres'), 320);

/** Disks that are full. */
export const diskCases: FaultCase[] = [
  {
    name: 'disk-nats',
    breaks: 'JetStream\'s disk is full for 15 s: nothing may be acknowledged that is not kept; then there is room again, and nats-server is restarted as its operator would',
    unless: () => SmallDisk.impossible(),
    stack: { prepare: streamDisk.mount, cleanUp: streamDisk.unmount },
    run: async (run) => {
      const filled = streamDisk.fill();
      run.say(`${filled} bytes taken`);
      const refused = await eventually('what takes a place in the stream to be told to come again', () => cancelled(run).then((status) => [429, 503].includes(status) && status), 60_000);
      const { status } = await run.load.postOne();
      if (status !== 202) throw new Error(`a post, which the store keeps, was answered ${status}`);
      await delay(15_000);
      streamDisk.free();
      await run.servers.nats.restart();
      await run.load.moreAcked(60);
      return { filled, refusedWith: refused };
    },
  },
  {
    name: 'disk-postgres',
    breaks: 'Postgres\' disk is full for 20 s, then there is room again',
    shows: ['noSpaceLeft'],
    unless: () => SmallDisk.impossible(),
    load: { perSecond: 80 },
    stack: { prepare: databaseDisk.mount, cleanUp: databaseDisk.unmount },
    run: async (run) => {
      const filled = databaseDisk.fill();
      run.say(`${filled} bytes taken`);
      await run.load.more(600);
      await delay(12_000);
      databaseDisk.free();
      run.say('there is room again');
      await run.load.moreAcked(60);
      return { filled, noSpaceLeft: await run.logged('postgres', /No space left on device/g) };
    },
  },
];

async function cancelled(run: FaultRun): Promise<number> {
  const answer = await run.load.cancelNobody();
  if (answer.status === 503 && answer.headers.get('retry-after') === null) throw new Error('503 without Retry-After');
  return answer.status;
}
