import { member, type FieldError, type JsonNode } from '@umpire/contract';

/** The forms that producers send, told apart by `type`; a document without a known one is a bare HITLRequest. */
export type Envelope =
  | { form: 'escalation' | 'interaction' | 'cancel'; payload: JsonNode | undefined; interaction: JsonNode | undefined; routingKey: JsonNode | undefined; prefix: 'payload.' }
  | { form: 'escalation'; payload: JsonNode; interaction: undefined; routingKey: undefined; prefix: '' };

const FORMS = new Map([['hitl_escalation', 'escalation'], ['hitl_interaction', 'interaction'], ['hitl_cancel', 'cancel']] as const);

/**
 * Finds the parts of a message. `interaction` and `routing_key` count beside `payload` only: in a bare HITLRequest they would be
 * unknown members like any other, which are kept and not read. `null` there means absent, as serialisers write it.
 */
export function openEnvelope(root: JsonNode): { ok: true; envelope: Envelope } | { ok: false; errors: FieldError[] } {
  if (root.kind !== 'object') return { ok: false, errors: [{ path: '', code: 'invalid_type', message: 'must be an object' }] };
  const type = member(root, 'type');
  const form = type?.kind === 'string' ? FORMS.get(type.value as 'hitl_escalation') : undefined;
  const payload = member(root, 'payload');
  if (form !== undefined) {
    return { ok: true, envelope: { form, payload, interaction: given(member(root, 'interaction')), routingKey: given(member(root, 'routing_key')), prefix: 'payload.' } };
  }
  // A queue message of some other kind, told by its payload, would only be a long list of missing fields as a HITLRequest.
  if (payload !== undefined && member(root, 'request_id') === undefined) {
    return { ok: false, errors: [{ path: 'type', code: 'not_allowed', message: 'must be hitl_escalation, hitl_interaction or hitl_cancel' }] };
  }
  return { ok: true, envelope: { form: 'escalation', payload: root, interaction: undefined, routingKey: undefined, prefix: '' } };
}

function given(node: JsonNode | undefined): JsonNode | undefined {
  return node?.kind === 'null' ? undefined : node;
}
