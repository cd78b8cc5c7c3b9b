import { fastify } from 'fastify';
import { Client, originOf } from '../harness/http.ts';
import { Messages } from '../harness/messages.ts';
import { latencies, quantile } from '../harness/numbers.ts';
import { closed, paced, serial } from '../harness/paced.ts';
import { atMost, type Options, type Part, type PartResult } from '../harness/part.ts';
import { Product } from '../harness/product.ts';
import { byContender, interleave, ratioOf, type Contender } from '../harness/rounds.ts';
import { publishAndCommit } from './steps.ts';

/** Echo, publish and commit, one at a time: what a POST cannot do without. */
function bareSum(product: Product, messages: Messages, count: number): Contender {
  return {
    name: 'echo + publish + commit',
    run: async () => {
      const server = fastify();
      server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
      server.post('/echo', (request, reply) => reply.send(request.body));
      const client = new Client(await server.listen({ port: 0, host: '127.0.0.1' }), 'none');
      const batch = messages.many(count, 'bench/echo');
      const echo = await serial(count, (index) => client.ask('POST', '/echo', batch[index]!.text));
      await client.close();
      await server.close();
      const steps = await publishAndCommit(product, messages, count);
      return { echo: quantile(echo, 0.5), ...steps, post_p50: quantile(echo, 0.5) + steps['publish']! + steps['commit']! };
    },
  };
}

/**
 * V8 makes the last of its code for what runs once a post some 10,500 posts after a start, for most of it at once: 150 ms of compiling
 * in two services, once in a process. What is measured comes after it.
 */
const WARM_POSTS = 20_000;

function ours(name: string, origin: string, product: Product, messages: Messages, count: number, seconds: number): Contender {
  return {
    name,
    run: async (round) => {
      const client = new Client(origin, product.connection.keys.producer, 128);
      const post = async (tag: string) => {
        const { status, text } = await client.send('POST', '/api/escalations', messages.next(`bench/post/${tag}/${round}`).text);
        if (status !== 202 || !text.includes('"stored"')) throw new Error(`not stored: ${status} ${text}`);
      };
      const one = await serial(count, () => post('one'));
      const rate = (count * 4) / (await closed(count * 4, 64, () => post('many')));
      await product.atRest();
      const half: number[] = [];
      await paced(rate / 2, seconds, async (_index, at) => {
        await post('half');
        half.push(performance.now() - at);
      });
      await client.close();
      return { ...latencies('post', one), rate, ...latencies('half', half) };
    },
  };
}

async function warmUp(origin: string, product: Product, messages: Messages, count: number): Promise<void> {
  const client = new Client(origin, product.connection.keys.producer, 128);
  await closed(count, 64, async () => {
    const { status, text } = await client.send('POST', '/api/escalations', messages.next('bench/post/warm').text);
    if (status !== 202) throw new Error(`not taken: ${status} ${text}`);
  });
  await client.close();
  await product.atRest();
}

async function run(options: Options): Promise<PartResult> {
  const product = await Product.start();
  try {
    const messages = new Messages();
    const [count, seconds] = options.quick ? [50, 2] : [400, 6];
    const origin = await originOf(product, 'intake');
    const direct = ours('ours', origin, product, messages, count, seconds);
    await warmUp(origin, product, messages, options.quick ? 1_000 : WARM_POSTS);
    await direct.run(0);
    const measured = await interleave([direct, ours('ours, through the gateway', product.connection.api_url, product, messages, count, seconds), bareSum(product, messages, count)], options, () => product.atRest());
    const found = byContender(measured);
    return {
      measured,
      aims: [
        atMost('× (echo + publish + commit), POST → 202 stored, p50, one at a time', 2, ratioOf(measured, 'post_p50', 'ours', 'echo + publish + commit')),
        ...(found['ours'] ? [atMost('POST → 202 stored, p99 at half load', 20, found['ours']['half_p99']!, 'ms')] : []),
      ],
      charts: [{ title: 'POST → 202 stored, one at a time', unit: 'ms (p50)', bars: Object.entries(found).map(([label, metrics]) => ({ label, summary: metrics['post_p50']! })) }],
    };
  } finally {
    await product.stop();
  }
}

export const postPart: Part = { name: 'post', title: 'POST → 202 stored', run };
