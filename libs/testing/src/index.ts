export * from './databases.ts';
export * from './nats.ts';
export * from './redis.ts';
export * from './virtual-clock.ts';
export * from './wait.ts';
