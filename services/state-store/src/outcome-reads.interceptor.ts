import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { UmpireError, type Principal } from '@umpire/contract';
import { readerOf } from '@umpire/runtime';
import type { FastifyRequest } from 'fastify';
import { catchError, concatMap, from, type Observable } from 'rxjs';
import { ReadLog } from './read-log.ts';

type Told = { interaction_id?: unknown; outcome?: unknown };

/**
 * A refusal that comes after the end tells what was decided, by whom and with which answer: that is a read of it, and is written down before
 * it is told, alone or as an item of a bulk reply. What one's own answer settles needs no such line: the event says who gave it.
 */
@Injectable()
export class OutcomeReads implements NestInterceptor {
  private readonly log: ReadLog;

  constructor(@Inject(ReadLog) log: ReadLog) {
    this.log = log;
  }

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest & { principal?: Principal }>();
    return next.handle().pipe(
      concatMap(async (reply) => {
        const items = (reply as { items?: { problem?: Told }[] } | null | undefined)?.items;
        if (Array.isArray(items)) await this.note(request, items.flatMap(({ problem }) => (problem ? [problem] : [])));
        return reply;
      }),
      catchError((thrown: unknown) => from(this.note(request, thrown instanceof UmpireError ? [thrown.extra] : []).then(() => { throw thrown; }))),
    );
  }

  private async note(request: FastifyRequest & { principal?: Principal }, told: Told[]): Promise<void> {
    for (const { interaction_id, outcome } of told) {
      if (outcome === undefined || typeof interaction_id !== 'string' || !request.principal) continue;
      await this.log.note(request.principal.namespace, readerOf(request), 'http', { what: 'outcome', request_id: interaction_id });
    }
  }
}
