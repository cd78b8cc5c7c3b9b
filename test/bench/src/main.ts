import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { describeMachine, loadAverage } from './harness/machine.ts';
import type { Part } from './harness/part.ts';
import { say } from './harness/progress.ts';
import { keep, writeReport } from './harness/report.ts';
import { memoryPart } from './footprint/memory.ts';
import { pendingPart } from './footprint/pending.ts';
import { lifePart } from './latency/life.ts';
import { postPart } from './latency/post.ts';
import { respondPart } from './latency/respond.ts';
import { webhookPart } from './latency/webhook.ts';
import { readsPart } from './reads/part.ts';
import { scalePart } from './scale/part.ts';
import { storePart } from './store/part.ts';
import { timersPart } from './timers/part.ts';
import { deliveriesPart } from './webhooks/deliveries.ts';
import { isolationPart } from './webhooks/isolation.ts';

const PARTS: Part[] = [storePart, postPart, webhookPart, respondPart, lifePart, deliveriesPart, isolationPart, timersPart, readsPart, pendingPart, memoryPart, scalePart];

const HELP = `npm run bench -- [part …] [--quick] [--rounds <n>]

Measures the product, the limits and the peers in one run on the same servers, round by round in turn, and writes medians and spread to
test/bench/results/ and the table and charts of test/bench/README.md. Without a part: all of them.

${PARTS.map((part) => `  ${part.name.padEnd(10)} ${part.title}`).join('\n')}

  --quick       small counts, one round, nothing is written: does it still run?
  --rounds <n>  default 5
  --only <text> contenders whose name holds this alone; nothing is written`;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' }, only: { type: 'string' }, help: { type: 'boolean', short: 'h' } } });
if (values.help) {
  process.stdout.write(`${HELP}\n`);
  process.exit(0);
}
// Its own collections are kept out of what is measured (see harness/rounds.ts).
if (!globalThis.gc) throw new Error('start it by npm run bench');
const unknown = positionals.filter((name) => !PARTS.some((part) => part.name === name));
if (unknown.length > 0) throw new Error(`no part is called ${unknown.join(', ')}: ${PARTS.map((part) => part.name).join(', ')}`);

/** What was measured, if this is a clone: its commit, and whether anything but what this program writes was changed since. */
function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], cwd: new URL('../../..', import.meta.url) }).trim();
  try {
    const changed = git('status', '--porcelain', '--', '.', ':!test/bench/results', ':!test/bench/README.md') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? '-dirty' : ''}`;
  } catch {
    return 'unknown';
  }
}

const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
for (const part of PARTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  say(`${part.name}: ${part.title} (load ${loadAverage().toFixed(1)})`);
  const began = new Date().toISOString();
  const result = await part.run({ quick: values.quick, rounds, only: values.only });
  for (const aim of result.aims) say(`  ${aim.aim === '–' ? 'for scale' : aim.met ? 'met' : 'NOT MET'}: ${aim.what}: ${aim.measured.toFixed(2)} ${aim.unit} (aim ${aim.aim})`);
  if (values.quick || values.only !== undefined) continue;
  keep({ part: part.name, title: part.title, began, ended: new Date().toISOString(), commit: commit(), machine: await describeMachine(), ...result });
  writeReport(PARTS.map(({ name }) => name));
}
process.exit();
