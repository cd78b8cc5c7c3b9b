import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { UmpireError, type Principal } from '@umpire/contract';
import { traceFields } from '@umpire/runtime';
import type { FastifyRequest } from 'fastify';
import type { Reader } from './read-log.ts';

const TRACE = /^[0-9a-f]{2}-([0-9a-f]{32})-/;

/** The verified caller as the read log names them, and where the request came from. `forwarded_for` is what a proxy said, not verified. */
export const Reading = createParamDecorator((_: unknown, context: ExecutionContext): Reader => {
  const { principal, ip, headers } = context.switchToHttp().getRequest<FastifyRequest & { principal?: Principal }>();
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
});
