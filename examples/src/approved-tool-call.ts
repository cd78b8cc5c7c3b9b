/**
 * An agent wants to call a tool that moves money. A person approves exactly this call, and it runs at most once, however often the agent
 * tries. Arguments: [connection.json [call id]]
 */
import { applyToolApproval, approvalKey, askOnce, fromToolApproval, toolCallDigest, UmpireClient, UmpireError, type ToolApprovalItem } from '@umpire/client';
import { readConnection } from './connection.ts';

// As the OpenAI Agents SDK interrupts a run: `result.interruptions[0]`.
const call: ToolApprovalItem = {
  rawItem: { type: 'function_call', callId: process.argv[3] ?? 'call_17', name: 'refund', arguments: '{"order":"A-17","amount":120}' },
  agent: { name: 'Clerk' },
};
// In its place, `result.state` of the SDK: approve and reject are what it offers.
const run = { approve: () => console.log('the run goes on'), reject: (_: ToolApprovalItem, { message = '' } = {}) => console.log(`the agent is told: ${message}`) };

const connection = readConnection();
const client = new UmpireClient({ url: connection.api_url, key: connection.namespaces['default']!.keys.producer });

const question = fromToolApproval(call, { pipelineName: 'clerk', stepName: 'tools', interaction: { assignees: { roles: ['reviewer'] } } });
const { interaction_id } = await askOnce(client, question, { key: approvalKey(call) });
console.log(`asked ${interaction_id}: ${question.interaction!.prompt}`);

const applied = applyToolApproval(run, call, await client.waitForOutcome(interaction_id));
console.log(`answer ${applied}`);
if (applied === 'approved') {
  // Two workers that both saw the approval: the first to take the permit runs the call, the other is told who did.
  for (const worker of ['worker-1', 'worker-2']) {
    try {
      await client.consume(interaction_id, { consumer_id: worker, action_digest: toolCallDigest(call) });
      console.log(`${worker} runs ${call.rawItem.name} ${call.rawItem.arguments}`);
    } catch (error) {
      if (!(error instanceof UmpireError) || error.code !== 'already_consumed') throw error;
      console.log(`${worker} leaves it: ${error.message}`);
    }
  }
}
