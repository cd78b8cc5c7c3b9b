import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { AUTHENTICATOR, Bus, busOptions, connectPostgres, newReplicaName, postgresOptions, RemoteAuthenticator, systemClock, withDeadline, type Logger, type ServiceContext, type Sql } from '@umpire/runtime';
import { AnswerInbox } from './answer.inbox.ts';
import { DirectSubmissions } from './direct.service.ts';
import { EscalationsController } from './escalations.controller.ts';
import { EscalationsService } from './escalations.service.ts';
import type { IntakeConfig } from './intake.config.ts';
import { IntakeRunner } from './intake.runner.ts';
import { ReviewHandler } from './on-review.consumer.ts';
import { PoliciesController } from './policies.controller.ts';
import { PolicyAdmin } from './policy-admin.service.ts';
import { PolicyReplay } from './policy-replay.service.ts';
import { PolicySimulation } from './policy-simulation.service.ts';
import { PolicyService } from './policy.service.ts';
import { ReadNotes } from './read-notes.ts';
import { RejectedController } from './rejected.controller.ts';
import { RejectedLetters } from './rejected.service.ts';
import { StoreClient } from './store.client.ts';
import { BUS, CONFIG, LOGGER, SQL } from './tokens.ts';

/** Validates what producers send, gives it its rules, and hands it to the state store. */
@Module({})
export class IntakeModule {
  static register(config: IntakeConfig, context: ServiceContext): DynamicModule {
    return { module: IntakeModule, controllers: [EscalationsController, PoliciesController, RejectedController], providers: [...foundation(config, context), ...parts] };
  }
}

function foundation(config: IntakeConfig, { logger, readiness }: ServiceContext): Provider[] {
  return [
    { provide: CONFIG, useValue: config },
    { provide: LOGGER, useValue: logger.child({ service: 'intake' }) },
    {
      provide: BUS,
      useFactory: async () => {
        const bus = await Bus.connect(busOptions(config, 'intake', logger));
        readiness.add('intake_nats', () => bus.ping());
        return bus;
      },
    },
    { provide: SQL, useFactory: () => connectPostgres({ ...postgresOptions(config, 'intake', logger), max: Math.min(config.postgresPool, CONNECTIONS) }) },
    {
      provide: PolicyService,
      inject: [SQL, LOGGER],
      useFactory: (sql: Sql, own: Logger) => {
        const policies = new PolicyService({ sql, logger: own, intervalMs: config.policyRefreshMs });
        readiness.add('intake_policies', () => withDeadline(policies.loaded, READINESS_MS, 'policies'));
        return policies;
      },
    },
  ];
}

/** Only policies are kept in Postgres, and what is suspected of ending processes; no other message waits for them. */
const CONNECTIONS = 3;
const READINESS_MS = 1_000;

const parts: Provider[] = [
  { provide: AUTHENTICATOR, inject: [BUS], useFactory: (bus: Bus) => new RemoteAuthenticator(bus, systemClock.now) },
  { provide: PolicyAdmin, inject: [SQL, PolicyService, LOGGER], useFactory: (sql: Sql, policies: PolicyService, logger: Logger) => new PolicyAdmin({ sql, policies, logger }) },
  { provide: PolicySimulation, inject: [PolicyService], useFactory: (policies: PolicyService) => new PolicySimulation(policies, systemClock.now) },
  { provide: PolicyReplay, inject: [BUS, SQL, PolicyService], useFactory: (bus: Bus, sql: Sql, policies: PolicyService) => new PolicyReplay({ bus, sql, policies }) },
  { provide: StoreClient, inject: [BUS, CONFIG], useFactory: (bus: Bus, config: IntakeConfig) => new StoreClient(bus, config.submitTimeoutMs) },
  { provide: ReadNotes, inject: [BUS], useFactory: (bus: Bus) => new ReadNotes(bus) },
  { provide: RejectedLetters, inject: [BUS], useFactory: (bus: Bus) => new RejectedLetters(bus) },
  { provide: AnswerInbox, inject: [BUS], useFactory: (bus: Bus) => new AnswerInbox(bus, newReplicaName()) },
  {
    provide: ReviewHandler,
    inject: [BUS, AnswerInbox, StoreClient, SQL, PolicyService, LOGGER],
    useFactory: (bus: Bus, answers: AnswerInbox, store: StoreClient, sql: Sql, policies: PolicyService, logger: Logger) =>
      new ReviewHandler({ bus, answers, store, sql, logger, now: systemClock.now, policyFor: (subject) => policies.policyFor(subject) }),
  },
  {
    provide: EscalationsService,
    inject: [BUS, AnswerInbox, PolicyService, CONFIG, LOGGER],
    useFactory: (bus: Bus, inbox: AnswerInbox, policies: PolicyService, config: IntakeConfig, logger: Logger) =>
      new EscalationsService({ bus, inbox, config, logger, direct: new DirectSubmissions(new StoreClient(bus, config.verdictWaitMs, 'post'), config.verdictWaitMs), now: systemClock.now, policyFor: (subject) => policies.policyFor(subject), followsTasks: (namespace) => policies.followsTasks(namespace) }),
  },
  IntakeRunner,
];
