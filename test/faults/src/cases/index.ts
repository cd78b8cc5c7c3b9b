import type { FaultCase } from '../fault-case.ts';
import { clockCases } from './clocks.ts';
import { diskCases } from './disks.ts';
import { networkCases } from './network.ts';
import { overdriveCases } from './overdrive.ts';
import { postgresCases } from './postgres.ts';
import { processCases } from './processes.ts';
import { receiverCases } from './receivers.ts';
import { redisCases } from './redis.ts';
import { restoreCases } from './restore.ts';
import { streamCases } from './streams.ts';
import { versionCases } from './versions.ts';

const single: FaultCase[] = [
  ...processCases, ...streamCases, ...postgresCases, ...redisCases, ...networkCases, ...diskCases, ...clockCases, ...receiverCases, ...versionCases, ...restoreCases, ...overdriveCases,
];
const byName = (name: string) => single.find((one) => one.name === name)!;

/** What is part of `npm test`: four of the most telling ones on one stack, each with less load. */
export const shortCase: FaultCase = {
  name: 'short',
  breaks: 'kill -9 of every service, then of nats-server, events and outcomes streams and consumers deleted, Postgres away',
  load: { perSecond: 20 },
  run: async (run) => {
    const counts = [];
    for (const name of ['kill', 'nats-kill', 'streams', 'postgres-restart']) {
      run.say(name);
      counts.push(await byName(name).run(run));
    }
    return Object.assign({}, ...counts);
  },
};

/** Every case, in the order in which they run. */
export const allCases: FaultCase[] = [...single, shortCase];
