export { TimeoutSchedulerModule } from './timeout-scheduler.module.ts';
export { readTimeoutSchedulerConfig, type TimeoutSchedulerConfig } from './timeout-scheduler.config.ts';
