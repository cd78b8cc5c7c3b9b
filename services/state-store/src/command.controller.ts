import { applyDecorators, Body, createParamDecorator, HttpCode, Inject, Post, UseInterceptors, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { LIMITS, UmpireError, type Principal } from '@umpire/contract';
import { Allow, GuardedController } from '@umpire/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { tap, type Observable } from 'rxjs';
import {
  cancelBody, claimBody, commentBody, consumeBody, delegateBody, raiseBody, reassignBody, releaseBody, reviseBody, snoozeBody,
  type CancelBody, type ClaimBody, type CommentBody, type ConsumeBody, type DelegateBody, type RaiseBody, type ReassignBody, type ReviseBody, type SnoozeBody,
} from './command.schemas.ts';
import { Commands, type Aim } from './command.service.ts';
import { etagOf, readIfMatch } from './if-match.ts';
import { OutcomeReads } from './outcome-reads.interceptor.ts';
import { RateLimitInterceptor } from './rate-limit.interceptor.ts';
import { requestIdOf } from './request-id.ts';

type CommandRequest = FastifyRequest<{ Params: { id: string } }> & { principal?: Principal; rawBody?: Buffer };

/** Caller, id in the path, and `If-Match`. */
const Aimed = createParamDecorator((_: unknown, context: ExecutionContext): Aim => {
  const { principal, params, headers } = context.switchToHttp().getRequest<CommandRequest>();
  if (!principal) throw new UmpireError('unauthenticated');
  const if_match = readIfMatch(headers['if-match']);
  return { principal, request_id: requestIdOf(params.id), ...(if_match === undefined ? {} : { if_match }) };
});

const Command = (name: string, ...roles: ('producer' | 'reviewer' | 'admin')[]) => applyDecorators(Post(name), HttpCode(200), Allow(...roles));

/** Bounds the body, all but a revision's, and gives the reply the entity tag of the version it tells of. */
class CommandInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler<{ seq: number }>): Observable<{ seq: number }> {
    const http = context.switchToHttp();
    const { rawBody } = http.getRequest<CommandRequest>();
    const limit = context.getHandler().name === 'revise' ? LIMITS.request : LIMITS.answer;
    if ((rawBody?.length ?? 0) > limit) throw new UmpireError('too_large', `the body may have ${limit} bytes here`);
    return next.handle().pipe(tap(({ seq }) => void http.getResponse<FastifyReply>().header('etag', etagOf(seq))));
  }
}

/** Everything that changes one escalation but the answer itself. `If-Match` takes what `ETag` gave; replies carry the new one. */
@GuardedController('hitl/escalations/:id')
@UseInterceptors(RateLimitInterceptor, OutcomeReads, CommandInterceptor)
export class CommandController {
  private readonly commands: Commands;

  constructor(@Inject(Commands) commands: Commands) {
    this.commands = commands;
  }

  @Command('claim', 'reviewer', 'admin')
  claim(@Aimed() aim: Aim, @Body({ schema: claimBody }) body: ClaimBody) {
    return this.commands.claim(aim, body);
  }

  @Command('release', 'reviewer', 'admin')
  release(@Aimed() aim: Aim, @Body({ schema: releaseBody }) _: object) {
    return this.commands.release(aim);
  }

  @Command('reassign', 'reviewer', 'admin')
  reassign(@Aimed() aim: Aim, @Body({ schema: reassignBody }) body: ReassignBody) {
    return this.commands.reassign(aim, body);
  }

  @Command('delegate', 'reviewer', 'admin')
  delegate(@Aimed() aim: Aim, @Body({ schema: delegateBody }) body: DelegateBody) {
    return this.commands.delegate(aim, body);
  }

  @Command('raise', 'reviewer', 'admin')
  raise(@Aimed() aim: Aim, @Body({ schema: raiseBody }) body: RaiseBody) {
    return this.commands.raise(aim, body);
  }

  @Command('snooze', 'reviewer', 'admin')
  snooze(@Aimed() aim: Aim, @Body({ schema: snoozeBody }) body: SnoozeBody) {
    return this.commands.snooze(aim, body);
  }

  @Command('comment', 'reviewer', 'admin', 'producer')
  comment(@Aimed() aim: Aim, @Body({ schema: commentBody }) body: CommentBody) {
    return this.commands.comment(aim, body);
  }

  @Command('cancel', 'producer', 'admin')
  cancel(@Aimed() aim: Aim, @Body({ schema: cancelBody }) body: CancelBody) {
    return this.commands.cancel(aim, body);
  }

  @Command('revise', 'producer', 'admin')
  revise(@Aimed() aim: Aim, @Body({ schema: reviseBody }) body: ReviseBody) {
    return this.commands.revise(aim, body);
  }

  @Command('consume', 'producer', 'admin')
  consume(@Aimed() aim: Aim, @Body({ schema: consumeBody }) body: ConsumeBody) {
    return this.commands.consume(aim, body);
  }
}
