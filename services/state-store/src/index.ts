export { StateStoreModule } from './state-store.module.ts';
export { readStateStoreConfig, type StateStoreConfig } from './state-store.config.ts';
