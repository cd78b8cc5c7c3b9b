/** What agents could not decide, as their pipelines ask it. */
export const loan = (id: string, interaction: object = {}) => ({
  type: 'hitl_escalation',
  routing_key: 'review.hard_disagreement',
  payload: {
    request_id: id, task_id: 'loan/2024/17', alignment_state: 'hard_disagreement', alignment_score: 0.24, escalation_reason: 'hard_disagreement',
    summary: 'Two of three agents would refuse the loan; the third would grant it with more confidence than both',
    agent_decisions: [
      { agent_name: 'affordability', role_type: 'domain_expert', decision_value: 'refuse', confidence: 0.71, rationale: 'Instalments would take 46 % of the declared income, and the variable part of it has fallen for two years.', evidence: ['Payslips of J. Müller, March to May', 'Loan of 30.0 kEUR over 60 months'], processing_time_ms: 812, metadata: {} },
      { agent_name: 'collateral', role_type: 'advocate', decision_value: 'grant', confidence: 0.94, rationale: 'The flat covers the loan twice over.', evidence: ['Valuation of 2 June', 'Land register, sheet 1180'], processing_time_ms: 640, metadata: { model: 'appraiser-2', nested: { ltv: [0.5, 47.9, null, true] } } },
      { agent_name: 'fraud desk', role_type: 'skeptic', decision_value: 'refuse', confidence: 0.55, rationale: 'The employer in Łódź could not be reached.', evidence: [], processing_time_ms: 0, metadata: {} },
    ],
    dissenting_agents: ['collateral'], created_at: '2026-01-15T10:30:00.123456',
    metadata: { confidence_spread: 0.39, avg_confidence: 0.733, disagreement_areas: ['primary_decision', 'confidence_levels', 'evidence_quality'], resolution_rationale: 'Hard disagreement: agents disagree on the primary decision', agent_count: 3 },
  },
  interaction,
});

export const step = (id: string, interaction: object = {}, data: object = { amount: 120, currency: 'EUR' }) => ({
  type: 'hitl_interaction', payload: { interaction_id: id, pipeline_name: 'refunds', step_name: 'release', data }, interaction,
});
