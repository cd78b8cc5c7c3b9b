import { Body, Get, Header, HttpCode, Inject, Param, Post, Query, Req, Res, UseInterceptors } from '@nestjs/common';
import { deprecationHeaders, LIMITS, UmpireError, type Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController, Reading } from '@umpire/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { BulkResponses } from './bulk-respond.service.ts';
import { decodeCursor, encodeCursor, nextLink } from './cursor.ts';
import { LegacyResponses } from './legacy-respond.service.ts';
import { readIfMatch } from './if-match.ts';
import { OutcomeReads } from './outcome-reads.interceptor.ts';
import { RateLimitInterceptor } from './rate-limit.interceptor.ts';
import { ReadLog, type Reader } from './read-log.ts';
import { inboxPlaces, mayRead, Reads } from './read.service.ts';
import { requestIdOf } from './request-id.ts';
import { bulkBody, respondBody, type BulkBody, type RespondBody } from './respond.schemas.ts';
import { Responses } from './respond.service.ts';

const statusQuery = z.object({ wait: z.coerce.number().min(0).max(60).default(0) });
const pageQuery = z.object({ limit: z.coerce.number().int().min(1).max(200).default(200), after: z.string().max(2_048).optional() });

/** Where the deprecated form's successor is described. */
const DOCUMENTATION = '/schemas';
const JSON_TYPE = 'application/json; charset=utf-8';

/** The reviewer's API: the seed's three routes, and one escalation in full. */
@GuardedController('hitl')
@UseInterceptors(RateLimitInterceptor, OutcomeReads)
export class HitlController {
  private readonly reads: Reads;
  private readonly responses: Responses;
  private readonly bulk: BulkResponses;
  private readonly legacy: LegacyResponses;
  private readonly log: ReadLog;

  constructor(@Inject(Reads) reads: Reads, @Inject(Responses) responses: Responses, @Inject(BulkResponses) bulk: BulkResponses, @Inject(LegacyResponses) legacy: LegacyResponses, @Inject(ReadLog) log: ReadLog) {
    this.log = log;
    this.reads = reads;
    this.responses = responses;
    this.bulk = bulk;
    this.legacy = legacy;
  }

  /** What waits for a person, oldest first: an array as in the seed, further pages through `Link`. */
  @Get('pending/:user_id')
  @Allow('reviewer', 'admin')
  async pending(@Caller() caller: Principal, @Reading() reader: Reader, @Param('user_id') userId: string, @Query({ schema: pageQuery }) query: z.infer<typeof pageQuery>, @Res() reply: FastifyReply) {
    const own = caller.user_id === userId;
    if (!own && !caller.roles.includes('admin')) throw new UmpireError('forbidden', 'only your own pending items, or an admin\'s look at anybody\'s');
    // An admin sees what a plain reviewer of that name would: whose further roles are not known here.
    const places = own ? inboxPlaces({ user_id: userId, roles: caller.roles }, caller.acts_for ?? []) : await this.reads.placesOf(caller.namespace, { user_id: userId, roles: ['reviewer'] });
    const { page, ids, next } = await this.reads.inbox(caller.namespace, userId, places, decodeCursor(query.after), query.limit);
    await this.log.note(caller.namespace, reader, 'http', { what: 'pending', asked: { user_id: userId, ...query }, shown: ids, subject_user: userId });
    if (next) void reply.header('link', nextLink(`/hitl/pending/${encodeURIComponent(userId)}`, { limit: String(query.limit), after: encodeCursor(next) }));
    void reply.header('content-type', JSON_TYPE).send(page.within('[', ']'));
  }

  /** An answer. The form that it replaced is taken too, and told so (RFC 9745). */
  @Post('respond')
  @HttpCode(200)
  @Allow('reviewer')
  respond(@Caller() caller: Principal, @Req() request: FastifyRequest & { rawBody?: Buffer }, @Body({ schema: respondBody }) body: RespondBody, @Res({ passthrough: true }) reply: FastifyReply) {
    if ((request.rawBody?.length ?? 0) > LIMITS.answer) throw new UmpireError('too_large', `an answer may have ${LIMITS.answer} bytes`);
    if ('answer' in body) return this.responses.respond(caller, body.answer, readIfMatch(request.headers['if-match']));
    void reply.headers(deprecationHeaders(DOCUMENTATION));
    return this.legacy.respond(caller, body.deprecated);
  }

  /** Up to a hundred answers, each with its own result. */
  @Post('bulk/respond')
  @HttpCode(200)
  @Allow('reviewer')
  bulkRespond(@Caller() caller: Principal, @Body({ schema: bulkBody }) body: BulkBody) {
    return this.bulk.respond(caller, body);
  }

  /** The seed's status; `?wait=30` answers once there is an outcome, or after that many seconds. */
  @Get('status/:interaction_id')
  @Allow('producer', 'reviewer', 'admin')
  async status(@Caller() caller: Principal, @Reading() reader: Reader, @Param('interaction_id') id: string, @Query({ schema: statusQuery }) query: z.infer<typeof statusQuery>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const gone = new AbortController();
    if (query.wait > 0) request.raw.once('close', () => gone.abort());
    const key = { namespace: caller.namespace, request_id: requestIdOf(id) };
    const { text, state } = await this.reads.status(key, query.wait, gone.signal);
    if (!mayRead(caller, state)) throw new UmpireError('forbidden', 'this escalation is not yours to read');
    await this.log.note(caller.namespace, reader, 'http', { what: 'status', request_id: key.request_id });
    void reply.header('content-type', JSON_TYPE).send(text);
  }

  @Get('escalations/:id')
  @Allow('producer', 'reviewer', 'admin')
  async escalation(@Caller() caller: Principal, @Reading() reader: Reader, @Param('id') id: string, @Res() reply: FastifyReply) {
    const key = { namespace: caller.namespace, request_id: requestIdOf(id) };
    if (!mayRead(caller, await this.reads.state(key))) throw new UmpireError('forbidden', 'this escalation is not yours to read');
    const { bytes, row } = await this.reads.item(key);
    await this.log.note(caller.namespace, reader, 'http', { what: 'item', request_id: key.request_id });
    void reply.header('content-type', JSON_TYPE).header('etag', `"${row.seq}"`).send(bytes);
  }

  /** The log: what happened, in order, with actors. */
  @Get('escalations/:id/timeline')
  @Header('content-type', JSON_TYPE)
  @Allow('producer', 'reviewer', 'admin')
  async timeline(@Caller() caller: Principal, @Reading() reader: Reader, @Param('id') id: string, @Query({ schema: pageQuery }) query: z.infer<typeof pageQuery>) {
    const key = { namespace: caller.namespace, request_id: requestIdOf(id) };
    if (!mayRead(caller, await this.reads.state(key))) throw new UmpireError('forbidden', 'this escalation is not yours to read');
    const after = query.after === undefined ? 0 : Number(query.after);
    if (!Number.isSafeInteger(after) || after < 0) throw new UmpireError('bad_request', 'after is not a cursor of this list');
    const page = await this.reads.timeline(key, after, query.limit);
    await this.log.note(caller.namespace, reader, 'http', { what: 'timeline', request_id: key.request_id });
    return page;
  }
}
