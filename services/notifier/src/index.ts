export { NotifierModule } from './notifier.module.ts';
export { readNotifierConfig, type NotifierConfig } from './notifier.config.ts';
