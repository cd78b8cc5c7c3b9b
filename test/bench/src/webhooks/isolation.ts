import { Messages } from '../harness/messages.ts';
import { latencies } from '../harness/numbers.ts';
import { paced } from '../harness/paced.ts';
import { atLeast, atMost, type Options, type Part, type PartResult } from '../harness/part.ts';
import { Product } from '../harness/product.ts';
import { Receiver } from '../harness/receiver.ts';
import { byContender, interleave, ratioOf, type Contender } from '../harness/rounds.ts';

const OTHERS = 9;
const RATE = 60;
const HANG_MS = 15_000;

/**
 * Nine endpoints take every escalation of one reason, the tenth every one of another, of which there are nine times as many: half of all
 * deliveries are its. Measured is what the nine get, while the tenth answers at once and while each of its calls hangs.
 */
function contender(product: Product, messages: Messages, others: Receiver[], hangMs: number, seconds: number): Contender {
  return {
    name: hangMs > 0 ? 'one of ten hangs' : 'all answer',
    run: async (round) => {
      const tenth = await Receiver.register(product, { events: ['hitl_escalation_required'], reasons: ['hard_disagreement'] });
      tenth.hangMs = hangMs;
      const times: number[] = [];
      const before = others.reduce((sum, one) => sum + one.received, 0);
      const began = performance.now();
      await paced(RATE, seconds, async (index, at) => {
        const { id, subject, text } = ofReason(messages, index % (OTHERS + 1) === 0 ? 'low_confidence' : 'hard_disagreement', `bench/isolation/${round}/${hangMs}`);
        await product.js.publish(subject, text);
        if (!subject.endsWith('low_confidence')) return;
        await Promise.all(others.map(async (other) => times.push((await other.moment('hitl_escalation_required', id)) - at)));
      });
      const rate = (others.reduce((sum, one) => sum + one.received, 0) - before) / ((performance.now() - began) / 1000);
      await tenth.close(product);
      return { ...latencies('others', times), rate, tenth: tenth.received };
    },
  };
}

function ofReason(messages: Messages, reason: string, prefix: string) {
  for (;;) {
    const message = messages.next(prefix);
    if (message.reason === reason) return message;
  }
}

async function run(options: Options): Promise<PartResult> {
  const product = await Product.start();
  try {
    const messages = new Messages();
    const others = await Promise.all(Array.from({ length: OTHERS }, () => Receiver.register(product, { events: ['hitl_escalation_required'], reasons: ['low_confidence'] })));
    const seconds = options.quick ? 4 : 18;
    await contender(product, messages, others, 0, 3).run(0);
    const measured = await interleave([contender(product, messages, others, 0, seconds), contender(product, messages, others, HANG_MS, seconds)], options, () => product.atRest());
    await Promise.all(others.map((one) => one.close()));
    const ratio = (metric: string) => ratioOf(measured, metric, 'one of ten hangs', 'all answer');
    return {
      measured,
      aims: [atMost("× the others' p99 without it, one endpoint of ten hanging at half the traffic", 1.5, ratio('others_p99')), atLeast("of the others' rate without it", 0.95, ratio('rate'))],
      charts: [{ title: 'The other nine, while one endpoint of ten hangs', unit: 'ms (p99)', bars: Object.entries(byContender(measured)).map(([label, metrics]) => ({ label, summary: metrics['others_p99']! })) }],
    };
  } finally {
    await product.stop();
  }
}

export const isolationPart: Part = { name: 'isolation', title: 'one endpoint of ten hangs 15 s at half the traffic', run };
