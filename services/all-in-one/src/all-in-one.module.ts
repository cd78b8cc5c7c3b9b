import { Module, type DynamicModule } from '@nestjs/common';
import { IntakeModule, readIntakeConfig } from '@umpire/intake';
import { NotifierModule, readNotifierConfig } from '@umpire/notifier';
import { readTogether, type Env, type ServiceContext } from '@umpire/runtime';
import { readStateStoreConfig, StateStoreModule } from '@umpire/state-store';
import { readTimeoutSchedulerConfig, TimeoutSchedulerModule } from '@umpire/timeout-scheduler';

/** Each service's own configuration: their NATS users and Postgres roles stay apart in one process too. */
export type AllInOneConfig = {
  intake: ReturnType<typeof readIntakeConfig>;
  stateStore: ReturnType<typeof readStateStoreConfig>;
  notifier: ReturnType<typeof readNotifierConfig>;
  timeoutScheduler: ReturnType<typeof readTimeoutSchedulerConfig>;
};

/** @throws ConfigError that names every bad key of every service. */
export const readAllInOneConfig = (env: Env): AllInOneConfig => readTogether<AllInOneConfig>('all-in-one', env, {
  intake: readIntakeConfig,
  stateStore: readStateStoreConfig,
  notifier: readNotifierConfig,
  timeoutScheduler: readTimeoutSchedulerConfig,
});

/** The four service modules in one process. They, too, talk only through NATS. */
@Module({})
export class AllInOneModule {
  static register(config: AllInOneConfig, context: ServiceContext): DynamicModule {
    return {
      module: AllInOneModule,
      imports: [
        StateStoreModule.register(config.stateStore, context),
        IntakeModule.register(config.intake, context),
        NotifierModule.register(config.notifier, context),
        TimeoutSchedulerModule.register(config.timeoutScheduler, context),
      ],
    };
  }
}
