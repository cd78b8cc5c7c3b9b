import { Module, type DynamicModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AUTHENTICATOR, AuthGuard, Bus, connectPostgres, RemoteAuthenticator, systemClock, type Authenticator, type ServiceContext } from '@umpire/runtime';
import type { NotifierConfig } from './notifier.config.ts';
import { Sockets } from './sockets/sockets.ts';
import { DeliveryService } from './webhooks/delivery.service.ts';
import { EndpointService } from './webhooks/endpoint.service.ts';
import { EndpointsController } from './webhooks/endpoints.controller.ts';
import { Webhooks } from './webhooks/webhooks.ts';

/** Tells people and systems what happens to escalations. */
@Module({})
export class NotifierModule {
  static register(config: NotifierConfig, context: ServiceContext): DynamicModule {
    const connect = async () => {
      const logger = context.logger.child({ service: 'notifier' });
      const sql = connectPostgres({ url: config.postgresUrl, max: config.postgresPool, service: 'notifier', logger });
      const bus = await Bus.connect({ url: config.natsUrl, user: config.natsUser, password: config.natsPassword, service: 'notifier', logger });
      return new Webhooks(config, { logger, readiness: context.readiness }, sql, bus);
    };
    return {
      module: NotifierModule,
      controllers: [EndpointsController],
      providers: [
        AuthGuard,
        { provide: Webhooks, useFactory: connect },
        { provide: EndpointService, useFactory: (webhooks: Webhooks) => webhooks.endpoints, inject: [Webhooks] },
        { provide: DeliveryService, useFactory: (webhooks: Webhooks) => webhooks.deliveries, inject: [Webhooks] },
        { provide: AUTHENTICATOR, useFactory: (webhooks: Webhooks) => new RemoteAuthenticator(webhooks.bus, systemClock.now), inject: [Webhooks] },
        {
          provide: Sockets,
          useFactory: (webhooks: Webhooks, authenticator: Authenticator, http: HttpAdapterHost) => new Sockets(config, context.logger.child({ service: 'notifier' }), webhooks.bus, authenticator, http),
          inject: [Webhooks, AUTHENTICATOR, HttpAdapterHost],
        },
      ],
    };
  }
}
