import { runService, startStandalone } from '@umpire/runtime';
import { NotifierModule } from './notifier.module.ts';
import { readNotifierConfig } from './notifier.config.ts';

await runService(() => startStandalone('notifier', process.env, readNotifierConfig, (config, context) => NotifierModule.register(config, context)));
