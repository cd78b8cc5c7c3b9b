import { Get, Inject, Query, UseInterceptors } from '@nestjs/common';
import { UmpireError, type Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController } from '@umpire/runtime';
import { z } from 'zod';
import { RateLimitInterceptor } from './rate-limit.interceptor.ts';
import { ReadHistory } from './read-history.service.ts';
import { requestIdOf } from './request-id.ts';

const time = z.iso.datetime({ offset: true });
const readsQuery = z.strictObject({
  request_id: z.string().min(1).max(2_048).optional(),
  user_id: z.string().min(1).max(256).optional(),
  what: z.string().regex(/^[a-z_]{1,40}$/).optional(),
  since: time.optional(),
  until: time.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  after: z.string().max(200).optional(),
});
const cursorSchema = z.tuple([z.iso.datetime(), z.uuid()]);

/** Who saw what, for administrators of the namespace. */
@GuardedController('hitl/reads')
@UseInterceptors(RateLimitInterceptor)
export class ReadsController {
  private readonly history: ReadHistory;

  constructor(@Inject(ReadHistory) history: ReadHistory) {
    this.history = history;
  }

  /** Newest first; without `since` those of the last thirty days. */
  @Get()
  @Allow('admin')
  async list(@Caller() caller: Principal, @Query({ schema: readsQuery }) query: z.infer<typeof readsQuery>) {
    const { limit, after, request_id, ...filter } = query;
    const { items, next } = await this.history.page(caller.namespace, { ...filter, ...(request_id === undefined ? {} : { request_id: requestIdOf(request_id) }) }, cursorOf(after), limit);
    return { items, next: next === null ? null : Buffer.from(JSON.stringify([next.at, next.id])).toString('base64url') };
  }
}

function cursorOf(text: string | undefined): { at: string; id: string } | null {
  if (text === undefined) return null;
  try {
    const [at, id] = cursorSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return { at, id };
  } catch (error) {
    throw new UmpireError('bad_request', 'after is not a cursor of this list', { cause: error });
  }
}
