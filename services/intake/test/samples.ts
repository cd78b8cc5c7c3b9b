/** A HITLRequest that is valid, and nobody's. */
export function hitlRequest(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    request_id: 'hitl-beleg/2031/4 Ø-5d0c',
    task_id: 'beleg/2031/4 Ø',
    alignment_state: 'hard_disagreement',
    alignment_score: 0.25,
    escalation_reason: 'hard_disagreement',
    summary: 'Two agents disagree on whether the invoice is genuine',
    agent_decisions: [
      { agent_name: 'auditor', role_type: 'judge', decision_value: true, confidence: 0.9, rationale: 'the totals agree', evidence: ['totals'], processing_time_ms: 12, metadata: {} },
      { agent_name: 'clerk', role_type: 'advocate', decision_value: false, confidence: 0.4, rationale: 'the stamp is missing', evidence: [], processing_time_ms: null, metadata: {} },
    ],
    dissenting_agents: ['clerk'],
    created_at: '2031-02-03T04:05:06.789012',
    metadata: { confidence_spread: 0.5, processing_time_ms: 31 },
    ...change,
  };
}

export function pipelinePayload(change: Record<string, unknown> = {}): Record<string, unknown> {
  return { interaction_id: 'step-17', pipeline_name: 'contracts', step_name: 'clause check', data: { clause: 4 }, ...change };
}

/** The form that the contract replaced, as upstream still writes it. */
export function humanReviewRequest(change: Record<string, unknown> = {}, summary: Record<string, unknown> = {}): Record<string, unknown> {
  const { agent_decisions, dissenting_agents } = hitlRequest();
  return {
    task_id: 'beleg/2031/4 Ø',
    evaluation_result: {
      task_id: 'beleg/2031/4 Ø', agent_decisions, request_id: 'eval-7', processing_time_ms: 31, requires_human_review: true, review_reason: null, metadata: {},
      alignment_summary: { state: 'hard_disagreement', alignment_score: 0.25, confidence_spread: 0.5, avg_confidence: 0.65, dissenting_agents, disagreement_areas: ['primary_decision'], consensus_strength: 0.2, resolution_rationale: 'they differ', ...summary },
    },
    disagreement_summary: 'Two agents disagree on whether the invoice is genuine',
    review_priority: 'high',
    deadline: null,
    reviewer_instructions: 'Say which one is right.',
    metadata: { team: 'audit' },
    ...change,
  };
}

export const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
export const text = (data: Uint8Array): string => new TextDecoder().decode(data);
