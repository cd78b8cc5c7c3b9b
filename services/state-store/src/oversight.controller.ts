import { Get, Inject, Query } from '@nestjs/common';
import type { Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController } from '@umpire/runtime';
import { z } from 'zod';
import { OversightReads } from './oversight.service.ts';

/** Words a minute: silent reading of English non-fiction is 238 on average (Brysbaert 2019). */
const READING_SPEED = 240;

const oversightQuery = z.strictObject({
  days: z.coerce.number().int().min(1).max(90).default(30),
  words_per_minute: z.coerce.number().min(50).max(2_000).default(READING_SPEED),
});

/** How people of the caller's namespace decide, for those who answer for it. */
@GuardedController('hitl/stats/oversight')
export class OversightController {
  private readonly oversight: OversightReads;

  constructor(@Inject(OversightReads) oversight: OversightReads) {
    this.oversight = oversight;
  }

  @Get()
  @Allow('admin')
  read(@Caller() caller: Principal, @Query({ schema: oversightQuery }) query: z.infer<typeof oversightQuery>) {
    return this.oversight.read(caller.namespace, query.days, query.words_per_minute);
  }
}
