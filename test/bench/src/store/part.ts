import { Messages } from '../harness/messages.ts';
import { atLeast, type Options, type Part, type PartResult } from '../harness/part.ts';
import { Product } from '../harness/product.ts';
import { byContender, interleave, ratioOf } from '../harness/rounds.ts';
import { say } from '../harness/progress.ts';
import { bareLoop, copy, rawPublish } from './limits.ts';
import { ours } from './ours.ts';
import { bullMq, graphileWorker, pgBoss } from './peers.ts';

async function run(options: Options): Promise<PartResult> {
  const product = await Product.start();
  try {
    const messages = new Messages();
    const count = options.quick ? 2_000 : 8_000;
    say(`${count} messages of ${messages.bytes} bytes a round, from ${messages.source}`);
    const contenders = [
      ours(product, messages, count), bareLoop(product, messages, count, 1), bareLoop(product, messages, count, 4), rawPublish(product, messages, count), copy(product, messages, count),
      ...[false, true].flatMap((bulk) => [pgBoss, graphileWorker, bullMq].map((make) => make(product, messages, bulk ? count : Math.min(count, 4_000), bulk))),
    ];
    return resultOf(await interleave(contenders, options, () => product.atRest()));
  } finally {
    await product.stop();
  }
}

function resultOf(measured: PartResult['measured']): PartResult {
  const ratio = (below: string) => ratioOf(measured, 'rate', 'ours', below);
  return {
    measured,
    aims: [
      atLeast('of the bare loop', 0.6, ratio('bare loop')),
      atLeast('× pg-boss, single adds', 1.5, ratio('pg-boss, single')),
      atLeast('× graphile-worker, single adds', 2, ratio('graphile-worker, single')),
    ],
    charts: [{ title: 'Publish → stored, opened event out', unit: 'messages/s', bars: Object.entries(byContender(measured)).map(([label, metrics]) => ({ label, summary: metrics['rate']! })) }],
  };
}

export const storePart: Part = { name: 'store', title: 'publish → stored, opened event out', run };
