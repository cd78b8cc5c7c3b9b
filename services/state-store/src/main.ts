import { runService, startStandalone } from '@umpire/runtime';
import { StateStoreModule } from './state-store.module.ts';
import { readStateStoreConfig } from './state-store.config.ts';

await runService(() => startStandalone('state-store', process.env, readStateStoreConfig, (config, context) => StateStoreModule.register(config, context)));
