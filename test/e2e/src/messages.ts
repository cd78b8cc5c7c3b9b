import { readFileSync } from 'node:fs';

const data = new URL('../../../../shared/data/hitl-requests.jsonl', import.meta.url);

/** What the upstream framework really sends, one JSON text each; null where the file is not present. */
export function upstreamRequests(): string[] | null {
  try {
    return readFileSync(data, 'utf8').split('\n').filter((line) => line.length > 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** A HITLRequest as the contract has it, as JSON text; number text and key order are deliberate. */
export function hitlRequest(requestId: string, reason = 'hard_disagreement'): string {
  return `{"request_id":${JSON.stringify(requestId)},"task_id":"loan/2024/17","alignment_state":"hard_disagreement","alignment_score":0.30,` +
    `"escalation_reason":"${reason}","summary":"Two agents cannot agree on the loan","agent_decisions":[` +
    `{"agent_name":"risk","role_type":"judge","decision_value":"reject","confidence":0.90,"rationale":"Income does not cover it","evidence":["payslip"],"processing_time_ms":12,"metadata":{"ref":12345678901234567890}},` +
    `{"agent_name":"sales","role_type":"advocate","decision_value":"approve","confidence":0.8,"rationale":"Long-standing customer","evidence":[],"processing_time_ms":null,"metadata":{}}],` +
    `"dissenting_agents":["sales"],"created_at":"2026-01-15T10:30:00.123456","metadata":{"confidence_spread":0.1,"disagreement_areas":["primary_decision"],"unknown":{"kept":30.0}}}`;
}

/** The contract's queue message around it. */
export function queueMessage(payload: string, reason = 'hard_disagreement', interaction?: object): string {
  return `{"type":"hitl_escalation","payload":${payload},"routing_key":"review.${reason}"${interaction ? `,"interaction":${JSON.stringify(interaction)}` : ''}}`;
}
