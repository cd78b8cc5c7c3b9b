import { delay, eventually } from '@umpire/testing';
import { eventDeliveriesOver } from '../consumers.ts';
import type { FaultCase } from '../fault-case.ts';
import { SERVICES, type FaultStack, type Replica, type ServiceName } from '../fault-stack.ts';
import { shuffled } from '../random.ts';

/** `ack_wait` of every consumer is 30 s: what stands still longer has its messages given to others. */
const LONGER_THAN_ACK_WAIT_MS = 34_000;
const STOP_WITHIN_MS = 10_000;

/** The services themselves: killed, stopped for longer than the server waits for an ack, restarted one by one. */
export const processCases: FaultCase[] = [
  {
    name: 'kill',
    breaks: 'each service is ended by kill -9, again and again, at random moments',
    run: async ({ faults, load, random, short }) => {
      const each = short ? 2 : 10;
      const victims = shuffled(SERVICES.flatMap((name) => Array<ServiceName>(each).fill(name)), random);
      for (const name of victims) {
        // A random moment within a slice of the load.
        await Promise.all([load.more(short ? 10 : 50), delay(random() * 400).then(() => faults.end(name, 'SIGKILL'))]);
      }
      return { kills: victims.length };
    },
  },
  {
    name: 'stop',
    breaks: 'each service in turn stands still (SIGSTOP) for longer than ack_wait while a second replica goes on, then wakes up with what it held',
    shows: ['eventsRedelivered'],
    load: { perSecond: 20 },
    run: async (run) => {
      const { faults, load, say } = run;
      for (const name of SERVICES) await faults.replica(name);
      const before = await eventDeliveriesOver(run);
      for (const name of SERVICES) {
        const pid = await faults.pid(name);
        process.kill(pid, 'SIGSTOP');
        say(`${name} stands still`);
        await delay(LONGER_THAN_ACK_WAIT_MS);
        process.kill(pid, 'SIGCONT');
        await load.moreAcked(40);
      }
      return { stops: SERVICES.length, eventsRedelivered: (await eventDeliveriesOver(run)) - before };
    },
  },
  {
    name: 'rolling',
    breaks: 'two replicas of each service are restarted one after the other, as a deployment does it',
    run: async ({ faults, load, say }) => {
      const second = new Map<ServiceName, Replica>();
      for (const name of SERVICES) second.set(name, await faults.replica(name));
      let slowest = 0;
      for (const name of SERVICES) {
        slowest = Math.max(slowest, await endWell(name, second.get(name)!));
        second.set(name, await faults.replica(name));
        await load.more(20);
        slowest = Math.max(slowest, await endWellByLauncher(name, faults));
        await faults.ready();
        say(`${name}: both restarted`);
        await load.more(20);
      }
      return { restarts: 2 * SERVICES.length, slowestStopMs: slowest };
    },
  },
  {
    name: 'sigterm',
    breaks: 'each service gets SIGTERM in the middle of a batch, three times, under a heavier load: it must drain and exit 0 within 10 s',
    load: { perSecond: 80, mostWaiting: 800 },
    run: async ({ faults, load, random }) => {
      let slowest = 0;
      for (const name of SERVICES.flatMap((service) => [service, service, service])) {
        await Promise.all([load.more(100), delay(random() * 300).then(async () => {
          slowest = Math.max(slowest, await endWellByLauncher(name, faults));
        })]);
        await faults.ready();
      }
      return { terms: 3 * SERVICES.length, slowestStopMs: slowest };
    },
  },
];

async function endWell(name: ServiceName, replica: Replica): Promise<number> {
  const { code, tookMs } = await replica.stop('SIGTERM');
  if (code !== 0 || tookMs > STOP_WITHIN_MS) throw new Error(`${name} ended with ${code} after ${tookMs} ms`);
  return tookMs;
}

/** @returns how long it took to end, ms, by what the launcher says of its end. */
async function endWellByLauncher(name: ServiceName, faults: FaultStack): Promise<number> {
  const heard = faults.endings().length;
  const began = performance.now();
  process.kill(await faults.pid(name), 'SIGTERM');
  const line = await eventually(`${name} to end`, () => faults.endings().slice(heard).find((said) => said.includes(`${name} ended`)), 30_000);
  const tookMs = Math.round(performance.now() - began);
  if (!line.includes('exit code 0') || tookMs > STOP_WITHIN_MS) throw new Error(`${line} (after ${tookMs} ms)`);
  return tookMs;
}
