import { delay } from '@umpire/testing';
import type { Counts } from '../audit.ts';
import type { FaultCase, FaultRun } from '../fault-case.ts';
import type { ServerName } from '../fault-stack.ts';
import { whileReading } from './redis.ts';

const SERVERS: ServerName[] = ['nats', 'postgres', 'redis'];

/** The network between the services and each server. */
export const networkCases: FaultCase[] = [
  ...SERVERS.map((server): FaultCase => ({
    name: `cut-${server}`,
    breaks: `the network between the services and ${server} is cut for moments and for 8 s, then passes nothing on for 20 s without a word`,
    shows: ['connectionsCut', 'bytesHeld', ...readsOf(server)],
    stack: { lines: [server] },
    run: (run) => readBeside(server, run, async () => {
      const { faults, load, random } = run;
      const line = faults.lines[server];
      for (const ms of [50, 300, 1_000, 8_000]) {
        line.down();
        await delay(ms);
        line.up();
        await load.moreAcked(30);
        await delay(random() * 300);
      }
      line.freeze();
      await delay(20_000);
      line.thaw();
      await load.moreAcked(60);
      return { cuts: 4, freezes: 1, connectionsCut: line.tally.cut, bytesHeld: line.tally.held };
    }),
  })),
  ...SERVERS.map((server): FaultCase => ({
    name: `slow-${server}`,
    breaks: `each piece between the services and ${server} takes 60 ms for 20 s`,
    shows: ['bytesSlowed', ...readsOf(server)],
    stack: { lines: [server] },
    load: { perSecond: 15 },
    run: (run) => readBeside(server, run, async () => {
      const line = run.faults.lines[server];
      line.slow(60);
      await delay(20_000);
      line.slow(0);
      await run.load.moreAcked(60);
      return { bytesSlowed: line.tally.slowed };
    }),
  })),
  {
    name: 'acks-lost',
    breaks: 'what nats-server says to the services is lost, three times for 7 s (publish acks among it), while what they say arrives',
    shows: ['bytesLost'],
    stack: { lines: ['nats'] },
    run: async ({ faults, load }) => {
      for (let time = 0; time < 3; time++) {
        faults.lines.nats.muffle();
        await delay(7_000);
        faults.lines.nats.unmuffle();
        await load.moreAcked(60);
      }
      return { times: 3, bytesLost: faults.lines.nats.tally.dropped };
    },
  },
];

/** Only reads need Redis: it is missed by nobody while nobody reads. */
const readBeside = (server: ServerName, run: FaultRun, work: () => Promise<Counts>): Promise<Counts> => (server === 'redis' ? whileReading(run, work) : work());

function readsOf(server: ServerName): string[] {
  return server === 'redis' ? ['reads', 'itemReads'] : [];
}
