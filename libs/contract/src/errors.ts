/** One field at fault. `path` is dotted (`agent_decisions[2].confidence`), `` for the whole document. */
export type FieldError = { path: string; code: string; message: string };

/**
 * Every error code that the outside can see, with the HTTP status that carries it. Codes are stable: clients switch on them.
 */
export const ERROR_STATUS = {
  bad_request: 400,
  malformed_json: 400,
  unauthenticated: 401,
  forbidden: 403,
  cross_site: 403,
  four_eyes: 403,
  not_eligible: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  id_conflict: 409,
  already_settled: 409,
  already_answered: 409,
  claimed_by_other: 409,
  not_claimed: 409,
  stale_revision: 409,
  deadline_passed: 409,
  not_consumable: 409,
  already_consumed: 409,
  digest_mismatch: 409,
  erased: 410,
  precondition_failed: 412,
  too_large: 413,
  unsupported_media_type: 415,
  invalid: 422,
  unsupported: 422,
  reason_mismatch: 422,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
  timeout: 504,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

const TITLES: Partial<Record<ErrorCode, string>> = {
  invalid: 'The request has fields that are not valid',
  not_found: 'Nothing is known under this id',
  unauthenticated: 'A valid credential is needed',
  forbidden: 'This credential may not do that',
  id_conflict: 'The same id was submitted before with other content',
  already_settled: 'This escalation has its outcome already',
  unavailable: 'A server that is needed does not answer; try again',
};

/** RFC 9457 problem details, with a stable `code` and the fields at fault. */
export type Problem = {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail?: string;
  errors?: FieldError[];
  [extension: string]: unknown;
};

/** The one error class that crosses layers; the HTTP filter and the bus turn it into a problem document. */
export class UmpireError extends Error {
  readonly code: ErrorCode;
  readonly errors: FieldError[];
  readonly extra: Record<string, unknown>;

  constructor(code: ErrorCode, detail?: string, more: { errors?: FieldError[]; extra?: Record<string, unknown>; cause?: unknown } = {}) {
    super(detail ?? TITLES[code] ?? code.replaceAll('_', ' '), { cause: more.cause });
    this.name = 'UmpireError';
    this.code = code;
    this.errors = more.errors ?? [];
    this.extra = more.extra ?? {};
  }

  get status(): number {
    return ERROR_STATUS[this.code];
  }

  /** @returns the RFC 9457 document for this error; `extra` members stand beside the standard ones. */
  toProblem(): Problem {
    return {
      type: `urn:umpire:problem:${this.code}`,
      title: TITLES[this.code] ?? this.code.replaceAll('_', ' '),
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(this.errors.length ? { errors: this.errors } : {}),
      ...this.extra,
    };
  }
}
