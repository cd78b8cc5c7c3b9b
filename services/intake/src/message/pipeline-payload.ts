import { isReason, member, NOT_BLANK, requestIdProblem, type FieldError, type JsonNode } from '@umpire/contract';

const LONGEST_NAME = 256;

/** Checks the payload of a `hitl_interaction`. Unknown members are the pipeline's own and are kept. */
export function validatePipelinePayload(payload: JsonNode | undefined): FieldError[] {
  if (payload === undefined) return [{ path: 'payload', code: 'required', message: 'is missing' }];
  if (payload.kind !== 'object') return [{ path: 'payload', code: 'invalid_type', message: 'must be an object' }];
  return [...idErrors(payload), ...nameErrors(payload, 'pipeline_name'), ...nameErrors(payload, 'step_name'), ...dataErrors(payload), ...optionalErrors(payload)];
}

function idErrors(payload: JsonNode): FieldError[] {
  const path = 'payload.interaction_id';
  const id = member(payload, 'interaction_id');
  if (id === undefined || id.kind === 'null') return [];
  if (id.kind !== 'string') return [{ path, code: 'invalid_type', message: 'must be a string' }];
  if (!NOT_BLANK.test(id.value)) return [{ path, code: 'blank', message: 'must not be blank' }];
  const problem = requestIdProblem(id.value);
  return problem === null ? [] : [{ path, code: 'invalid_id', message: problem }];
}

function nameErrors(payload: JsonNode, name: 'pipeline_name' | 'step_name'): FieldError[] {
  const path = `payload.${name}`;
  const node = member(payload, name);
  if (node === undefined) return [{ path, code: 'required', message: 'is missing' }];
  if (node.kind !== 'string') return [{ path, code: 'invalid_type', message: 'must be a string' }];
  if (!NOT_BLANK.test(node.value)) return [{ path, code: 'blank', message: 'must not be blank' }];
  return node.value.length <= LONGEST_NAME ? [] : [{ path, code: 'too_long', message: `must not be longer than ${LONGEST_NAME} characters` }];
}

/** The response is merged into `data` when the pipeline resumes, so it has to be an object. */
function dataErrors(payload: JsonNode): FieldError[] {
  const kind = member(payload, 'data')?.kind ?? 'missing';
  if (kind === 'missing') return [{ path: 'payload.data', code: 'required', message: 'is missing' }];
  return kind === 'object' ? [] : [{ path: 'payload.data', code: 'invalid_type', message: 'must be an object' }];
}

function optionalErrors(payload: JsonNode): FieldError[] {
  const errors: FieldError[] = [];
  const reason = member(payload, 'escalation_reason');
  if (reason !== undefined && reason.kind !== 'null' && !(reason.kind === 'string' && isReason(reason.value))) {
    errors.push({ path: 'payload.escalation_reason', code: 'not_allowed', message: 'must be one of the four escalation reasons' });
  }
  const metadata = member(payload, 'metadata')?.kind ?? 'missing';
  if (metadata !== 'missing' && metadata !== 'null' && metadata !== 'object') {
    errors.push({ path: 'payload.metadata', code: 'invalid_type', message: 'must be an object' });
  }
  return errors;
}
