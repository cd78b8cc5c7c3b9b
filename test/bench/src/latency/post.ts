import { Client, originOf } from '../harness/http.ts';
import { Messages } from '../harness/messages.ts';
import { latencies, summarise } from '../harness/numbers.ts';
import { closed, paced, serial } from '../harness/paced.ts';
import { atMost, type Options, type Part, type PartResult } from '../harness/part.ts';
import { Product } from '../harness/product.ts';
import { byContender, interleave, ratioOf, type Contender } from '../harness/rounds.ts';
import { bareSum, startBarePath } from './post-limits.ts';

/**
 * V8 makes the last of its code for what runs once a post some 10,500 posts after a start, for most of it at once: 150 ms of compiling
 * in two services, once in a process. A slice with that in it is told by itself; what is measured comes after it.
 */
const WARM_POSTS = 20_000;
const BEFORE_LAST_CODE = 6_000;

/** What is posted to, with connections that are kept for all of its rounds, as a busy client does. */
class Door {
  private readonly client: Client;
  private readonly product: Product;
  private readonly messages: Messages;

  constructor(product: Product, origin: string, messages: Messages) {
    this.client = new Client(origin, product.connection.keys.producer, 128);
    this.product = product;
    this.messages = messages;
  }

  /** @throws when it is not stored */
  private async post(tag: string): Promise<void> {
    const { status, text } = await this.client.send('POST', '/api/escalations', this.messages.next(`bench/post/${tag}`).text);
    if (status !== 202 || !text.includes('"stored"')) throw new Error(`not stored: ${status} ${text}`);
  }

  async warmUp(count: number): Promise<void> {
    await closed(count, 64, () => this.post('warm'));
    await this.product.atRest();
  }

  contender(name: string, count: number, seconds: number): Contender {
    return {
      name,
      run: async (round) => {
        const one = await serial(count, () => this.post(`one/${round}`));
        const rate = (count * 4) / (await closed(count * 4, 64, () => this.post(`many/${round}`)));
        await this.product.atRest();
        const half: number[] = [];
        await paced(rate / 2, seconds, async (_index, at) => {
          await this.post(`half/${round}`);
          half.push(performance.now() - at);
        });
        return { ...latencies('post', one), rate, ...latencies('half', half) };
      },
    };
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

async function run(options: Options): Promise<PartResult> {
  const product = await Product.start();
  try {
    const messages = new Messages();
    const [count, seconds, warm] = options.quick ? [50, 2, 1_000] : [400, 6, WARM_POSTS];
    const direct = new Door(product, await originOf(product, 'intake'), messages);
    const gateway = new Door(product, product.connection.api_url, messages);
    const barePath = await startBarePath(product);
    const bare = new Door(product, barePath.origin, messages);
    await direct.warmUp(Math.min(BEFORE_LAST_CODE, warm));
    const young = (await direct.contender('ours, young', count, seconds).run(0))['half_p99']!;
    for (const [door, posts] of [[direct, warm / 2], [gateway, warm / 2], [bare, warm]] as const) await door.warmUp(posts);
    const contenders = [direct.contender('ours', count, seconds), gateway.contender('ours, through the gateway', count, seconds), bareSum(product, messages, count), bare.contender('bare path', count, seconds)];
    const measured = await interleave(contenders, options, () => product.atRest());
    for (const door of [direct, gateway, bare]) await door.close();
    await barePath.stop();
    return resultOf(measured, young);
  } finally {
    await product.stop();
  }
}

/** @param young p99 at half load of a process that has not made all of its code, in ms */
function resultOf(measured: PartResult['measured'], young: number): PartResult {
  const found = byContender(measured);
  return {
    measured,
    aims: [
      atMost('× (echo + publish + commit), POST → 202 stored, p50, one at a time', 2, ratioOf(measured, 'post_p50', 'ours', 'echo + publish + commit')),
      { ...atMost('× the bare path, p50, one at a time (no aim: the same processes with nothing in them)', Infinity, ratioOf(measured, 'post_p50', 'ours', 'bare path')), aim: '–' },
      ...(found['ours'] ? [atMost('POST → 202 stored, p99 at half load', 20, found['ours']['half_p99']!, 'ms')] : []),
      { ...atMost('the same once in a process, 8,000 posts after its start (no aim)', Infinity, summarise([young]), 'ms'), aim: '–' },
    ],
    charts: [{ title: 'POST → 202 stored, one at a time', unit: 'ms (p50)', bars: Object.entries(found).map(([label, metrics]) => ({ label, summary: metrics['post_p50']! })) }],
  };
}

export const postPart: Part = { name: 'post', title: 'POST → 202 stored', run };
