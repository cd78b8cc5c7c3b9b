import { delay } from '@umpire/testing';
import type { FaultCase } from '../fault-case.ts';
import type { ServerName } from '../fault-stack.ts';

const SERVERS: ServerName[] = ['nats', 'postgres', 'redis'];

/** The network between the services and each server. */
export const networkCases: FaultCase[] = [
  ...SERVERS.map((server): FaultCase => ({
    name: `cut-${server}`,
    breaks: `the network between the services and ${server} is cut for moments and for 8 s, then passes nothing on for 20 s without a word`,
    stack: { lines: [server] },
    run: async ({ faults, load, random }) => {
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
      return { cuts: 4, freezes: 1 };
    },
  })),
  ...SERVERS.map((server): FaultCase => ({
    name: `slow-${server}`,
    breaks: `each piece between the services and ${server} takes 60 ms for 20 s`,
    stack: { lines: [server] },
    load: { perSecond: 15 },
    run: async ({ faults, load }) => {
      faults.lines[server].slow(60);
      await delay(20_000);
      faults.lines[server].slow(0);
      await load.moreAcked(60);
    },
  })),
  {
    name: 'acks-lost',
    breaks: 'what nats-server says to the services is lost, three times for 7 s (publish acks among it), while what they say arrives',
    stack: { lines: ['nats'] },
    run: async ({ faults, load }) => {
      for (let time = 0; time < 3; time++) {
        faults.lines.nats.muffle();
        await delay(7_000);
        faults.lines.nats.unmuffle();
        await load.moreAcked(60);
      }
      return { times: 3 };
    },
  },
];
