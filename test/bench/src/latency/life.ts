import { Client, originOf } from '../harness/http.ts';
import { Messages } from '../harness/messages.ts';
import { latencies } from '../harness/numbers.ts';
import { closed } from '../harness/paced.ts';
import { atLeast, type Options, type Part, type PartResult } from '../harness/part.ts';
import { cpuEach, Product } from '../harness/product.ts';
import { Receiver } from '../harness/receiver.ts';
import { byContender, interleave, type Contender } from '../harness/rounds.ts';

const LANES = 96;
const INTERACTION = { pattern: 'approval', quorum: 'all', assignees: { users: ['alice', 'bob'] } };

/** A whole life: published, opened and told, two votes, resolved and told. As many at a time as keep everything busy. */
function ours(product: Product, messages: Messages, opened: Receiver, resolved: Receiver, people: Client[], count: number): Contender {
  return {
    name: 'ours',
    run: async (round) => {
      const times: number[] = [];
      const [before, wal, stored] = [await product.cpu(), await product.wal(), await streamBytes(product)];
      const seconds = await closed(count, LANES, async () => {
        const began = performance.now();
        const { id, subject, text } = messages.next(`bench/life/${round}`);
        await product.js.publish(subject, `${text.slice(0, -1)},"interaction":${JSON.stringify(INTERACTION)}}`);
        await opened.moment('hitl_escalation_required', id);
        for (const person of people) await person.ask('POST', '/hitl/respond', JSON.stringify({ interaction_id: id, user_input: { decision: 'approve' } }));
        await resolved.moment('hitl_escalation_resolved', id);
        times.push(performance.now() - began);
      });
      return {
        rate: count / seconds, ...latencies('life', times), wal_bytes: ((await product.wal()) - wal) / count, stream_bytes: ((await streamBytes(product)) - stored) / count,
        ...cpuEach(before, await product.cpu(), count),
      };
    },
  };
}

/** What the events and outcomes streams hold: nothing of it is purged meanwhile. */
async function streamBytes(product: Product): Promise<number> {
  const infos = await Promise.all(['HITL_EVENTS', 'HITL_OUTCOMES'].map((name) => product.jsm.streams.info(name)));
  return infos.reduce((sum, info) => sum + info.state.bytes, 0);
}

async function run(options: Options): Promise<PartResult> {
  const product = await Product.start({ env: { UMPIRE_STATE_STORE_RATE_WRITES: '0' } });
  try {
    const messages = new Messages();
    const [opened, resolved] = await Promise.all([Receiver.register(product, { events: ['hitl_escalation_required'], max_concurrency: 100 }), Receiver.register(product, { events: ['hitl_escalation_resolved'], max_concurrency: 100 })]);
    const origin = await originOf(product, 'state-store');
    const people = [product.connection.keys.reviewers.alice, product.connection.keys.reviewers.bob].map((key) => new Client(origin, key));
    const contender = ours(product, messages, opened, resolved, people, options.quick ? 500 : 3_000);
    await ours(product, messages, opened, resolved, people, 500).run(0);
    const measured = await interleave([contender], options, () => product.atRest());
    await Promise.all([...people.map((person) => person.close()), opened.close(), resolved.close()]);
    const own = byContender(measured)['ours']!;
    return {
      measured,
      aims: [atLeast('whole lives a second (publish, two votes, resolve, webhooks)', 300, own['rate']!, '/s')],
      charts: [{ title: 'Whole lives', unit: '/s', bars: [{ label: 'ours', summary: own['rate']! }, { label: 'Camunda 8, published, 30 vCPU', summary: { median: 100, min: 100, max: 100, rounds: 1 } }] }],
    };
  } finally {
    await product.stop();
  }
}

export const lifePart: Part = { name: 'life', title: 'whole life per second', run };
