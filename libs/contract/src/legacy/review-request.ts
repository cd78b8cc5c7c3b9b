import type { FieldError } from '../errors.ts';
import { escalationReason, UMPIRE_UUID_NAMESPACE } from '../hitl/build.ts';
import { parseCreatedAt } from '../hitl/created-at.ts';
import { itemsOf, kindOf, memberOf, textOf } from '../hitl/json-view.ts';
import { NOT_BLANK } from '../hitl/text.ts';
import { validateHitlRequest } from '../hitl/validate.ts';
import type { Interaction, Priority } from '../interaction.ts';
import { canonicalJson } from '../json/canonical.ts';
import { uuidV5 } from '../json/digest.ts';
import { isJsonNode } from '../json/nodes.ts';
import { setMember } from '../json/values.ts';
import { writeJson } from '../json/writer.ts';
import type { Reason } from '../reasons.ts';

/** A deprecated review request in today's terms. */
export interface MappedReviewRequest {
  readonly requestId: string;
  readonly reason: Reason;
  /** JSON text of a valid HITLRequest. What came from the producer keeps its number text and order. */
  readonly payload: string;
  /** What the HITL contract has no place for. The deadline is not in it, or a retry would differ from its first attempt. */
  readonly interaction: Interaction;
  /** Milliseconds since the epoch, if the old form named a time that can be read (no offset means UTC). */
  readonly deadline: number | null;
}

export type ReviewRequestMapping =
  | { readonly ok: true; readonly mapped: MappedReviewRequest }
  | { readonly ok: false; readonly errors: FieldError[] };

const PRIORITIES: ReadonlyMap<string, Priority> = new Map([
  ['low', 'low'],
  ['medium', 'normal'],
  ['normal', 'normal'],
  ['high', 'high'],
  ['urgent', 'critical'],
  ['critical', 'critical'],
]);

/** Of `interaction.prompt`; the cut may split a character in two, hence `toWellFormed`. */
const LONGEST_PROMPT = 16_384;

/** Where a field of the mapped request stood in the old form, for error paths. */
const ORIGINS: readonly (readonly [string, string])[] = [
  ['agent_decisions', 'evaluation_result.agent_decisions'],
  ['alignment_state', 'evaluation_result.alignment_summary.state'],
  ['alignment_score', 'evaluation_result.alignment_summary.alignment_score'],
  ['dissenting_agents', 'evaluation_result.alignment_summary.dissenting_agents'],
  ['summary', 'disagreement_summary'],
];

/** True for a body that can only be a HumanReviewRequest: no form of today's has an `evaluation_result`. */
export function isHumanReviewRequest(input: unknown): boolean {
  return memberOf(input, 'evaluation_result') !== undefined && memberOf(input, 'task_id') !== undefined;
}

/**
 * Maps a deprecated HumanReviewRequest to a HITLRequest with an interaction. Pure.
 *
 * @param input a node of `readJson` (lossless) or a plain value.
 * @param createdAt ISO 8601; the old form has no time of its own.
 * @returns errors with the paths of the old form when the result would be no valid HITLRequest.
 */
export function mapHumanReviewRequest(input: unknown, createdAt: string): ReviewRequestMapping {
  const evaluation = memberOf(input, 'evaluation_result');
  const summary = memberOf(evaluation, 'alignment_summary');
  const state = textOf(memberOf(summary, 'state'));
  const reason = escalationReason({ state, disagreement_areas: itemsOf(memberOf(summary, 'disagreement_areas')).map(textOf) });
  const requestId = humanReviewRequestId(textOf(memberOf(input, 'task_id')), memberOf(evaluation, 'request_id'));
  const request = {
    request_id: requestId,
    task_id: memberOf(input, 'task_id'),
    alignment_state: memberOf(summary, 'state'),
    alignment_score: memberOf(summary, 'alignment_score'),
    escalation_reason: reason,
    summary: memberOf(input, 'disagreement_summary'),
    agent_decisions: memberOf(evaluation, 'agent_decisions'),
    dissenting_agents: memberOf(summary, 'dissenting_agents'),
    created_at: createdAt,
    metadata: mappedMetadata(input, evaluation, summary),
  };
  const validation = validateHitlRequest(request);
  if (!validation.ok) {
    return { ok: false, errors: validation.errors.map(atOrigin) };
  }
  const deadline = parseCreatedAt(textOf(memberOf(input, 'deadline')));
  return { ok: true, mapped: { requestId, reason, payload: writeJson(request), interaction: mappedInteraction(input), deadline } };
}

/** The id of a mapped request: UUIDv5 over the canonical JSON of `[task_id, evaluation_result.request_id or null]`. */
export function humanReviewRequestId(taskId: string, evaluationId: unknown): string {
  return uuidV5(UMPIRE_UUID_NAMESPACE, canonicalJson([taskId, kindOf(evaluationId) === 'string' ? textOf(evaluationId) : null]));
}

function mappedInteraction(input: unknown): Interaction {
  const instructions = textOf(memberOf(input, 'reviewer_instructions'));
  return {
    pattern: 'input',
    ...(NOT_BLANK.test(instructions) ? { prompt: instructions.slice(0, LONGEST_PROMPT).toWellFormed() } : {}),
    priority: PRIORITIES.get(textOf(memberOf(input, 'review_priority'))) ?? 'normal',
  };
}

/** The producer's own metadata first, then what a HITLRequest carries of the evaluation, then what had no other place. */
function mappedMetadata(input: unknown, evaluation: unknown, summary: unknown): object {
  const metadata: Record<string, unknown> = {};
  for (const [name, value] of entriesOf(memberOf(input, 'metadata'))) {
    setMember(metadata, name, value);
  }
  for (const name of ['confidence_spread', 'avg_confidence', 'disagreement_areas', 'consensus_strength', 'resolution_rationale']) {
    metadata[name] = memberOf(summary, name);
  }
  metadata['agent_count'] = itemsOf(memberOf(evaluation, 'agent_decisions')).length;
  metadata['processing_time_ms'] = memberOf(evaluation, 'processing_time_ms');
  metadata['evaluation_request_id'] = memberOf(evaluation, 'request_id');
  const deadline = memberOf(input, 'deadline');
  if (kindOf(deadline) !== 'null') {
    metadata['deadline'] = deadline;
  }
  const priority = memberOf(input, 'review_priority');
  if (!PRIORITIES.has(textOf(priority)) && kindOf(priority) !== 'null') {
    metadata['review_priority'] = priority;
  }
  return metadata;
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  if (isJsonNode(value)) {
    return value.kind === 'object' ? value.members.map((member) => [member.name, member.value] as const) : [];
  }
  return kindOf(value) === 'object' ? Object.entries(value as object) : [];
}

function atOrigin(error: FieldError): FieldError {
  const origin = ORIGINS.find(([name]) => error.path === name || error.path.startsWith(`${name}[`));
  return origin === undefined ? error : { ...error, path: origin[1] + error.path.slice(origin[0].length) };
}
