import { Body, Delete, Get, Inject, Param, Post, Query, UseInterceptors } from '@nestjs/common';
import type { Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController } from '@umpire/runtime';
import type { z } from 'zod';
import { delegationListQuery, newDelegationSchema } from './identity-delegations.service.ts';
import { Identity } from './identity-services.ts';
import { RateLimitInterceptor } from './rate-limit.interceptor.ts';

/** Standing delegations between people of the caller's namespace. */
@GuardedController('identity/delegations')
@UseInterceptors(RateLimitInterceptor)
export class IdentityDelegationsController {
  private readonly identity: Identity;

  constructor(@Inject(Identity) identity: Identity) {
    this.identity = identity;
  }

  @Post()
  @Allow('reviewer', 'admin')
  create(@Caller() caller: Principal, @Body({ schema: newDelegationSchema }) body: z.infer<typeof newDelegationSchema>) {
    return this.identity.delegations.create(caller, body);
  }

  @Get()
  @Allow('reviewer', 'admin')
  list(@Caller() caller: Principal, @Query({ schema: delegationListQuery }) query: z.infer<typeof delegationListQuery>) {
    return this.identity.delegations.list(caller, query);
  }

  @Get(':id')
  @Allow('reviewer', 'admin')
  get(@Caller() caller: Principal, @Param('id') id: string) {
    return this.identity.delegations.get(caller, id);
  }

  /** Ends it: it stays listed, with when and by whom. */
  @Delete(':id')
  @Allow('reviewer', 'admin')
  revoke(@Caller() caller: Principal, @Param('id') id: string) {
    return this.identity.delegations.revoke(caller, id);
  }
}
