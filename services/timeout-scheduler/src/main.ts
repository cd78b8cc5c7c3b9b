import { runService, startStandalone } from '@umpire/runtime';
import { readTimeoutSchedulerConfig } from './timeout-scheduler.config.ts';
import { TimeoutSchedulerModule } from './timeout-scheduler.module.ts';

await runService(() => startStandalone('timeout-scheduler', process.env, readTimeoutSchedulerConfig, (config, context) => TimeoutSchedulerModule.register(config, context)));
