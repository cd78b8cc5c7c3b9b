/** Two agents judge a loan and cannot agree. Their escalation goes to people, and the outcome comes back. */
import { MultiAgentEvaluator, type Agent } from '@umpire/alignment';
import { UmpireClient } from '@umpire/client';
import { readConnection } from './connection.ts';

const agents: Agent[] = [
  { name: 'risk', roleType: 'judge', decide: async () => ({ decision_value: 'reject', confidence: 0.9, rationale: 'Income does not cover it', evidence: ['payslip'] }) },
  { name: 'sales', roleType: 'advocate', decide: async () => ({ decision_value: 'approve', confidence: 0.8, rationale: 'A customer for ten years' }) },
];
const evaluator = new MultiAgentEvaluator({ agents, schema: { type: 'categorical', categories: ['approve', 'reject'] }, now: Date.now });

const evaluation = await evaluator.evaluate({ id: 'loan/2026/17', input: { amount: 25_000 } });
const request = evaluator.createHitlRequest(evaluation, { createdAt: new Date().toISOString() });
if (request === null) {
  console.log('The agents agree; nobody has to be asked.');
  process.exit(0);
}

const connection = readConnection();
const client = new UmpireClient({ url: connection.api_url, key: connection.namespaces['default']!.keys.producer });

// Without `interaction`, policies and defaults say who decides, how, and by when.
const receipt = await client.escalate(request, { interaction: { priority: 'high', timeout_seconds: 600 } });
console.log(`asked ${receipt.request_id}: ${request.summary}`);

const outcome = await client.waitForOutcome(request.request_id);
// `source` tells a person's verdict from a time-out: an expired escalation has verdict null, and is no denial.
console.log(`outcome ${outcome.state} ${outcome.verdict} (${outcome.source}), decided by ${outcome.decided_by.join(', ') || 'nobody'}`);
