import {
  encodeUtf8, HitlDocument, isReason, LIMITS, readJson, requestIdProblem, serializeHitlRequest, stringMember, UmpireError, writeJson,
  type HITLRequest, type Interaction, type Reason,
} from '@umpire/contract';
import type { InteractionRequest } from './types.ts';

/** A message as it goes out, and what has to be known of it to send it. */
export type Message = { requestId: string; reason: Reason; body: string };

/** A HITLRequest as a value, as it was read, or as the JSON text that another program wrote; texts go on byte for byte. */
export type Escalation = HITLRequest | HitlDocument | string;

/**
 * The contract's queue message around a HITLRequest.
 * @throws UmpireError `invalid` if it names no id or reason, `malformed_json`, `too_large`
 */
export function escalationMessage(request: Escalation, interaction?: Interaction): Message {
  const payload = typeof request === 'string' ? request.trim() : serializeHitlRequest(request);
  const { requestId, reason } = typeof request === 'string' ? namesIn(payload) : named(request instanceof HitlDocument ? request.request : request);
  if (!isReason(reason)) throw fault('escalation_reason', 'not_allowed', 'must be one of the four escalation reasons');
  checkId('request_id', requestId);
  const block = interaction === undefined ? '' : `,"interaction":${writeJson(interaction)}`;
  return bounded({ requestId, reason, body: `{"type":"hitl_escalation","payload":${payload},"routing_key":"review.${reason}"${block}}` });
}

/**
 * A pipeline's question as a message. It always carries an id, so that sending it again asks once.
 * @throws UmpireError `invalid`, `too_large`; TypeError for what has no JSON form
 */
export function interactionMessage({ interaction, interaction_id: given, ...payload }: InteractionRequest): Message {
  const requestId = given ?? crypto.randomUUID();
  checkId('interaction_id', requestId);
  const block = interaction === undefined ? {} : { interaction };
  const body = writeJson({ type: 'hitl_interaction', payload: { interaction_id: requestId, ...payload }, ...block });
  return bounded({ requestId, reason: payload.escalation_reason ?? 'custom_rule', body });
}

/** The message that takes a question back. The reason only chooses the subject; an unknown one is `custom_rule`. */
export function cancelMessage(requestId: string, { detail, reason = 'custom_rule' }: { detail?: string | undefined; reason?: Reason | undefined } = {}): Message {
  checkId('request_id', requestId);
  return bounded({ requestId, reason, body: writeJson({ type: 'hitl_cancel', payload: { request_id: requestId, detail } }) });
}

const MESSAGE_TYPES: ReadonlySet<string> = new Set(['hitl_escalation', 'hitl_interaction', 'hitl_cancel']);

function named({ request_id, escalation_reason }: HITLRequest): { requestId: unknown; reason: unknown } {
  return { requestId: request_id, reason: escalation_reason };
}

function namesIn(text: string): { requestId: unknown; reason: unknown } {
  let root;
  try {
    root = readJson(text);
  } catch (error) {
    throw new UmpireError('malformed_json', `the request is not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (MESSAGE_TYPES.has(stringMember(root, 'type') ?? '')) throw fault('', 'not_allowed', 'is a whole message: send it with submit(), or its payload with escalate()');
  return { requestId: stringMember(root, 'request_id'), reason: stringMember(root, 'escalation_reason') };
}

function checkId(path: string, id: unknown): asserts id is string {
  const problem = typeof id !== 'string' || id.trim() === '' ? 'must be a text that is not blank' : requestIdProblem(id);
  if (problem !== null) throw fault(path, 'invalid_id', problem);
}

function bounded(message: Message): Message {
  if (message.body.length * 3 > LIMITS.request && encodeUtf8(message.body).length > LIMITS.request) {
    throw new UmpireError('too_large', `a message may have ${LIMITS.request} bytes`);
  }
  return message;
}

function fault(path: string, code: string, message: string): UmpireError {
  return new UmpireError('invalid', `${path} ${message}`.trim(), { errors: [{ path, code, message }] });
}
