import { Headers, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { deprecationHeaders, UmpireError, type ContentReader, type Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController, Reading } from '@umpire/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { EscalationsService, type Receipt } from './escalations.service.ts';
import { ReadNotes } from './read-notes.ts';

const LONGEST_KEY = 255;
/** Where the deprecated form's successor is described. */
const DOCUMENTATION = '/schemas';

/** The HTTP door for what producers otherwise publish. */
@GuardedController('api/escalations')
export class EscalationsController {
  private readonly escalations: EscalationsService;
  private readonly notes: ReadNotes;

  constructor(@Inject(EscalationsService) escalations: EscalationsService, @Inject(ReadNotes) notes: ReadNotes) {
    this.notes = notes;
    this.escalations = escalations;
  }

  @Post()
  @HttpCode(202)
  @Allow('producer', 'admin')
  submit(@Caller() caller: Principal, @Reading() reader: ContentReader, @Req() request: FastifyRequest, @Headers('idempotency-key') key: string | undefined, @Res({ passthrough: true }) reply: FastifyReply): Promise<Receipt> {
    const body = (request as FastifyRequest & { rawBody?: Buffer }).rawBody;
    if (body === undefined || body.length === 0) throw new UmpireError('malformed_json', 'the body is empty: send a message as JSON');
    if (key !== undefined && (key === '' || key.length > LONGEST_KEY)) throw new UmpireError('bad_request', `Idempotency-Key must have 1 to ${LONGEST_KEY} characters`);
    return this.notes.ofRefusal(caller.namespace, reader, this.escalations.submit(caller, body, key, () => void reply.headers(deprecationHeaders(DOCUMENTATION))));
  }
}
