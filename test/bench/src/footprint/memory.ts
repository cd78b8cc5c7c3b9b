import { Messages } from '../harness/messages.ts';
import { summarise } from '../harness/numbers.ts';
import { atMost, type Options, type Part, type PartResult } from '../harness/part.ts';
import { Product, SERVICES } from '../harness/product.ts';
import { byContender, interleave, type Contender } from '../harness/rounds.ts';
import { ours } from '../store/ours.ts';

/** The highest resident memory of each service, looked at ten times a second while messages come as fast as they are taken. */
function underLoad(product: Product, messages: Messages, count: number): Contender {
  return {
    name: 'under load',
    run: async (round) => {
      const peaks: Record<string, number> = {};
      const looking = setInterval(() => void product.memory().then((now) => {
        for (const [name, megabytes] of Object.entries(now)) peaks[name] = Math.max(peaks[name] ?? 0, megabytes);
      }), 100);
      const { rate } = await ours(product, messages, count).run(round);
      clearInterval(looking);
      return { rate: rate!, ...Object.fromEntries(SERVICES.map((name) => [name, peaks[name] ?? Number.NaN])) };
    },
  };
}

/** Everything stopped and started again on the same home: until its `/readyz` says so. */
function warmStart(product: Product): Contender {
  return { name: 'warm start', run: async () => ({ seconds: await product.restart() }) };
}

async function run(options: Options): Promise<PartResult> {
  const product = await Product.start();
  try {
    const messages = new Messages();
    const measured = await interleave([underLoad(product, messages, options.quick ? 1_000 : 10_000), warmStart(product)], options, () => product.atRest());
    const found = byContender(measured);
    const [load, start] = [found['under load'], found['warm start']];
    return {
      measured,
      aims: [
        ...(load ? SERVICES.map((name) => atMost(`${name}: peak resident memory under load`, 150, load[name]!, 'MB')) : []),
        ...(start ? [atMost('warm start of servers and services until ready', 5, start['seconds']!, 's')] : []),
      ],
      charts: [{ title: 'Peak resident memory under load', unit: 'MB', bars: SERVICES.map((label) => ({ label, summary: load?.[label] ?? summarise([Number.NaN]) })) }],
    };
  } finally {
    await product.stop();
  }
}

export const memoryPart: Part = { name: 'memory', title: 'memory, start', run };
