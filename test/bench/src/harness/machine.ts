import { readdirSync, readFileSync } from 'node:fs';
import { arch, cpus, loadavg, release, totalmem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { quantile } from './numbers.ts';

export type Machine = {
  cpu: string;
  cores: number;
  memory_gb: number;
  system: string;
  node: string;
  /** Handing over to a thread that sleeps, and back: median, µs. What every message between processes costs at least. */
  hand_over_us: number;
};

export async function describeMachine(): Promise<Machine> {
  const [first] = cpus();
  return { cpu: `${first?.model ?? 'unknown'}${family()}`, cores: cpus().length, memory_gb: Math.round(totalmem() / 2 ** 30), system: `${distribution()}, Linux ${release()}, ${arch()}`, node: process.version, hand_over_us: await handOver(200) };
}

/** Virtual machines tell the maker alone as the model. */
function family(): string {
  const [, number, model] = /^cpu family\s*: (\d+)$.*?^model\s*: (\d+)$/ms.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
  return number === undefined ? '' : ` (family ${number}, model ${model})`;
}

const ANSWERS = `const { workerData: shared } = require('node:worker_threads');
for (let seen = 0; seen >= 0; seen = shared[0]) { Atomics.store(shared, 1, seen); Atomics.notify(shared, 1); Atomics.wait(shared, 0, seen); }`;

async function handOver(rounds: number): Promise<number> {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const thread = new Worker(ANSWERS, { eval: true, workerData: shared });
  const took: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    await delay(2);
    const from = performance.now();
    Atomics.store(shared, 0, round);
    Atomics.notify(shared, 0);
    while (Atomics.load(shared, 1) !== round) Atomics.wait(shared, 1, round - 1, 1_000);
    took.push((performance.now() - from) * 1_000);
  }
  await thread.terminate();
  return Math.round(quantile(took, 0.5) * 10) / 10;
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  } catch {
    return 'unknown';
  }
}

export const loadAverage = (): number => loadavg()[0]!;

/** Ticks of /proc: hundredths of a second on every Linux that Node runs on. */
const TICK_MS = 10;

/** CPU time of a process and its threads so far, in ms; 0 once it has gone. */
export function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return 0;
  }
}

/** CPU time of a process, its children and those it has outlived, in ms. */
export function cpuOfTree(pid: number): number {
  let sum = cpuOf(pid);
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
    sum += (Number(fields[13]) + Number(fields[14])) * TICK_MS;
  } catch {
    return sum;
  }
  return childrenOf(pid).reduce((total, child) => total + cpuOfTree(child), sum);
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number));
  } catch {
    return [];
  }
}

/** CPU time that all processors of the machine have worked so far, in ms, waiting for disks not counted. */
export function cpuOfMachine(): number {
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.split(/\s+/).slice(1).map(Number);
  return (user! + nice! + system! + irq! + softirq!) * TICK_MS;
}

/** Resident memory of a process, in MB. */
export function memoryOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
