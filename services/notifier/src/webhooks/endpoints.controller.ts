import { Body, Delete, Get, HttpCode, Inject, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { UmpireError, type Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController } from '@umpire/runtime';
import { DeliveryService } from './delivery.service.ts';
import {
  callbacksSchema, createEndpointSchema, listDeliveriesSchema, listRequestDeliveriesSchema, listSchema, recoverSchema, updateEndpointSchema,
  type Callbacks, type CreateEndpoint, type ListDeliveries, type ListRequestDeliveries, type Recover, type UpdateEndpoint,
} from './endpoint.schemas.ts';
import { EndpointService } from './endpoint.service.ts';

type Page = { limit: number; cursor?: string | undefined };
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** @throws UmpireError `not_found`: what is no id of ours names nothing */
export function idOf(text: string): string {
  if (!UUID.test(text)) throw new UmpireError('not_found');
  return text.toLowerCase();
}

@GuardedController('webhooks')
@Allow('admin')
export class EndpointsController {
  private readonly endpoints: EndpointService;
  private readonly deliveries: DeliveryService;

  constructor(@Inject(EndpointService) endpoints: EndpointService, @Inject(DeliveryService) deliveries: DeliveryService) {
    this.endpoints = endpoints;
    this.deliveries = deliveries;
  }

  @Post('endpoints')
  create(@Caller() caller: Principal, @Body({ schema: createEndpointSchema }) body: CreateEndpoint) {
    return this.endpoints.create(caller.namespace, body);
  }

  @Get('endpoints')
  list(@Caller() caller: Principal, @Query({ schema: listSchema }) page: Page) {
    return this.endpoints.list(caller.namespace, 'endpoint', page.limit, page.cursor ?? null);
  }

  @Get('endpoints/:id')
  get(@Caller() caller: Principal, @Param('id') id: string) {
    return this.endpoints.get(caller.namespace, idOf(id));
  }

  @Patch('endpoints/:id')
  update(@Caller() caller: Principal, @Param('id') id: string, @Body({ schema: updateEndpointSchema }) body: UpdateEndpoint) {
    return this.endpoints.update(caller.namespace, idOf(id), body);
  }

  @Delete('endpoints/:id')
  @HttpCode(204)
  delete(@Caller() caller: Principal, @Param('id') id: string) {
    return this.endpoints.delete(caller.namespace, idOf(id));
  }

  @Post('endpoints/:id/enable')
  @HttpCode(200)
  enable(@Caller() caller: Principal, @Param('id') id: string) {
    return this.endpoints.setEnabled(caller.namespace, idOf(id), true);
  }

  @Post('endpoints/:id/disable')
  @HttpCode(200)
  disable(@Caller() caller: Principal, @Param('id') id: string) {
    return this.endpoints.setEnabled(caller.namespace, idOf(id), false);
  }

  @Post('endpoints/:id/rotate')
  @HttpCode(200)
  rotate(@Caller() caller: Principal, @Param('id') id: string) {
    return this.endpoints.rotate(caller.namespace, idOf(id));
  }

  @Post('endpoints/:id/test')
  @HttpCode(202)
  test(@Caller() caller: Principal, @Param('id') id: string) {
    return this.endpoints.test(caller.namespace, idOf(id));
  }

  @Post('endpoints/:id/recover')
  @HttpCode(202)
  recover(@Caller() caller: Principal, @Param('id') id: string, @Query({ schema: recoverSchema }) range: Recover) {
    return this.endpoints.recover(caller.namespace, idOf(id), range);
  }

  @Get('endpoints/:id/deliveries')
  listDeliveries(@Caller() caller: Principal, @Param('id') id: string, @Query({ schema: listDeliveriesSchema }) page: ListDeliveries) {
    return this.deliveries.list(caller.namespace, idOf(id), page);
  }

  @Get('deliveries')
  requestDeliveries(@Caller() caller: Principal, @Query({ schema: listRequestDeliveriesSchema }) page: ListRequestDeliveries) {
    return this.deliveries.listOf(caller.namespace, page);
  }

  @Get('deliveries/:id/attempts')
  attempts(@Caller() caller: Principal, @Param('id') id: string) {
    return this.deliveries.attempts(caller.namespace, idOf(id));
  }

  @Post('deliveries/:id/retry')
  @HttpCode(202)
  retry(@Caller() caller: Principal, @Param('id') id: string) {
    return this.deliveries.retry(caller.namespace, idOf(id));
  }

  @Get('callbacks')
  callbacks(@Caller() caller: Principal) {
    return this.endpoints.callbacks(caller.namespace);
  }

  @Put('callbacks')
  putCallbacks(@Caller() caller: Principal, @Body({ schema: callbacksSchema }) body: Callbacks) {
    return this.endpoints.putCallbacks(caller.namespace, body);
  }

  @Post('callbacks/rotate')
  @HttpCode(200)
  rotateCallbacks(@Caller() caller: Principal) {
    return this.endpoints.rotateCallbacks(caller.namespace);
  }

  /** Origins that escalations named as their callback: their deliveries are listed like any endpoint's. */
  @Get('callbacks/origins')
  callbackOrigins(@Caller() caller: Principal, @Query({ schema: listSchema }) page: Page) {
    return this.endpoints.list(caller.namespace, 'callback', page.limit, page.cursor ?? null);
  }
}
