import { Client, originOf } from '../harness/http.ts';
import { Messages } from '../harness/messages.ts';
import { closed } from '../harness/paced.ts';
import type { Aim, Options, Part, PartResult } from '../harness/part.ts';
import { Product } from '../harness/product.ts';
import { say } from '../harness/progress.ts';
import { byContender, interleave, ratioOf, type Contender } from '../harness/rounds.ts';
import { openMany } from '../latency/respond.ts';
import { FILLERS, fillRows } from '../reads/rows.ts';
import { ours as storeOurs } from '../store/ours.ts';

/** The product's rates with so many pending: stored, answered, listed. */
function contender(name: string, product: Product, client: Client, messages: Messages, count: number): Contender {
  return {
    name,
    run: async (round) => {
      const { rate: stored } = await storeOurs(product, messages, count).run(round);
      const ids = await openMany(product, messages, count, `bench/pending/${round}`);
      const answering = await closed(count, 32, (index) => client.ask('POST', '/hitl/respond', JSON.stringify({ interaction_id: ids[index], user_input: { decision: 'approve' } })));
      const reading = await closed(count, 4, () => client.ask('GET', '/hitl/pending/alice?limit=50'));
      return { stored: stored!, answered: count / answering, inbox: count / reading };
    },
  };
}

async function run(options: Options): Promise<PartResult> {
  const env = { UMPIRE_STATE_STORE_RATE_READS: '0', UMPIRE_STATE_STORE_RATE_WRITES: '0' };
  const sizes = options.quick ? [1_000, 20_000] : [10_000, 1_000_000];
  const names = sizes.map((size) => `${size.toLocaleString('en-US')} pending`);
  const products = [await Product.start({ env }), await Product.start({ env })];
  try {
    const messages = new Messages();
    const contenders: Contender[] = [];
    for (const [index, product] of products.entries()) {
      say(`filling ${names[index]}`);
      await fillRows(product.connectPostgres(FILLERS), sizes[index]!, false);
      const client = new Client(await originOf(product, 'state-store'), product.connection.keys.reviewers.alice);
      contenders.push(contender(names[index]!, product, client, messages, options.quick ? 300 : 2_000));
    }
    for (const one of contenders) await one.run(0);
    return resultOf(await interleave(contenders, options, () => Promise.all(products.map((product) => product.atRest()))), names[1]!, names[0]!);
  } finally {
    for (const product of products) await product.stop();
  }
}

function resultOf(measured: PartResult['measured'], many: string, few: string): PartResult {
  const aims = ['stored', 'answered', 'inbox'].map((metric): Aim => {
    const spread = ratioOf(measured, metric, many, few);
    return { what: `${metric}/s: ${many} against ${few}`, aim: '≥ 0.9', measured: spread.median, unit: '', met: spread.median >= 0.9, spread };
  });
  const found = byContender(measured);
  return { measured, aims, charts: [{ title: 'Stored a second, by how many are pending', unit: '/s', bars: Object.entries(found).map(([label, metrics]) => ({ label, summary: metrics['stored']! })) }] };
}

export const pendingPart: Part = { name: 'pending', title: '10 k against 1 M pending', run };
