import { Body, Get, Header, HttpCode, Inject, Param, Post, Put, Query, Res, UseInterceptors } from '@nestjs/common';
import { UmpireError, type Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController } from '@umpire/runtime';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { RateLimitInterceptor } from '../rate-limit.interceptor.ts';
import { checkpointListQuery, erasureBody, erasureListQuery, exportQuery, personQuery, retentionBody, rotateBody } from './audit.schemas.ts';
import { checkpointsBefore } from './checkpoint.queries.ts';
import type { ExportPage } from './export.service.ts';
import { RecordKeeping } from './record-keeping.ts';

/** The record of the caller's namespace, for auditors: exports, checkpoints, and the keys that sign. */
@GuardedController('audit')
@UseInterceptors(RateLimitInterceptor)
export class AuditController {
  private readonly record: RecordKeeping;

  constructor(@Inject(RecordKeeping) record: RecordKeeping) {
    this.record = record;
  }

  /** A page of NDJSON; the `Link` header leads on, until the end. */
  @Get('export')
  @Allow('admin')
  async export(@Caller() caller: Principal, @Query({ schema: exportQuery }) { after, ...range }: z.infer<typeof exportQuery>, @Res() reply: FastifyReply) {
    const { since, until } = range;
    sendPage(reply, '/audit/export', after === undefined ? await this.record.exports.begin(caller, { since, until }) : await this.record.exports.page(caller, after));
  }

  /** What is known of one person, as NDJSON in pages like an export's. */
  @Get('person/:user')
  @Allow('admin')
  async person(@Caller() caller: Principal, @Param('user') user: string, @Query({ schema: personQuery }) { after }: z.infer<typeof personQuery>, @Res() reply: FastifyReply) {
    sendPage(reply, `/audit/person/${encodeURIComponent(user)}`, after === undefined ? await this.record.people.begin(caller, user) : await this.record.people.page(caller, user, after));
  }

  /** An escalation's content at once; a person step by step: `state` says how far. */
  @Post('erasures')
  @Allow('admin')
  erase(@Caller() caller: Principal, @Body({ schema: erasureBody }) body: z.infer<typeof erasureBody>) {
    return 'user_id' in body ? this.record.erasures.person(caller, body.user_id, body.reason) : this.record.erasures.escalation(caller, body.request_id, body.reason);
  }

  @Get('erasures')
  @Allow('admin')
  erasures(@Caller() { namespace }: Principal, @Query({ schema: erasureListQuery }) { after, limit }: z.infer<typeof erasureListQuery>) {
    return this.record.erasures.list(namespace, after ?? null, limit);
  }

  @Get('erasures/:id')
  @Allow('admin')
  erasure(@Caller() { namespace }: Principal, @Param('id') id: string) {
    if (!z.uuid().safeParse(id).success) throw new UmpireError('not_found', 'no erasure has this id');
    return this.record.erasures.get(namespace, id);
  }

  @Get('retention')
  @Allow('admin')
  retention(@Caller() { namespace }: Principal) {
    return this.record.retention.rules(namespace);
  }

  @Put('retention')
  @Allow('admin')
  changeRetention(@Caller() caller: Principal, @Body({ schema: retentionBody }) body: z.infer<typeof retentionBody>) {
    return this.record.retention.change(caller, body);
  }

  /** Newest first. Whoever keeps one can tell later whether the record is still the one it seals. */
  @Get('checkpoints')
  @Allow('admin')
  async checkpoints(@Caller() { namespace }: Principal, @Query({ schema: checkpointListQuery }) { before, limit }: z.infer<typeof checkpointListQuery>) {
    const rows = await checkpointsBefore(this.record.sql, namespace, before, limit);
    return { items: rows.map(({ number, at, chains, events, jws }) => ({ number, at, chains, events, jws })), next: rows.length === limit ? String(rows.at(-1)!.number) : null };
  }

  /** Seals what there is now, instead of within the minute. */
  @Post('checkpoints')
  @HttpCode(200)
  @Allow('admin')
  async seal(@Caller() { namespace }: Principal) {
    await this.record.checkpoints.sealAll();
    const [newest] = await checkpointsBefore(this.record.sql, namespace, 2 ** 31 - 1, 1);
    return newest ? { number: newest.number, at: newest.at, chains: newest.chains, events: newest.events, jws: newest.jws } : { number: 0 };
  }

  @Get('keys')
  @Allow('admin')
  keys() {
    return this.record.keys.list();
  }

  /** The next signing key, for the whole installation. */
  @Post('keys')
  @Header('cache-control', 'no-store')
  @Allow('admin')
  rotate(@Caller() caller: Principal, @Body({ schema: rotateBody }) body: z.infer<typeof rotateBody>) {
    return this.record.keys.rotate(caller, body.overlap_seconds);
  }
}

function sendPage(reply: FastifyReply, path: string, { lines, next }: ExportPage): void {
  if (next !== null) void reply.header('link', `<${path}?after=${next}>; rel="next"`);
  void reply.header('content-type', 'application/x-ndjson; charset=utf-8').header('cache-control', 'no-store').send(lines.join(''));
}
