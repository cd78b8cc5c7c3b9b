import type { HITLEscalationReason } from './schemas.ts';

export interface EscalationTrigger {
  readonly description: string;
  readonly conditions: readonly string[];
  /** Whether the engine itself asks for review on it; the others need a caller or a custom rule that asks. */
  readonly automatic: boolean;
}

export interface EscalationSemantics {
  readonly contract_version: string;
  readonly deterministic: boolean;
  readonly side_effects: boolean;
  readonly escalation_triggers: Readonly<Record<HITLEscalationReason, EscalationTrigger>>;
  readonly included_information: readonly string[];
  readonly excluded_information: readonly string[];
}

/** What the HITL contract means, for machines: when it escalates, and what a request holds and leaves out. */
export function getEscalationSemantics(): EscalationSemantics {
  return {
    contract_version: '1.0.0',
    deterministic: true,
    side_effects: false,
    escalation_triggers: {
      hard_disagreement: {
        description: 'The agents disagree on the primary decision, or so far in confidence or in kind that no answer stands.',
        conditions: [
          'requires_human_review is true',
          'alignment state is hard_disagreement: no decision agreement, or confidence spread above the hard threshold, or three or more areas of disagreement',
        ],
        automatic: true,
      },
      low_confidence: {
        description: 'The agents are not confident enough for a decision to rest on.',
        conditions: [
          'requires_human_review is true, set by the caller or by a rule',
          'alignment state is insufficient_signal, or soft_disagreement without evidence_quality among its areas',
        ],
        automatic: false,
      },
      inconsistent_evidence: {
        description: 'The agents support their decisions with evidence of uneven weight.',
        conditions: [
          'requires_human_review is true, set by the caller or by a rule',
          'alignment state is soft_disagreement with evidence_quality among its areas',
        ],
        automatic: false,
      },
      custom_rule: {
        description: "A rule of the caller's own asks for a human.",
        conditions: ['requires_human_review is true, set by the caller or by a rule', 'no other reason applies, or the rule names this one'],
        automatic: false,
      },
    },
    included_information: [
      'Alignment analysis: state, score, confidence metrics, disagreement areas',
      'Agent decisions: all agent decisions with rationale and evidence',
      'Dissenting agents: specific agents with minority positions',
      'Temporal context: when escalation occurred',
      'Rich metadata: processing time, confidence distribution (derived from the agent decisions), consensus strength',
    ],
    excluded_information: [
      'UI preferences or layout instructions',
      'Workflow state or routing information',
      'Reviewer assignments or notifications',
      'Persistence or storage details',
      'Async callbacks or completion handlers',
    ],
  };
}
