import { Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import type { Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController } from '@umpire/runtime';
import { z } from 'zod';
import { EscalationsService } from './escalations.service.ts';
import { RejectedLetters } from './rejected.service.ts';

const listQuery = z.object({ limit: z.coerce.number().int().min(1).max(100).default(50), after: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional() });

/** What was refused in the caller's namespace, and why: read from the stream of dead letters, which keeps them for thirty days. */
@GuardedController('rejected')
export class RejectedController {
  private readonly letters: RejectedLetters;
  private readonly escalations: EscalationsService;

  constructor(@Inject(RejectedLetters) letters: RejectedLetters, @Inject(EscalationsService) escalations: EscalationsService) {
    this.letters = letters;
    this.escalations = escalations;
  }

  /** Newest first. */
  @Get()
  @Allow('admin')
  list(@Caller() caller: Principal, @Query({ schema: listQuery }) query: z.infer<typeof listQuery>) {
    return this.letters.list(caller.namespace, query.after, query.limit);
  }

  @Get(':id')
  @Allow('admin')
  get(@Caller() caller: Principal, @Param('id') id: string) {
    return this.letters.get(caller.namespace, id);
  }

  /** Sends the original bytes again, as they came; answers as posting a message does. The letter stays where it is. */
  @Post(':id/redrive')
  @HttpCode(202)
  @Allow('admin')
  async redrive(@Caller() caller: Principal, @Param('id') id: string) {
    const letter = await this.letters.get(caller.namespace, id);
    return this.escalations.redrive(caller, letter.subject, Buffer.from(letter.original, 'base64'));
  }
}
