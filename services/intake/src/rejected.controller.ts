import { Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import type { ContentReader, Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController, Reading } from '@umpire/runtime';
import { z } from 'zod';
import { EscalationsService } from './escalations.service.ts';
import { ReadNotes } from './read-notes.ts';
import { RejectedLetters } from './rejected.service.ts';

const listQuery = z.object({ limit: z.coerce.number().int().min(1).max(100).default(50), after: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional() });

/**
 * What was refused in the caller's namespace, and why: read from the stream of dead letters, which keeps them for thirty days. They hold what
 * producers wrote, so who is shown them stands in the read log, under the letters' ids.
 */
@GuardedController('rejected')
export class RejectedController {
  private readonly letters: RejectedLetters;
  private readonly escalations: EscalationsService;
  private readonly notes: ReadNotes;

  constructor(@Inject(RejectedLetters) letters: RejectedLetters, @Inject(EscalationsService) escalations: EscalationsService, @Inject(ReadNotes) notes: ReadNotes) {
    this.notes = notes;
    this.letters = letters;
    this.escalations = escalations;
  }

  /** Newest first. */
  @Get()
  @Allow('admin')
  async list(@Caller() caller: Principal, @Reading() reader: ContentReader, @Query({ schema: listQuery }) query: z.infer<typeof listQuery>) {
    const page = await this.letters.list(caller.namespace, query.after, query.limit);
    await this.notes.note(caller.namespace, reader, { what: 'rejected_list', asked: query, shown: page.items.map(({ id }) => id) });
    return page;
  }

  @Get(':id')
  @Allow('admin')
  async get(@Caller() caller: Principal, @Reading() reader: ContentReader, @Param('id') id: string) {
    const letter = await this.letters.get(caller.namespace, id);
    await this.notes.note(caller.namespace, reader, { what: 'rejected', request_id: letter.id });
    return letter;
  }

  /** Sends the original bytes again, as they came; answers as posting a message does. The letter stays where it is. */
  @Post(':id/redrive')
  @HttpCode(202)
  @Allow('admin')
  async redrive(@Caller() caller: Principal, @Reading() reader: ContentReader, @Param('id') id: string) {
    const letter = await this.letters.get(caller.namespace, id);
    return this.notes.ofRefusal(caller.namespace, reader, this.escalations.redrive(caller, letter.subject, Buffer.from(letter.original, 'base64')));
  }
}
