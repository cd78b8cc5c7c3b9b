import { createHmac } from 'node:crypto';
import { Client } from '../harness/http.ts';
import { Messages } from '../harness/messages.ts';
import { latencies, quantile } from '../harness/numbers.ts';
import { paced, serial } from '../harness/paced.ts';
import { atMost, type Options, type Part, type PartResult } from '../harness/part.ts';
import { Product } from '../harness/product.ts';
import { Receiver } from '../harness/receiver.ts';
import { byContender, interleave, ratioOf, type Contender } from '../harness/rounds.ts';
import { publishAndCommit } from './steps.ts';

/** Of Convoy's published queue change: p95 at 50 to 200 deliveries a second, on its own machines. */
const CONVOY_P95_MS = 124;

function ours(product: Product, messages: Messages, receiver: Receiver, rate: number, seconds: number): Contender {
  return {
    name: `ours at ${rate}/s`,
    run: async (round) => {
      const times: number[] = [];
      await paced(rate, seconds, async (_index, at) => {
        const { id, subject, text } = messages.next(`bench/hook/${rate}/${round}`);
        await product.js.publish(subject, text);
        times.push((await receiver.moment('hitl_escalation_required', id)) - at);
      });
      return latencies('hook', times);
    },
  };
}

/** One publish, one commit, one publish and one signed POST, one at a time. */
export function bareChain(product: Product, messages: Messages, receiver: Receiver, count: number): Contender {
  return {
    name: 'publish + commit + publish + POST',
    run: async () => {
      const { publish, commit } = await publishAndCommit(product, messages, count);
      const client = new Client(new URL(receiver.url).origin, 'none');
      const key = Buffer.alloc(32, 7);
      const post = await serial(count, () => {
        const { text } = messages.next('bench/chain');
        createHmac('sha256', key).update(text).digest('base64');
        return client.ask('POST', '/hook', text);
      });
      await client.close();
      return { publish: publish!, commit: commit!, post: quantile(post, 0.5), hook_p50: 2 * publish! + commit! + quantile(post, 0.5) };
    },
  };
}

async function run(options: Options): Promise<PartResult> {
  const product = await Product.start();
  try {
    const messages = new Messages();
    const receiver = await Receiver.register(product, { events: ['hitl_escalation_required'] });
    const seconds = options.quick ? 2 : 8;
    await ours(product, messages, receiver, 100, 3).run(0);
    const measured = await interleave([ours(product, messages, receiver, 50, seconds), ours(product, messages, receiver, 200, seconds), bareChain(product, messages, receiver, options.quick ? 50 : 300)], options, () => product.atRest());
    await receiver.close();
    return resultOf(measured);
  } finally {
    await product.stop();
  }
}

function resultOf(measured: PartResult['measured']): PartResult {
  const found = byContender(measured);
  const aims = [50, 200].flatMap((rate) => {
    const own = found[`ours at ${rate}/s`];
    return own ? [
      atMost(`publish → signed webhook, p99 at ${rate}/s`, 30, own['hook_p99']!, 'ms'),
      atMost(`publish → signed webhook, p95 at ${rate}/s (Convoy's published figure)`, CONVOY_P95_MS, own['hook_p95']!, 'ms'),
    ] : [];
  });
  return {
    measured,
    aims: [...aims, { ...atMost('× (publish + commit + publish + POST), p50 at 50/s (no aim: for scale)', Infinity, ratioOf(measured, 'hook_p50', 'ours at 50/s', 'publish + commit + publish + POST')), aim: '–' }],
    charts: [{ title: 'Publish → signed webhook received', unit: 'ms (p99)', bars: Object.entries(found).flatMap(([label, metrics]) => ('hook_p99' in metrics ? [{ label, summary: metrics['hook_p99']! }] : [])) }],
  };
}

export const webhookPart: Part = { name: 'webhook', title: 'publish → signed webhook received, at 50/s and 200/s', run };
