import { Get, Inject, Query } from '@nestjs/common';
import { CLOCK_KINDS, type Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController } from '@umpire/runtime';
import { z } from 'zod';
import { Timers } from './timers.service.ts';

const timersQuery = z.object({
  kind: z.enum(CLOCK_KINDS).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  after: z.string().max(2_048).optional(),
});

/** The clocks of the caller's namespace, read only: whatever changes them goes through the state store. */
@GuardedController('timers')
export class TimersController {
  private readonly timers: Timers;

  constructor(@Inject(Timers) timers: Timers) {
    this.timers = timers;
  }

  /** Counts by kind, what is due next, the oldest overdue, and a page of timers, soonest first. */
  @Get()
  @Allow('admin')
  page(@Caller() caller: Principal, @Query({ schema: timersQuery }) query: z.infer<typeof timersQuery>) {
    return this.timers.page(caller.namespace, query);
  }
}
