import { existsSync, readFileSync } from 'node:fs';
import { quantile } from '../harness/numbers.ts';
import type { Aim, Options, Part, PartResult } from '../harness/part.ts';
import { say } from '../harness/progress.ts';
import type { Result } from '../harness/report.ts';
import { byContender, type Measured } from '../harness/rounds.ts';
import { capacity, simulate, type Stage } from './queue.ts';

/** How busy a server is planned to be; the rest is for bursts, uneven keys and a lost neighbour. */
const PLANNED = 0.6;
const CORES_OF_A_DATABASE = 16;
const TARGETS = [10_000, 100_000, 1_000_000];
const NAMESPACES = 200;

/** µs of CPU for each whole life, and publishes a second that one stream takes: as measured. */
export type Costs = { intake: number; store: number; postgres: number; notifier: number; scheduler: number; streamRate: number };

/** @throws when `store` and `life` have not been measured */
export function measuredCosts(): Costs {
  const [life, store] = ['life', 'store'].map((name) => byContender(read(name).measured));
  const cpu = (name: string) => life!['ours']![`cpu_${name}`]!.median;
  return { intake: cpu('intake'), store: cpu('state-store'), postgres: cpu('postgres'), notifier: cpu('notifier'), scheduler: cpu('timeout-scheduler'), streamRate: store!['JetStream publish']!['rate']!.median };
}

function read(part: string): Result {
  const url = new URL(`../../results/${part}.json`, import.meta.url);
  if (!existsSync(url)) throw new Error(`the plan is made of what was measured: npm run bench -- ${part} first`);
  return JSON.parse(readFileSync(url, 'utf8')) as Result;
}

/** Publishes of one life on the events and outcomes streams: opened, two responses, resolved, the outcome. */
const PUBLISHES = 5;

/**
 * The stages of a life with as many servers as the arithmetic says: rate × cost ÷ 0.6. Streams and databases are partitions, of which an
 * escalation has its own; services are groups, of which any member takes it.
 */
export function plan(costs: Costs, rate: number): Stage[] {
  const size = (name: string, keyed: boolean, batch: number, fixed: number, each: number): Stage => ({ name, keyed, batch, fixed, each, servers: Math.ceil((rate * (each + fixed / batch)) / 1000 / PLANNED) });
  return [
    size('review streams', true, 1, 0, 1000 / costs.streamRate),
    size('intake, cores', false, 150, 0.2, costs.intake / 1000),
    size('state store, cores', false, 150, 0.2, costs.store / 1000),
    size(`Postgres of ${CORES_OF_A_DATABASE} cores`, true, 300, 1, costs.postgres / 1000 / CORES_OF_A_DATABASE),
    size('event streams', true, 1, 0, (PUBLISHES * 1000) / costs.streamRate),
    size('timeout scheduler, cores', false, 500, 0.2, costs.scheduler / 1000),
    size('notifier, cores', false, 500, 0.2, costs.notifier / 1000),
  ];
}

/** The same numbers at every run. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

/** Of 200 namespaces the k-th is 1/k as busy as the first, as tenants are. */
function zipf(random: () => number): () => number {
  const weights = Array.from({ length: NAMESPACES }, (_, index) => 1 / (index + 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return () => {
    let left = random() * total;
    const index = weights.findIndex((weight) => (left -= weight) <= 0);
    return Math.max(0, index) * 7_919;
  };
}

function run({ quick }: Options): Promise<PartResult> {
  const costs = measuredCosts();
  const measured: Measured[] = [];
  const aims: Aim[] = [];
  for (const rate of quick ? TARGETS.slice(0, 1) : TARGETS) {
    const stages = plan(costs, rate);
    const seconds = Math.min(4, 200_000 / rate);
    for (const partitioned of ['request id', 'namespace'] as const) {
      const random = randomOf(7);
      const keys = partitioned === 'request id' ? () => Math.floor(random() * 2 ** 31) : zipf(random);
      const found = simulate(stages, rate, seconds, random, keys);
      const name = `${rate.toLocaleString('en-US')}/s, by ${partitioned}`;
      const metrics = { planned: Math.min(...stages.map(capacity)), done: found.rate, p50_ms: quantile(found.latencies, 0.5), p99_ms: quantile(found.latencies, 0.99), busiest: Math.max(...found.busiest), servers: stages.reduce((sum, { servers }) => sum + servers, 0) };
      measured.push({ round: 1, contender: name, metrics, seconds, load: 0, others: 0 });
      say(`  ${name}: ${Math.round(found.rate)}/s, busiest ${found.busiest.map((share) => share.toFixed(2)).join(' ')}`);
      const share = found.rate / rate;
      if (partitioned === 'request id') aims.push({ what: `of ${rate.toLocaleString('en-US')}/s, simulated on what the arithmetic says is needed`, aim: '≥ 0.98', measured: share, unit: '', met: share >= 0.98 });
    }
  }
  return Promise.resolve({ measured, aims, charts: [], notes: [notesOf(costs)] });
}

function notesOf(costs: Costs): string {
  const rows = TARGETS.map((rate) => `| ${rate.toLocaleString('en-US')} | ${plan(costs, rate).map(({ servers }) => servers.toLocaleString('en-US')).join(' | ')} |`);
  return `Lives a second (publish, two votes, resolve, webhooks), and what they need at 60 % of what was measured here for one:\n\n| lives/s | ${plan(costs, 1).map(({ name }) => name).join(' | ')} |\n|---|${plan(costs, 1).map(() => '---|').join('')}\n${rows.join('\n')}\n\n` +
    'The simulation lets Poisson arrivals run through these stages as queues with batches (`src/scale/`). Partitioned by request id the plan holds; by namespace, of which the busiest has a sixth of everything, its partitions are overrun. A Postgres is always busy: it commits whatever has arrived, and batches grow with the rate.';
}

export const scalePart: Part = { name: 'scale', title: 'the plan past one machine, simulated', run };

