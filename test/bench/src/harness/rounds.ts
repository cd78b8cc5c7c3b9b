import { cpus } from 'node:os';
import { cpuOfMachine, cpuOfTree, loadAverage } from './machine.ts';
import { summarise, type Summary } from './numbers.ts';
import { round as show, say } from './progress.ts';

export type Metrics = Record<string, number>;

/** One of those compared: its name, and a run that measures it once. */
export type Contender = { name: string; run: (round: number) => Promise<Metrics> };

/** What one contender gave in one round; `others` is the share of all processors that worked for somebody else meanwhile (0 to 1). */
export type Measured = { round: number; contender: string; metrics: Metrics; seconds: number; load: number; others: number };

/**
 * Runs all contenders in every round, each round beginning with another, so that what changes on the machine meanwhile meets all of
 * them alike.
 * @param atRest waits until nothing is left to do of what ran before
 */
export async function interleave(all: readonly Contender[], { rounds, only }: { rounds: number; only?: string | undefined }, atRest: () => Promise<unknown>): Promise<Measured[]> {
  const measured: Measured[] = [];
  const contenders = all.filter(({ name }) => only === undefined || name.includes(only));
  for (let round = 1; round <= rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(turn + round - 1) % contenders.length]!;
      await atRest();
      // What this process has left over is not collected at the contender's expense (`node --expose-gc`).
      globalThis.gc?.();
      const before = { at: performance.now(), machine: cpuOfMachine(), ours: cpuOfTree(process.pid) };
      const metrics = await contender.run(round);
      const seconds = (performance.now() - before.at) / 1000;
      const foreign = cpuOfMachine() - before.machine - (cpuOfTree(process.pid) - before.ours);
      const others = Math.max(0, foreign / (seconds * 1000 * cpus().length));
      measured.push({ round, contender: contender.name, metrics, seconds, load: loadAverage(), others });
      const text = Object.entries(metrics).filter(([name]) => !name.startsWith('cpu_')).map(([name, value]) => `${name} ${show(value)}`).join(', ');
      const cpu = Object.entries(metrics).filter(([name]) => name.startsWith('cpu_')).map(([name, value]) => `${name.slice(4)} ${show(value)}`).join(', ');
      say(`  round ${round}/${rounds} ${contender.name}: ${text} (load ${loadAverage().toFixed(1)}, others ${(others * 100).toFixed(0)} %)`);
      if (cpu) say(`    CPU, µs each: ${cpu}`);
    }
  }
  return measured;
}

/** Every metric of every contender over the rounds. */
export function byContender(measured: readonly Measured[]): Record<string, Record<string, Summary>> {
  const names = [...new Set(measured.map((one) => one.contender))];
  return Object.fromEntries(names.map((name) => {
    const own = measured.filter((one) => one.contender === name);
    const metrics = [...new Set(own.flatMap((one) => Object.keys(one.metrics)))];
    return [name, Object.fromEntries(metrics.map((metric) => [metric, summarise(own.flatMap((one) => (metric in one.metrics ? [one.metrics[metric]!] : [])))]))];
  }));
}

/** The ratio of two contenders round by round, so that noise which met both is divided out. */
export function ratioOf(measured: readonly Measured[], metric: string, above: string, below: string): Summary {
  const value = (round: number, name: string) => measured.find((one) => one.round === round && one.contender === name)?.metrics[metric];
  const rounds = [...new Set(measured.map((one) => one.round))];
  return summarise(rounds.flatMap((round) => {
    const [top, bottom] = [value(round, above), value(round, below)];
    return top === undefined || bottom === undefined ? [] : [top / bottom];
  }));
}
