import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { AUTHENTICATOR, Bus, newReplicaName, RemoteAuthenticator, systemClock, type Logger, type ServiceContext } from '@umpire/runtime';
import { AnswerInbox } from './answer.inbox.ts';
import { EscalationsController } from './escalations.controller.ts';
import { EscalationsService } from './escalations.service.ts';
import type { IntakeConfig } from './intake.config.ts';
import { IntakeRunner } from './intake.runner.ts';
import { ReviewHandler } from './on-review.consumer.ts';
import { PolicyService } from './policy.service.ts';
import { StoreClient } from './store.client.ts';
import { BUS, CONFIG, LOGGER } from './tokens.ts';

/** Validates what producers send, gives it its rules, and hands it to the state store. */
@Module({})
export class IntakeModule {
  static register(config: IntakeConfig, context: ServiceContext): DynamicModule {
    return { module: IntakeModule, controllers: [EscalationsController], providers: [...foundation(config, context), ...parts] };
  }
}

function foundation(config: IntakeConfig, { logger, readiness }: ServiceContext): Provider[] {
  return [
    { provide: CONFIG, useValue: config },
    { provide: LOGGER, useValue: logger.child({ service: 'intake' }) },
    {
      provide: BUS,
      useFactory: async () => {
        const bus = await Bus.connect({ url: config.natsUrl, user: config.natsUser, password: config.natsPassword, service: 'intake', logger });
        readiness.add('intake_nats', () => bus.ping());
        return bus;
      },
    },
  ];
}

const parts: Provider[] = [
  { provide: AUTHENTICATOR, inject: [BUS], useFactory: (bus: Bus) => new RemoteAuthenticator(bus, systemClock.now) },
  { provide: PolicyService, useFactory: () => new PolicyService() },
  { provide: StoreClient, inject: [BUS, CONFIG], useFactory: (bus: Bus, config: IntakeConfig) => new StoreClient(bus, config.submitTimeoutMs) },
  { provide: AnswerInbox, inject: [BUS], useFactory: (bus: Bus) => new AnswerInbox(bus, newReplicaName()) },
  {
    provide: ReviewHandler,
    inject: [BUS, StoreClient, PolicyService, LOGGER],
    useFactory: (bus: Bus, store: StoreClient, policies: PolicyService, logger: Logger) =>
      new ReviewHandler({ bus, store, logger, policyFor: (subject) => policies.policyFor(subject) }),
  },
  {
    provide: EscalationsService,
    inject: [BUS, AnswerInbox, PolicyService, CONFIG],
    useFactory: (bus: Bus, inbox: AnswerInbox, policies: PolicyService, config: IntakeConfig) =>
      new EscalationsService({ bus, inbox, config, policyFor: (subject) => policies.policyFor(subject) }),
  },
  IntakeRunner,
];
