/** What agents and pipelines ask, to try it out. */
export type Sample = { name: string; message: (id: string) => object };

const step = (step_name: string, data: object, interaction: object) => (id: string): object => ({ type: 'hitl_interaction', payload: { interaction_id: id, pipeline_name: 'try-it', step_name, data }, interaction });

export const SAMPLES: Sample[] = [
  {
    name: 'Agents disagree on a loan',
    message: (id) => ({
      type: 'hitl_escalation',
      routing_key: 'review.hard_disagreement',
      payload: {
        request_id: id, task_id: 'loan-2024-17', alignment_state: 'hard_disagreement', alignment_score: 0.24, escalation_reason: 'hard_disagreement',
        summary: 'Two of three agents would refuse the loan; the third would grant it with more confidence than both',
        agent_decisions: [
          { agent_name: 'affordability', role_type: 'domain_expert', decision_value: 'reject', confidence: 0.71, rationale: 'Instalments would take 46 % of the declared income.', evidence: ['Payslips, March to May'], processing_time_ms: 812, metadata: {} },
          { agent_name: 'collateral', role_type: 'advocate', decision_value: 'approve', confidence: 0.94, rationale: 'The flat covers the loan twice over.', evidence: ['Valuation of 2 June', 'Land register, sheet 1180'], processing_time_ms: 640, metadata: {} },
          { agent_name: 'fraud desk', role_type: 'skeptic', decision_value: 'reject', confidence: 0.55, rationale: 'The employer could not be reached.', evidence: [], processing_time_ms: 20, metadata: {} },
        ],
        dissenting_agents: ['collateral'], created_at: '2026-01-15T10:30:00Z',
        metadata: { confidence_spread: 0.39, disagreement_areas: ['primary_decision', 'confidence_levels', 'evidence_quality'], resolution_rationale: 'Agents disagree on the primary decision' },
      },
    }),
  },
  { name: 'Review', message: step('clause', {}, { pattern: 'review', prompt: 'Is the rewritten clause right?', review_data: { content: 'The parties agree.\nThe term is one year.', suggestions: 'The parties agree.\nThe term is two years.' } }) },
  { name: 'Timed decision', message: step('rollout', { region: 'eu-west', error_rate: 0.07 }, { pattern: 'timed_decision', priority: 'critical', timeout_seconds: 120, default_action: 'abort', prompt: 'Go on with the rollout?' }) },
  { name: 'Refinement', message: step('summary', { current_result: 'The cat sat.\nIt was warm.' }, { pattern: 'refinement', prompt: 'Sharpen the summary' }) },
  { name: 'Input', message: step('account', { invoice: 1180 }, { pattern: 'input', prompt: 'Which account does this belong to?', ui_schema: { fields: [{ name: 'account', type: 'select', label: 'Account', options: ['4400', '4930', '6800'], required: true }, { name: 'amount', type: 'number', label: 'Amount', min: 0, step: 0.01 }] } }) },
  { name: 'Manual processing', message: step('scan', { file: 'scan-17.pdf' }, { pattern: 'manual', prompt: 'The scan could not be read: please do it by hand' }) },
];
