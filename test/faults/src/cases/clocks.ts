import { fileURLToPath } from 'node:url';
import { delay, eventually } from '@umpire/testing';
import type { FaultCase, FaultRun } from '../fault-case.ts';
import type { ServiceName } from '../fault-stack.ts';

const HOUR = 3_600_000;
const preload = fileURLToPath(new URL('../preload/wrong-clock.mjs', import.meta.url));
const wrong = (env: Record<string, string>, ms: number, jumpMs = 0) => ({
  ...env, NODE_OPTIONS: `--import ${preload}`, FAULTS_CLOCK_OFF_MS: String(ms), FAULTS_CLOCK_JUMP_MS: String(jumpMs),
});

/** Wall clocks of the services that are wrong, or that jump. What is due, the database's clock decides. */
export const clockCases: FaultCase[] = [
  {
    name: 'clocks-wrong',
    breaks: 'the wall clocks of intake, store and scheduler are an hour late, an hour early and an hour early; the notifier\'s (which signs with it) two minutes late',
    shows: ['clocksMoved'],
    stack: {
      environment: (name, env) => {
        const off: Record<string, number> = { intake: -HOUR, 'state-store': HOUR, 'timeout-scheduler': HOUR, notifier: -120_000 };
        return name in off ? wrong(env, off[name]!) : env;
      },
    },
    run: async (run) => {
      await run.load.moreAcked(300);
      return { clocksMoved: await clocksMoved(run, ['intake', 'state-store', 'timeout-scheduler', 'notifier']) };
    },
  },
  {
    name: 'clocks-jump',
    breaks: 'the wall clocks of intake, store and scheduler jump by an hour, to and fro every three seconds',
    shows: ['clocksMoved'],
    stack: { environment: (name, env) => (['intake', 'state-store', 'timeout-scheduler'].includes(name) ? wrong(env, 0, HOUR) : env) },
    run: async (run) => {
      await run.load.moreAcked(600);
      return { clocksMoved: await clocksMoved(run, ['intake', 'state-store', 'timeout-scheduler']) };
    },
  },
  {
    name: 'scheduler-away',
    breaks: 'the scheduler is away for 15 s while deadlines pass: answers after a deadline are refused all the same, and all fire on its return',
    shows: ['overdueAtReturn'],
    run: async (run) => {
      const { faults, load } = run;
      const pid = await faults.pid('timeout-scheduler');
      process.kill(pid, 'SIGSTOP');
      await delay(15_000);
      const due = await run.database(async (sql) => (await sql<{ n: number }[]>`select count(*)::int as n from store.escalations where status = 'pending' and deadline < clock_timestamp()`)[0]!.n);
      process.kill(pid, 'SIGCONT');
      await run.database((sql) => eventually('what was due to fire', async () => (await sql`select 1 from store.escalations where status = 'pending' and deadline < clock_timestamp() - interval '2 seconds'`).length === 0, 60_000));
      await load.moreAcked(40);
      return { overdueAtReturn: due };
    },
  },
];

/** @returns how often the services saw their clock move, by their logs. @throws Error if one of them never did */
async function clocksMoved(run: FaultRun, services: ServiceName[]): Promise<number> {
  let moved = 0;
  for (const name of services) {
    const times = await run.logged(name, /faults: the wall clock is off by/g);
    if (times === 0) throw new Error(`the clock of ${name} never moved`);
    moved += times;
  }
  return moved;
}
