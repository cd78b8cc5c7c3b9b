/**
 * Many pipelines pause, and no process waits for any of them: whatever is decided comes from the durable outcome consumer, also what was
 * decided while this program was not running. Stop it and start it again between the answers. Arguments: [connection.json [how many]]
 */
import { PipelineStateManager, UmpireClient } from '@umpire/client';
import { natsOptionsFrom, UmpireNats } from '@umpire/client/nats';
import { readConnection } from './connection.ts';

const connection = readConnection();
const count = Number(process.argv[3] ?? 3);

const manager = new PipelineStateManager<string>({
  client: new UmpireClient({ url: connection.api_url, key: connection.namespaces['default']!.keys.producer }),
  // May be called again for the same outcome after a crash: what it does should be harmless the second time.
  continuePipeline: (pipelineName, stepName, merged) => `${pipelineName} goes on behind ${stepName} with ${JSON.stringify(merged)}`,
});

for (let number = 1; number <= count; number += 1) {
  // The same id and data again is no second question, so starting this program twice asks once.
  await manager.savePipelineState(`invoice-${number}`, 'invoices', 'cost-centre', { invoice: number }, 3_600, {
    interaction: { prompt: `Which cost centre pays invoice ${number}?`, ui_schema: { fields: [{ name: 'cost_centre', type: 'text', required: true }] } },
  });
  console.log(`saved invoice-${number}`);
}

const nats = await UmpireNats.connect(natsOptionsFrom(connection));
const open = new Set(Array.from({ length: count }, (_, index) => `invoice-${index + 1}`));
const reader = nats.outcomes<Record<string, unknown>>(async (outcome, { attempt }) => {
  const resumed = await manager.resumeFrom(outcome);
  console.log(resumed.resumed ? `resumed ${outcome.request_id} (attempt ${attempt}): ${resumed.result}` : `ended ${outcome.request_id}: ${resumed.status}`);
  open.delete(outcome.request_id);
  // Acked when this function is done; an error here would bring the outcome again.
  if (open.size === 0) queueMicrotask(() => void reader.stop());
});
await reader.done;
await nats.close();
