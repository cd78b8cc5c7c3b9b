import { Body, Delete, Get, Header, Inject, Param, Post, Query, UseInterceptors } from '@nestjs/common';
import type { Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController } from '@umpire/runtime';
import type { z } from 'zod';
import { keyListQuery, newKeySchema } from './identity-keys.service.ts';
import { Identity } from './identity-services.ts';
import { RateLimitInterceptor } from './rate-limit.interceptor.ts';

/** API keys of the caller's namespace. */
@GuardedController('identity/keys')
@UseInterceptors(RateLimitInterceptor)
export class IdentityKeysController {
  private readonly identity: Identity;

  constructor(@Inject(Identity) identity: Identity) {
    this.identity = identity;
  }

  /** The one time that the key itself is told. */
  @Post()
  @Header('cache-control', 'no-store')
  @Allow('admin')
  create(@Caller() caller: Principal, @Body({ schema: newKeySchema }) body: z.infer<typeof newKeySchema>) {
    return this.identity.keys.create(caller, body);
  }

  @Get()
  @Allow('admin')
  list(@Caller() caller: Principal, @Query({ schema: keyListQuery }) query: z.infer<typeof keyListQuery>) {
    return this.identity.keys.list(caller.namespace, query);
  }

  @Get(':id')
  @Allow('admin')
  get(@Caller() caller: Principal, @Param('id') id: string) {
    return this.identity.keys.get(caller.namespace, id);
  }

  /** Revokes: the key stays listed, with when and by whom. */
  @Delete(':id')
  @Allow('admin')
  revoke(@Caller() caller: Principal, @Param('id') id: string) {
    return this.identity.keys.revoke(caller, id);
  }
}
