import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { UmpireError, type ErrorCode, type FieldError } from '@umpire/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../logger.ts';

/** Turns whatever was thrown into RFC 9457 problem details. Faults are logged whole and told in one neutral sentence. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger: Logger;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const error = toUmpireError(thrown);
    if (error.status >= 500) this.logger.error({ err: thrown, method: request.method, route: request.routeOptions?.url }, 'request_failed');
    sendProblem(http.getResponse<FastifyReply>(), error);
  }
}

/** As bytes: given a string, Fastify would add a charset, which RFC 9457's media type does not have. */
export function sendProblem(reply: FastifyReply, error: UmpireError): void {
  if (error.status === 503 || error.status === 429) void reply.header('retry-after', String(error.extra['retry_after'] ?? 1));
  void reply.status(error.status).header('content-type', 'application/problem+json').send(Buffer.from(JSON.stringify(error.toProblem())));
}

const BY_STATUS: Record<number, ErrorCode> = {
  400: 'bad_request', 401: 'unauthenticated', 403: 'forbidden', 404: 'not_found', 405: 'method_not_allowed', 413: 'too_large',
  414: 'too_large', 415: 'unsupported_media_type', 422: 'invalid', 429: 'rate_limited', 503: 'unavailable',
};

/** @returns the error as ours: kept if it is, mapped by status if it is Nest's or Fastify's, else `internal` or `unavailable`. */
export function toUmpireError(thrown: unknown): UmpireError {
  if (thrown instanceof UmpireError) return thrown;
  const status = thrown instanceof HttpException ? thrown.getStatus() : (thrown as { statusCode?: unknown } | null)?.statusCode;
  if (typeof status === 'number' && status < 500 && BY_STATUS[status]) {
    return new UmpireError(BY_STATUS[status], (thrown as Error).message, { cause: thrown });
  }
  const refused = REFUSED_BY_POSTGRES[String((thrown as { code?: unknown } | null)?.code)];
  if (refused) return new UmpireError('bad_request', refused, { cause: thrown });
  if (isUnreachable(thrown)) return new UmpireError('unavailable', undefined, { cause: thrown });
  return new UmpireError('internal', 'something failed on our side; it has been logged', { cause: thrown });
}

/** What Postgres refuses of values that may be asked for, by SQLSTATE: U+0000 in any text, and times before the year 1 or beyond its calendar. */
const REFUSED_BY_POSTGRES: Record<string, string | undefined> = {
  22021: 'a text of the request holds U+0000, which nothing here is named by',
  22007: 'a time of the request is none that can be looked for', 22008: 'a time of the request is none that can be looked for', 22009: 'a time of the request is none that can be looked for',
};

/** Connection-level faults of postgres.js, Node and SQLSTATE classes 08, 53, 57 and lock or statement time-outs: try again. */
function isUnreachable(thrown: unknown): boolean {
  const code = String((thrown as { code?: unknown } | null)?.code ?? '');
  const name = String((thrown as { name?: unknown } | null)?.name ?? '');
  return /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|CONNECTION_|CONNECT_TIMEOUT|08|53|57|55P03|40)/.test(code) || name === 'DeadlineError';
}

/** Standard Schema issues → our field errors. */
export function fieldErrors(issues: readonly { message: string; path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined }[]): FieldError[] {
  return issues.map((issue) => ({
    path: (issue.path ?? []).reduce<string>((path, part) => {
      const key = typeof part === 'object' ? part.key : part;
      return typeof key === 'number' ? `${path}[${key}]` : path ? `${path}.${String(key)}` : String(key);
    }, ''),
    code: String((issue as { code?: unknown }).code ?? 'invalid'),
    message: issue.message,
  }));
}

