import type { DynamicModule } from '@nestjs/common';
import { IntakeModule } from '@umpire/intake';
import { NotifierModule } from '@umpire/notifier';
import { createLogger, Readiness, type ServiceContext } from '@umpire/runtime';
import { StateStoreModule } from '@umpire/state-store';
import { TimeoutSchedulerModule } from '@umpire/timeout-scheduler';
import { readAllInOneConfig } from '../all-in-one.module.ts';

/** The services' modules as they are declared, never started: nothing is connected to. */
export function declaredModules(): DynamicModule[] {
  const config = readAllInOneConfig({ UMPIRE_POSTGRES_URL: 'postgres://nowhere', UMPIRE_NOTIFIER_SECRET_KEY: Buffer.alloc(32).toString('base64'), UMPIRE_SECRET_KEY: Buffer.alloc(32).toString('base64') });
  const context: ServiceContext = { logger: createLogger('openapi', 'silent'), readiness: new Readiness() };
  return [
    IntakeModule.register(config.intake, context), StateStoreModule.register(config.stateStore, context),
    NotifierModule.register(config.notifier, context), TimeoutSchedulerModule.register(config.timeoutScheduler, context),
  ];
}
