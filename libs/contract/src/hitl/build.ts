import { canonicalJson } from '../json/canonical.ts';
import { HITL_REQUEST_ID_OMISSIONS, uuidV5 } from '../json/digest.ts';
import type { JsonNode } from '../json/nodes.ts';
import { parseCreatedAt } from './created-at.ts';
import type { AlignmentSummary, EvaluationResult, HITLEscalationReason, HITLRequest } from './schemas.ts';
import { twoDecimals } from './text.ts';

/** UUID namespace of everything that Umpire derives an id for. */
export const UMPIRE_UUID_NAMESPACE = '029c0f1a-f75f-5fb5-86a0-281fd597d53c';

export interface BuildOptions {
  /** ISO 8601, with or without offset (none means UTC). No part of the id. */
  readonly createdAt: string;
  /** The reason that a custom escalation rule named; without it the alignment state decides. */
  readonly reason?: HITLEscalationReason;
}

/**
 * The escalation of an evaluation: pure and deterministic, id included.
 *
 * @returns null when the result requires no human review.
 * @throws TypeError when `createdAt` is no date and time.
 */
export function buildHitlRequest(result: EvaluationResult, summary: AlignmentSummary, options: BuildOptions): HITLRequest | null {
  if (parseCreatedAt(options.createdAt) === null) {
    throw new TypeError('createdAt must be an ISO 8601 date and time');
  }
  if (!result.requires_human_review) {
    return null;
  }
  const reason = options.reason ?? escalationReason(summary);
  const content = {
    task_id: result.task_id,
    alignment_state: summary.state,
    alignment_score: summary.alignment_score,
    escalation_reason: reason,
    summary: escalationSummary(reason, result, summary),
    agent_decisions: result.agent_decisions,
    dissenting_agents: summary.dissenting_agents,
    created_at: options.createdAt,
    metadata: {
      confidence_spread: summary.confidence_spread,
      avg_confidence: summary.avg_confidence,
      disagreement_areas: summary.disagreement_areas,
      consensus_strength: summary.consensus_strength,
      resolution_rationale: summary.resolution_rationale,
      agent_count: result.agent_decisions.length,
      processing_time_ms: result.processing_time_ms ?? null,
      evaluation_request_id: result.request_id ?? null,
    },
  };
  return { request_id: hitlRequestId(content), ...content };
}

/**
 * The deterministic id of a HITLRequest: UUIDv5 over its canonical form without `request_id`, `created_at`,
 * `agent_decisions[].processing_time_ms` and `metadata.processing_time_ms`. Member order and number spelling do not matter.
 *
 * @param request a node of `readJson` or a plain value.
 */
export function hitlRequestId(request: JsonNode | object): string {
  return uuidV5(UMPIRE_UUID_NAMESPACE, canonicalJson(request, { omit: HITL_REQUEST_ID_OMISSIONS }));
}

/**
 * The reason that an alignment state stands for (`traps.md` 4: as upstream's code does, not as its text says).
 * Only for requests that are built here: a producer's own reason is never derived again.
 */
export function escalationReason(summary: { readonly state: string; readonly disagreement_areas: readonly string[] }): HITLEscalationReason {
  switch (summary.state) {
    case 'hard_disagreement':
      return 'hard_disagreement';
    case 'insufficient_signal':
      return 'low_confidence';
    case 'soft_disagreement':
      return summary.disagreement_areas.includes('evidence_quality') ? 'inconsistent_evidence' : 'low_confidence';
    default:
      return 'custom_rule';
  }
}

function escalationSummary(reason: HITLEscalationReason, result: EvaluationResult, summary: AlignmentSummary): string {
  switch (reason) {
    case 'hard_disagreement': {
      const dissent = `${summary.dissenting_agents.length} of ${result.agent_decisions.length} agents dissent`;
      return `The agents cannot settle this among themselves: ${dissent}, and their confidences lie ${twoDecimals(summary.confidence_spread)} apart.`;
    }
    case 'low_confidence':
      return `The agents are not sure enough to decide: average confidence ${twoDecimals(summary.avg_confidence)}, state ${summary.state}.`;
    case 'inconsistent_evidence':
      return `The agents' evidence is uneven; they differ in ${summary.disagreement_areas.join(', ') || 'no area'}.`;
    case 'custom_rule':
      return `An escalation rule asks for a human: state ${summary.state}, alignment score ${twoDecimals(summary.alignment_score)}.`;
  }
}
