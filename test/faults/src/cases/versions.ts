import { fileURLToPath } from 'node:url';
import type { EscalationEvent } from '@umpire/contract';
import { readStream } from '../../../e2e/src/operator.ts';
import type { FaultCase } from '../fault-case.ts';
import { SERVICES } from '../fault-stack.ts';

const preload = fileURLToPath(new URL('../preload/next-version.mjs', import.meta.url));

/** Two versions of the product side by side. */
export const versionCases: FaultCase[] = [
  {
    name: 'versions',
    breaks: 'a second replica of every service speaks the event schema\'s next version (1.1, with fields that 1.0 does not know) beside the first',
    run: async ({ faults, load, say }) => {
      const next = [];
      for (const name of SERVICES) next.push(await faults.replica(name, { NODE_OPTIONS: `--import ${preload}` }, true));
      await load.moreAcked(300);
      // Back to the old version, as a deployment that is taken back.
      for (const replica of next) await replica.stop('SIGTERM');
      await load.moreAcked(60);
      const versions = Map.groupBy(await readStream<EscalationEvent>(faults.stack, 'HITL_EVENTS'), (event) => event.schema_version);
      const [older, newer] = ['1.0', '1.1'].map((version) => versions.get(version)?.length ?? 0) as [number, number];
      say(`events of 1.0: ${older}, of 1.1: ${newer}`);
      if (older === 0 || newer === 0) throw new Error('only one version has published');
      return { eventsOf10: older, eventsOf11: newer };
    },
  },
];
