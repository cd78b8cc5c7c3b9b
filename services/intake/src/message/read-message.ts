import {
  contentDigest, decodeUtf8, isReason, JsonSyntaxError, LIMITS, readJson, requestIdProblem, stringMember, toHex, validateHitlRequest,
  type FieldError, type Interaction, type JsonNode, type JsonObject, type Reason, type SubmitItem,
} from '@umpire/contract';
import { resolveRules } from '@umpire/domain';
import { hash } from 'node:crypto';
import type { PolicySubject } from '../policy-facts.ts';
import type { PolicyMatch } from '../policy-match.ts';
import { readCancelPayload } from './cancel.ts';
import { openEnvelope, type Envelope } from './envelope.ts';
import { boundErrors } from './errors.ts';
import { readInteraction } from './interaction.ts';
import { isDeprecated, modernise, type DeprecatedForm } from './legacy.ts';
import type { Origin } from './origin.ts';
import { validatePipelinePayload } from './pipeline-payload.ts';
import { project } from './projection.ts';
import { agreeOnReason, readRoutingKey, type ReasonClaim } from './reasons.ts';
import { bytesOf } from './slice.ts';

/** Finds the policy that takes a message, or null. */
export type PolicyFinder = (subject: PolicySubject) => PolicyMatch | null;

/** `deprecated` names the form that it came in, if that is an old one. */
export type ReadMessage = { ok: true; item: SubmitItem; payload: Uint8Array; deprecated?: DeprecatedForm };
/** `requestId` only if the message names a usable one. `reason` is the subject's, else what the message says. */
export type RefusedMessage = { ok: false; requestId: string | null; reason: Reason | 'unknown'; errors: FieldError[]; deprecated?: DeprecatedForm };

const NO_BODY = new Uint8Array(0);

/**
 * Reads and checks one message as a producer sent it: the contract's queue message, a bare HITLRequest, a pipeline interaction, a cancel,
 * or the deprecated HumanReviewRequest. Pure; whatever the bytes are, the answer is a value.
 *
 * @param bytes the message as it came
 * @returns what the store is to be given, with the payload's own bytes (a view into `bytes`); or every field at fault, with paths
 *   from the message's root
 */
export function readMessage(bytes: Uint8Array, origin: Origin, policyFor: PolicyFinder): ReadMessage | RefusedMessage {
  if (bytes.length > LIMITS.request) {
    return refuse(origin, undefined, [{ path: '', code: 'too_large', message: `is longer than ${LIMITS.request} bytes` }]);
  }
  let text: string;
  let root: JsonNode;
  try {
    text = decodeUtf8(bytes);
    root = readJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return refuse(origin, undefined, [{ path: '', code: error.code, message: error.message }]);
    throw error;
  }
  const opened = openEnvelope(root);
  if (!opened.ok) return refuse(origin, undefined, opened.errors);
  const { envelope } = opened;
  const verb = envelope.form === 'cancel' ? 'cancel' : 'review';
  const misplaced: FieldError[] = origin.subject && origin.subject.verb !== verb
    ? [{ path: 'type', code: 'not_allowed', message: `belongs on a ${verb} subject` }]
    : [];
  if (envelope.form === 'cancel') return readCancel(envelope, origin, misplaced);
  if (isDeprecated(envelope)) return readDeprecated(envelope, origin, misplaced, policyFor);
  return readReview({ envelope, misplaced, slice: (payload) => bytesOf(payload, text, bytes) }, origin, policyFor);
}

function readDeprecated(old: Envelope, origin: Origin, misplaced: FieldError[], policyFor: PolicyFinder): ReadMessage | RefusedMessage {
  const deprecated = 'HumanReviewRequest';
  const mapped = modernise(old, origin.now());
  if (!mapped.ok) return { ...refuse(origin, old, [...misplaced, ...mapped.errors]), deprecated };
  const { envelope, bytes, timeoutSeconds, reasonPath } = mapped.modern;
  return { ...readReview({ envelope, misplaced, slice: () => bytes, timeoutSeconds, reasonPath }, origin, policyFor), deprecated };
}

function readCancel(envelope: Envelope, origin: Origin, misplaced: FieldError[]): ReadMessage | RefusedMessage {
  const key = readRoutingKey(envelope.routingKey, 'cancel');
  const agreed = agreeOnReason(origin, [key.claim]);
  const payload = readCancelPayload(envelope.payload);
  const errors = [...misplaced, ...(payload.ok ? [] : payload.errors), ...key.errors, ...agreed.errors];
  if (!payload.ok || errors.length > 0) return refuse(origin, envelope, errors);
  const item: SubmitItem = {
    type: 'cancel',
    namespace: origin.namespace,
    request_id: payload.requestId,
    // A posted cancel may not know it; it only chooses the subject.
    reason: agreed.reason ?? 'custom_rule',
    submission: origin.submission,
    detail: payload.detail,
  };
  return { ok: true, item, payload: NO_BODY };
}

/** A review as it is to be read: `slice` gives the payload's bytes; the rest is there for deprecated forms. */
type Review = { envelope: Envelope; misplaced: FieldError[]; slice: (payload: JsonNode) => Uint8Array; timeoutSeconds?: number | null; reasonPath?: string };

function readReview(review: Review, origin: Origin, policyFor: PolicyFinder): ReadMessage | RefusedMessage {
  const { envelope, misplaced, slice } = review;
  const kind = envelope.form === 'interaction' ? 'interaction' : 'escalation';
  const { payload } = envelope;
  const key = readRoutingKey(envelope.routingKey, 'review');
  const agreed = agreeOnReason(origin, [payloadClaim(envelope, review.reasonPath), key.claim]);
  const block = readInteraction(envelope.interaction);
  const errors = [...misplaced, ...payloadErrors(envelope, kind), ...key.errors, ...agreed.errors, ...(block.ok ? [] : block.errors)];
  if (!block.ok || errors.length > 0 || payload?.kind !== 'object') return refuse(origin, envelope, errors);
  // Only an interaction may leave its reason open; a HITLRequest has passed its validator.
  const reason = agreed.reason ?? 'custom_rule';
  const policy = policyFor({ namespace: origin.namespace, kind, reason, payload });
  const resolved = resolveRules(withTimeout(block.interaction, review.timeoutSeconds ?? null), { kind, reason, namespace: origin.namespace, ...(policy ? { policy } : {}) });
  if (!resolved.ok) return refuse(origin, envelope, resolved.errors);
  const task = kind === 'escalation' ? project(payload, 'task_id') : null;
  const item: SubmitItem = {
    type: kind,
    namespace: origin.namespace,
    request_id: idOf(payload, kind) ?? origin.interactionId(),
    reason,
    submission: origin.submission,
    content_digest: digestOf(payload, envelope.interaction, kind),
    rules: resolved.rules,
    policy: policy ? { id: policy.id, version: policy.version } : null,
    // A task that the column holds only in part could be taken for another one.
    ...(policy?.same_task && task !== null && task === stringMember(payload, 'task_id') ? { same_task: policy.same_task } : {}),
    task_id: task,
    summary: kind === 'escalation' ? project(payload, 'summary') : null,
    pipeline_name: kind === 'interaction' ? project(payload, 'pipeline_name') : null,
    step_name: kind === 'interaction' ? project(payload, 'step_name') : null,
  };
  return { ok: true, item, payload: slice(payload) };
}

function payloadErrors(envelope: Envelope, kind: 'escalation' | 'interaction'): FieldError[] {
  const { payload, prefix } = envelope;
  if (kind === 'interaction') return validatePipelinePayload(payload);
  if (payload === undefined) return [{ path: 'payload', code: 'required', message: 'is missing' }];
  const validation = validateHitlRequest(payload);
  if (validation.ok) return [];
  return validation.errors.map((error) => ({ ...error, path: error.path === '' ? prefix.slice(0, -1) : prefix + error.path }));
}

function withTimeout(interaction: Interaction | undefined, timeout_seconds: number | null): Interaction | undefined {
  return timeout_seconds === null ? interaction : { timeout_seconds, ...interaction };
}

/** What the payload says of its reason; a bad one is the validators' to report. */
function payloadClaim({ payload, prefix }: Envelope, path = `${prefix}escalation_reason`): ReasonClaim | null {
  const reason = stringMember(payload, 'escalation_reason');
  return isReason(reason) ? { path, reason } : null;
}

function idOf(payload: JsonNode | undefined, kind: 'escalation' | 'interaction' | 'cancel'): string | undefined {
  return stringMember(payload, kind === 'interaction' ? 'interaction_id' : 'request_id');
}

function digestOf(payload: JsonObject, interaction: JsonNode | undefined, kind: 'escalation' | 'interaction'): string {
  return toHex(contentDigest(payload, interaction, { hitlRequest: kind === 'escalation', hash: (text) => hash('sha256', text, 'buffer') }));
}

function refuse(origin: Origin, envelope: Envelope | undefined, errors: FieldError[]): RefusedMessage {
  const id = envelope && idOf(envelope.payload, envelope.form);
  const said = stringMember(envelope?.payload, 'escalation_reason');
  return {
    ok: false,
    requestId: id !== undefined && id !== '' && requestIdProblem(id) === null ? id : null,
    reason: origin.subject?.reason ?? (isReason(said) ? said : 'unknown'),
    errors: boundErrors(errors),
  };
}
