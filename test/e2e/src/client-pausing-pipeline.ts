/**
 * A pipeline in a process of its own, for a test to kill: `node client-pausing-pipeline.ts <connection.json> <http|nats> <key>`.
 * Prints `run <n>`, then `waiting <id>`, then `outcome <json>`.
 */
import { readFileSync } from 'node:fs';
import { PauseForInputStep, UmpireClient, type PipelineClient } from '@umpire/client';
import { natsOptionsFrom, UmpireNats, type ConnectionFile } from '@umpire/client/nats';

const [file, way, key] = process.argv.slice(2) as [string, 'http' | 'nats', string];
const connection = JSON.parse(readFileSync(file, 'utf8')) as ConnectionFile;
const nats = way === 'nats' ? await UmpireNats.connect(natsOptionsFrom(connection)) : null;
const client: PipelineClient = nats ?? new UmpireClient({ url: connection.api_url, key: connection.namespaces['default']!.keys.producer });

// What a pipeline computes before it pauses is rarely the same twice.
const data = { account: 'DE-17', drawn: Math.random() };
const step = new PauseForInputStep({
  client, pipelineName: 'payouts', name: 'confirm',
  config: { prompt: 'Which account?', ui_schema: { fields: [{ name: 'account', type: 'text', required: true }] }, interaction: { assignees: { users: ['alice'] } } },
});
const envelope = await step.run(data, { key });
console.log(`waiting ${envelope.interaction_id}`);
const outcome = await step.outcome(envelope);
console.log(`outcome ${JSON.stringify(outcome)}`);
await nats?.close();
