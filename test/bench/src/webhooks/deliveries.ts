import { createHmac, randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import { Messages } from '../harness/messages.ts';
import { closed } from '../harness/paced.ts';
import { atLeast, type Options, type Part, type PartResult } from '../harness/part.ts';
import { cpuEach, Product, until } from '../harness/product.ts';
import { Receiver } from '../harness/receiver.ts';
import { byContender, interleave, ratioOf, type Contender } from '../harness/rounds.ts';
import { openMany } from '../latency/respond.ts';

const ENDPOINTS = 5;

/**
 * The notifier held still while escalations open, then let go: what it does then is deliver. Until every endpoint has every event; the
 * fan-out into rows and the record of each attempt are in it.
 */
function ours(product: Product, messages: Messages, receivers: Receiver[], count: number): Contender {
  const total = () => receivers.reduce((sum, receiver) => sum + receiver.received, 0);
  return {
    name: 'ours',
    run: async (round) => {
      const notifier = (await product.pids())['notifier']!;
      process.kill(notifier, 'SIGSTOP');
      await openMany(product, messages, count, `bench/deliver/${round}`).finally(() => process.kill(notifier, 'SIGCONT'));
      const [first, before, began] = [total(), await product.cpu(), performance.now()];
      await until('all deliveries', async () => total() >= first + count * ENDPOINTS, 300, 5);
      const seconds = (Math.max(...receivers.map((receiver) => receiver.last)) - began) / 1000;
      return { rate: (count * ENDPOINTS) / seconds, ...cpuEach(before, await product.cpu(), count * ENDPOINTS) };
    },
  };
}

/** Signed POSTs of the same bodies with undici alone, as many at a time as ours. */
function bare(messages: Messages, receivers: Receiver[], count: number): Contender {
  return {
    name: 'signed POST, bare undici',
    run: async (round) => {
      const key = Buffer.alloc(32, 7);
      const pools = receivers.map((receiver) => new Pool(new URL(receiver.url).origin, { connections: 20 }));
      const bodies = messages.many(count, `bench/bare/${round}`).map(({ text }) => `{"event":"none","escalation":${text}}`);
      const seconds = await closed(count * ENDPOINTS, 20 * ENDPOINTS, async (index) => {
        const [id, at, body] = [randomUUID(), Math.floor(Date.now() / 1000), bodies[Math.floor(index / ENDPOINTS)]!];
        const signature = createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64');
        const answer = await pools[index % ENDPOINTS]!.request({
          method: 'POST', path: '/hook', body,
          headers: { 'content-type': 'application/json', 'x-event-type': 'hitl_escalation', 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': `v1,${signature}` },
        });
        await answer.body.dump();
      });
      await Promise.all(pools.map((pool) => pool.destroy()));
      return { rate: (count * ENDPOINTS) / seconds };
    },
  };
}

async function run(options: Options): Promise<PartResult> {
  const product = await Product.start();
  try {
    const messages = new Messages();
    const count = options.quick ? 300 : 2_000;
    const receivers = await Promise.all(Array.from({ length: ENDPOINTS }, () => Receiver.register(product, { events: ['hitl_escalation_required'] })));
    await ours(product, messages, receivers, 300).run(0);
    const measured = await interleave([ours(product, messages, receivers, count), bare(messages, receivers, count)], options, () => product.atRest());
    await Promise.all(receivers.map((receiver) => receiver.close()));
    return {
      measured,
      aims: [atLeast('of bare signed POSTs, deliveries/s', 0.6, ratioOf(measured, 'rate', 'ours', 'signed POST, bare undici'))],
      charts: [{ title: 'Webhook deliveries', unit: '/s', bars: Object.entries(byContender(measured)).map(([label, metrics]) => ({ label, summary: metrics['rate']! })) }],
    };
  } finally {
    await product.stop();
  }
}

export const deliveriesPart: Part = { name: 'webhooks', title: 'webhook deliveries/s', run };
