import { Messages } from '../harness/messages.ts';
import { atLeast, atMost, type Aim, type Options, type Part, type PartResult } from '../harness/part.ts';
import { Product } from '../harness/product.ts';
import { say } from '../harness/progress.ts';
import { byContender, interleave, ratioOf } from '../harness/rounds.ts';
import { fillTimers } from '../reads/rows.ts';
import { bareClaims, claiming, ours } from './ours.ts';
import { bossScheduled, graphileScheduled } from './peers.ts';

async function run(options: Options): Promise<PartResult> {
  const product = await Product.start();
  try {
    const messages = new Messages();
    const pending = options.quick ? 20_000 : 1_000_000;
    const seconds = options.quick ? 1 : 8;
    say(`arming ${pending.toLocaleString('en-US')} timers`);
    await fillTimers(product.connectPostgres(1), pending);
    await ours(product, messages, 200, 2).run(0);
    const measured = await interleave([
      ours(product, messages, 1_000, seconds), ours(product, messages, 2_000, seconds), claiming(product, 5_000, seconds), bareClaims(product, pending, 20_000),
      graphileScheduled(product, pending, 1_000, seconds), bossScheduled(product, pending, 1_000, seconds),
    ], options, () => product.atRest());
    return resultOf(measured);
  } finally {
    await product.stop();
  }
}

function resultOf(measured: PartResult['measured']): PartResult {
  const found = byContender(measured);
  const own = (name: string) => found[name];
  const early = measured.filter((one) => one.contender.startsWith('ours')).reduce((sum, one) => sum + (one.metrics['early'] ?? 0), 0);
  const aims: Aim[] = [{ what: 'fired early, all rounds', aim: '0', measured: early, unit: '', met: early === 0 }];
  const [half, full, claims] = [own('ours at 1,000/s'), own('ours at 2,000/s'), own('claiming alone at 5,000/s')];
  if (full) aims.push(atLeast('timers/s with all their effects, asked for 2,000/s', 1_900, full['fired']!, '/s'));
  if (half) aims.push(atMost('p99 lateness at 1,000/s, decided', 100, half['late_p99']!, 'ms'), atMost('p99 lateness at 1,000/s, event heard', 100, half['heard_p99']!, 'ms'));
  if (claims) aims.push(atLeast('claiming alone, asked for 5,000/s', 4_750, claims['fired']!, '/s'));
  for (const peer of ['graphile-worker at 1,000/s', 'pg-boss at 1,000/s']) {
    if (half && own(peer)) aims.push({ ...atMost(`× the p99 lateness of ${peer}`, 1, ratioOf(measured, 'late_p99', 'ours at 1,000/s', peer)) });
  }
  return { measured, aims, charts: [{ title: 'Lateness of timers', unit: 'ms (p99)', bars: Object.entries(found).flatMap(([label, metrics]) => (metrics['late_p99'] ? [{ label, summary: metrics['late_p99'] }] : [])) }] };
}

export const timersPart: Part = { name: 'timers', title: 'timers: 1 M pending, fires/s, lateness', run };
