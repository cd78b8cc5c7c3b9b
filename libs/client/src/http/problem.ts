import { ERROR_STATUS, UmpireError, type ErrorCode, type FieldError } from '@umpire/contract';

const STANDARD: ReadonlySet<string> = new Set(['type', 'title', 'status', 'code', 'detail', 'errors']);

/** Codes by status, for answers that are not ours: a proxy's, a load balancer's. */
const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'bad_request', 401: 'unauthenticated', 403: 'forbidden', 404: 'not_found', 405: 'method_not_allowed', 409: 'conflict', 410: 'erased',
  412: 'precondition_failed', 413: 'too_large', 415: 'unsupported_media_type', 422: 'invalid', 429: 'rate_limited', 502: 'unavailable', 503: 'unavailable', 504: 'timeout',
};

/**
 * The error that an answer stands for. A problem document (RFC 9457) gives its code, its fields at fault and its further members;
 * of anything else the status speaks.
 * @param retryAfter the header's text
 */
export function errorOf(status: number, contentType: string, text: string, retryAfter: string | null): UmpireError {
  const problem = contentType.includes('json') ? objectOf(text) : null;
  const said = problem?.['code'];
  const known = typeof said === 'string' && Object.hasOwn(ERROR_STATUS, said);
  const code = known ? (said as ErrorCode) : (BY_STATUS[status] ?? (status >= 500 ? 'internal' : 'bad_request'));
  const extra: Record<string, unknown> = Object.fromEntries(Object.entries(problem ?? {}).filter(([name]) => !STANDARD.has(name)));
  // A newer server may know codes that this client does not.
  if (typeof said === 'string' && !known) extra['server_code'] = said;
  const seconds = Number(retryAfter ?? Number.NaN);
  if (Number.isFinite(seconds) && extra['retry_after'] === undefined) extra['retry_after'] = seconds;
  const detail = typeof problem?.['detail'] === 'string' ? problem['detail'] : `the server answered ${status}`;
  return new UmpireError(code, detail, { errors: fieldErrors(problem?.['errors']), extra });
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function fieldErrors(value: unknown): FieldError[] {
  if (!Array.isArray(value)) return [];
  return value.filter((one): one is FieldError => typeof one === 'object' && one !== null && typeof (one as FieldError).path === 'string');
}
