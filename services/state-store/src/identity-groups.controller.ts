import { Body, Delete, Get, HttpCode, Inject, Param, Post, Put, Query, UseInterceptors } from '@nestjs/common';
import type { Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController } from '@umpire/runtime';
import type { z } from 'zod';
import { groupListQuery, groupSchema, newGroupSchema } from './identity-groups.service.ts';
import { identityName } from './identity-schemas.ts';
import { Identity } from './identity-services.ts';
import { RateLimitInterceptor } from './rate-limit.interceptor.ts';

/** Groups of the caller's namespace: admins change them, reviewers see whom they may assign. */
@GuardedController('identity/groups')
@UseInterceptors(RateLimitInterceptor)
export class IdentityGroupsController {
  private readonly identity: Identity;

  constructor(@Inject(Identity) identity: Identity) {
    this.identity = identity;
  }

  @Post()
  @Allow('admin')
  create(@Caller() caller: Principal, @Body({ schema: newGroupSchema }) body: z.infer<typeof newGroupSchema>) {
    return this.identity.groups.create(caller.namespace, body);
  }

  @Get()
  @Allow('admin', 'reviewer')
  list(@Caller() caller: Principal, @Query({ schema: groupListQuery }) query: z.infer<typeof groupListQuery>) {
    return this.identity.groups.list(caller.namespace, query);
  }

  @Get(':name')
  @Allow('admin', 'reviewer')
  get(@Caller() caller: Principal, @Param('name') name: string) {
    return this.identity.groups.get(caller.namespace, name);
  }

  @Put(':name')
  @Allow('admin')
  put(@Caller() caller: Principal, @Param('name', { schema: identityName }) name: string, @Body({ schema: groupSchema }) body: z.infer<typeof groupSchema>) {
    return this.identity.groups.put(caller.namespace, name, body);
  }

  @Delete(':name')
  @HttpCode(204)
  @Allow('admin')
  remove(@Caller() caller: Principal, @Param('name') name: string) {
    return this.identity.groups.remove(caller.namespace, name);
  }

  @Put(':name/members/:user_id')
  @Allow('admin')
  addMember(@Caller() caller: Principal, @Param('name') name: string, @Param('user_id', { schema: identityName }) userId: string) {
    return this.identity.groups.addMember(caller.namespace, name, userId);
  }

  @Delete(':name/members/:user_id')
  @Allow('admin')
  removeMember(@Caller() caller: Principal, @Param('name') name: string, @Param('user_id') userId: string) {
    return this.identity.groups.removeMember(caller.namespace, name, userId);
  }
}
