import { Body, Delete, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import type { Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController } from '@umpire/runtime';
import { listSchema } from '../webhooks/endpoint.schemas.ts';
import { idOf } from '../webhooks/endpoints.controller.ts';
import { createChannelSchema, type CreateChannel } from './channel.schemas.ts';
import { ChannelService } from './channel.service.ts';

type Page = { limit: number; cursor?: string | undefined };

/** Mail and chat of people, below the notifier's own prefix. */
@GuardedController('webhooks/channels')
@Allow('admin')
export class ChannelsController {
  private readonly channels: ChannelService;

  constructor(@Inject(ChannelService) channels: ChannelService) {
    this.channels = channels;
  }

  @Post()
  create(@Caller() caller: Principal, @Body({ schema: createChannelSchema }) body: CreateChannel) {
    return this.channels.create(caller.namespace, body);
  }

  @Get()
  list(@Caller() caller: Principal, @Query({ schema: listSchema }) page: Page) {
    return this.channels.list(caller.namespace, page.limit, page.cursor ?? null);
  }

  @Delete(':id')
  @HttpCode(204)
  delete(@Caller() caller: Principal, @Param('id') id: string) {
    return this.channels.delete(caller.namespace, idOf(id));
  }

  @Post(':id/test')
  @HttpCode(202)
  test(@Caller() caller: Principal, @Param('id') id: string) {
    return this.channels.test(caller.namespace, idOf(id));
  }

  @Get(':id/notices')
  notices(@Caller() caller: Principal, @Param('id') id: string, @Query({ schema: listSchema }) page: Page) {
    return this.channels.notices(caller.namespace, idOf(id), page.limit, page.cursor ?? null);
  }
}
