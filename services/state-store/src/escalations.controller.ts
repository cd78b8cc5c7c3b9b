import { Get, Inject, Param, Query, Res, UseInterceptors } from '@nestjs/common';
import type { Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController, Reading } from '@umpire/runtime';
import type { FastifyReply } from 'fastify';
import { etagOf } from './if-match.ts';
import { Explanations } from './explain.service.ts';
import { decodeListCursor, encodeListCursor } from './list-cursor.ts';
import { listQuery, type ListQuery } from './list.schemas.ts';
import { Lists } from './list.service.ts';
import { RateLimitInterceptor } from './rate-limit.interceptor.ts';
import { ReadLog, type Reader } from './read-log.ts';
import { requestIdOf } from './request-id.ts';

/** Looking for escalations, and asking why one stands where it stands. */
@GuardedController('hitl/escalations')
@UseInterceptors(RateLimitInterceptor)
export class EscalationsController {
  private readonly lists: Lists;
  private readonly explanations: Explanations;
  private readonly log: ReadLog;

  constructor(@Inject(Lists) lists: Lists, @Inject(Explanations) explanations: Explanations, @Inject(ReadLog) log: ReadLog) {
    this.log = log;
    this.lists = lists;
    this.explanations = explanations;
  }

  @Get()
  @Allow('producer', 'reviewer', 'admin')
  async list(@Caller() caller: Principal, @Reading() reader: Reader, @Query({ schema: listQuery }) query: ListQuery, @Res() reply: FastifyReply) {
    const { after, ...request } = query;
    const { page, ids, next } = await this.lists.page(caller, { ...request, after: after === undefined ? null : decodeListCursor(query.sort, after) });
    await this.log.note(caller.namespace, reader, 'http', { what: 'list', asked: query, shown: ids });
    const cursor = next === null ? 'null' : JSON.stringify(encodeListCursor(query.sort, next));
    void reply.header('content-type', 'application/json; charset=utf-8').send(page.within('{"items":[', `],"next":${cursor}}`));
  }

  @Get(':id/explain')
  @Allow('producer', 'reviewer', 'admin')
  async explain(@Caller() caller: Principal, @Reading() reader: Reader, @Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    const explanation = await this.explanations.explain(caller, requestIdOf(id));
    await this.log.note(caller.namespace, reader, 'http', { what: 'explain', request_id: explanation.request_id });
    void reply.header('etag', etagOf(explanation.seq));
    return explanation;
  }
}
