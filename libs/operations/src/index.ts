export * from './accounts.ts';
export * from './event-streams.ts';
export * from './first-keys.ts';
export * from './key-places.ts';
export * from './operator.ts';
export * from './pending-migrations.ts';
export * from './provisioning.ts';
