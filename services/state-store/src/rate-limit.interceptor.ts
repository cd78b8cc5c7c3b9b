import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { UmpireError, type Principal } from '@umpire/contract';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { RateLimiter } from './rate-limit.ts';

/** A request with many items counts as many requests, up to so many. */
const MOST_ITEMS = 100;

/** Refuses a key that asks too often: 429, and when to come again. Stands after the guard, since what counts is the credential. */
@Injectable()
export class RateLimitInterceptor implements NestInterceptor {
  private readonly limiter: RateLimiter;

  constructor(@Inject(RateLimiter) limiter: RateLimiter) {
    this.limiter = limiter;
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const { principal, method, body } = context.switchToHttp().getRequest<FastifyRequest<{ Body: { items?: unknown } | undefined }> & { principal?: Principal }>();
    if (!principal) return next.handle();
    const items = Array.isArray(body?.items) ? body.items.length : 1;
    const waitMs = await this.limiter.take(principal, method === 'GET' || method === 'HEAD' ? 'read' : 'write', Math.min(Math.max(items, 1), MOST_ITEMS));
    if (waitMs > 0) {
      const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
      throw new UmpireError('rate_limited', `this key asks too often; try again in ${seconds} s`, { extra: { retry_after: seconds } });
    }
    return next.handle();
  }
}
