import { Module, type DynamicModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AUTHENTICATOR, AuthGuard, Bus, busOptions, connectPostgres, postgresOptions, type ServiceContext } from '@umpire/runtime';
import { Foundation } from './foundation.ts';
import type { NotifierConfig } from './notifier.config.ts';
import { Notifier } from './notifier.ts';
import { ChannelService } from './people/channel.service.ts';
import { ChannelsController } from './people/channels.controller.ts';
import { DeliveryService } from './webhooks/delivery.service.ts';
import { EndpointService } from './webhooks/endpoint.service.ts';
import { EndpointsController } from './webhooks/endpoints.controller.ts';

/** Tells people and systems what happens to escalations. */
@Module({})
export class NotifierModule {
  static register(config: NotifierConfig, context: ServiceContext): DynamicModule {
    const connect = async (http: HttpAdapterHost) => {
      const logger = context.logger.child({ service: 'notifier' });
      const sql = connectPostgres(postgresOptions(config, 'notifier', logger));
      const bus = await Bus.connect(busOptions(config, 'notifier', logger));
      return new Notifier(new Foundation(config, { ...context, logger }, sql, bus), http);
    };
    return {
      module: NotifierModule,
      controllers: [EndpointsController, ChannelsController],
      providers: [
        AuthGuard,
        { provide: Notifier, useFactory: connect, inject: [HttpAdapterHost] },
        { provide: EndpointService, useFactory: (notifier: Notifier) => notifier.webhooks.endpoints, inject: [Notifier] },
        { provide: DeliveryService, useFactory: (notifier: Notifier) => notifier.webhooks.deliveries, inject: [Notifier] },
        { provide: ChannelService, useFactory: (notifier: Notifier) => notifier.people.channels, inject: [Notifier] },
        { provide: AUTHENTICATOR, useFactory: (notifier: Notifier) => notifier.authenticator, inject: [Notifier] },
      ],
    };
  }
}
