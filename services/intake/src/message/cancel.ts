import { member, NOT_BLANK, requestIdProblem, type FieldError, type JsonNode } from '@umpire/contract';

const LONGEST_DETAIL = 4_000;

/** Reads the payload of a `hitl_cancel`: `{request_id, detail?}`. */
export function readCancelPayload(payload: JsonNode | undefined): { ok: true; requestId: string; detail: string | null } | { ok: false; errors: FieldError[] } {
  if (payload === undefined) return refused('payload', 'required', 'is missing');
  if (payload.kind !== 'object') return refused('payload', 'invalid_type', 'must be an object');
  const id = member(payload, 'request_id');
  const detail = member(payload, 'detail');
  const errors: FieldError[] = [];
  if (id === undefined) errors.push({ path: 'payload.request_id', code: 'required', message: 'is missing' });
  else if (id.kind !== 'string') errors.push({ path: 'payload.request_id', code: 'invalid_type', message: 'must be a string' });
  else errors.push(...idErrors(id.value));
  if (detail !== undefined && detail.kind !== 'null' && detail.kind !== 'string') errors.push({ path: 'payload.detail', code: 'invalid_type', message: 'must be a string' });
  if (detail?.kind === 'string' && detail.value.length > LONGEST_DETAIL) {
    errors.push({ path: 'payload.detail', code: 'too_long', message: `must not be longer than ${LONGEST_DETAIL} characters` });
  }
  if (errors.length > 0 || id?.kind !== 'string') return { ok: false, errors };
  return { ok: true, requestId: id.value, detail: detail?.kind === 'string' ? detail.value : null };
}

function idErrors(id: string): FieldError[] {
  const problem = !NOT_BLANK.test(id) ? 'must not be blank' : requestIdProblem(id);
  return problem === null ? [] : [{ path: 'payload.request_id', code: 'invalid_id', message: problem }];
}

function refused(path: string, code: string, message: string): { ok: false; errors: FieldError[] } {
  return { ok: false, errors: [{ path, code, message }] };
}
