import { Get, Inject, Query } from '@nestjs/common';
import type { Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController } from '@umpire/runtime';
import { z } from 'zod';
import { StatsReads } from './stats.service.ts';

const statsQuery = z.strictObject({ hours: z.coerce.number().int().min(1).max(24 * 90).default(24) });

/** Statistics of the caller's namespace, for operators. */
@GuardedController('hitl/stats')
export class StatsController {
  private readonly stats: StatsReads;

  constructor(@Inject(StatsReads) stats: StatsReads) {
    this.stats = stats;
  }

  @Get()
  @Allow('admin')
  read(@Caller() caller: Principal, @Query({ schema: statsQuery }) query: z.infer<typeof statsQuery>) {
    return this.stats.read(caller.namespace, query.hours);
  }
}
