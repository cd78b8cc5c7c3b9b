import { Client, originOf } from '../harness/http.ts';
import { Messages } from '../harness/messages.ts';
import { latencies } from '../harness/numbers.ts';
import { closed, paced } from '../harness/paced.ts';
import { atMost, type Options, type Part, type PartResult } from '../harness/part.ts';
import { Product, until } from '../harness/product.ts';
import { Receiver } from '../harness/receiver.ts';
import { byContender, interleave, type Contender } from '../harness/rounds.ts';
import { bareChain } from './webhook.ts';

/** Publishes escalations and waits until they can be answered. @returns their ids */
export async function openMany(product: Product, messages: Messages, count: number, prefix: string): Promise<string[]> {
  const before = (await product.jsm.streams.info('HITL_EVENTS')).state.last_seq;
  const batch = messages.many(count, prefix);
  await closed(count, 64, (index) => product.js.publish(batch[index]!.subject, batch[index]!.text));
  await until('opened events', async () => (await product.jsm.streams.info('HITL_EVENTS')).state.last_seq >= before + count);
  return batch.map(({ id }) => id);
}

/** When each outcome event was heard by an operator's subscription. */
function hearOutcomes(product: Product): { moment: (id: string) => Promise<number>; stop: () => void } {
  const heard = new Map<string, number>();
  const waiting = new Map<string, (at: number) => void>();
  const subscription = product.operator.subscribe('hitl.default.outcome.*', {
    callback: (_error, message) => {
      const { request_id: id } = message.json<{ request_id: string }>();
      heard.set(id, performance.now());
      waiting.get(id)?.(performance.now());
      waiting.delete(id);
    },
  });
  return { moment: (id) => (heard.has(id) ? Promise.resolve(heard.get(id)!) : new Promise((resolve) => waiting.set(id, resolve))), stop: () => subscription.unsubscribe() };
}

function ours(product: Product, messages: Messages, receiver: Receiver, client: Client, rate: number, seconds: number): Contender {
  return {
    name: 'ours',
    run: async (round) => {
      const ids = await openMany(product, messages, rate * seconds, `bench/respond/${round}`);
      await product.atRest();
      const outcomes = hearOutcomes(product);
      const [answered, event, webhook]: [number[], number[], number[]] = [[], [], []];
      await paced(rate, seconds, async (index, at) => {
        const id = ids[index]!;
        await Promise.all([
          client.ask('POST', '/hitl/respond', JSON.stringify({ interaction_id: id, user_input: { decision: 'approve' } })).then(() => answered.push(performance.now() - at)),
          outcomes.moment(id).then((moment) => event.push(moment - at)),
          receiver.moment('hitl_escalation_resolved', id).then((moment) => webhook.push(moment - at)),
        ]);
      });
      outcomes.stop();
      return { ...latencies('answer', answered), ...latencies('outcome', event), ...latencies('webhook', webhook) };
    },
  };
}

async function run(options: Options): Promise<PartResult> {
  const product = await Product.start();
  try {
    const messages = new Messages();
    const receiver = await Receiver.register(product, { events: ['hitl_escalation_resolved'] });
    const client = new Client(await originOf(product, 'state-store'), product.connection.keys.reviewers.alice);
    const contender = ours(product, messages, receiver, client, 100, options.quick ? 2 : 12);
    await contender.run(0);
    const measured = await interleave([contender, bareChain(product, messages, receiver, options.quick ? 50 : 300)], options, () => product.atRest());
    await client.close();
    await receiver.close();
    const own = byContender(measured)['ours']!;
    return {
      measured,
      aims: [atMost('respond → outcome event, p99 at 100/s', 25, own['outcome_p99']!, 'ms'), atMost('respond → webhook, p99 at 100/s', 25, own['webhook_p99']!, 'ms')],
      charts: [{ title: 'Respond, at 100/s', unit: 'ms (p99)', bars: ['answer', 'outcome', 'webhook'].map((name) => ({ label: `→ ${name}`, summary: own[`${name}_p99`]! })) }],
    };
  } finally {
    await product.stop();
  }
}

export const respondPart: Part = { name: 'respond', title: 'respond → outcome event and webhook', run };
