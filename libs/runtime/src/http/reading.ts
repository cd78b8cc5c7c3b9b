import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { UmpireError, type ContentReader, type Principal } from '@umpire/contract';
import type { FastifyRequest } from 'fastify';
import { traceFields } from '../tracing/tracing.ts';

const TRACE = /^[0-9a-f]{2}-([0-9a-f]{32})-/;

type Asked = Pick<FastifyRequest, 'ip' | 'headers'> & { principal?: Principal };

/** The verified caller as the read log names them, and where the request came from. `forwarded_for` is what a proxy said, not verified. */
export const Reading = createParamDecorator((_: unknown, context: ExecutionContext): ContentReader => readerOf(context.switchToHttp().getRequest<Asked>()));

/** @throws UmpireError `unauthenticated` for a request that no guard has let in */
export function readerOf({ principal, ip, headers }: Asked): ContentReader {
  if (!principal) throw new UmpireError('unauthenticated');
  const forwarded = headers['x-forwarded-for'];
  return {
    user_id: principal.user_id,
    key_id: principal.key_id,
    auth: principal.auth,
    address: ip,
    forwarded_for: forwarded === undefined ? null : String(forwarded).slice(0, 200),
    trace_id: traceFields()['trace_id'] ?? TRACE.exec(String(headers['traceparent'] ?? ''))?.[1] ?? null,
  };
}
