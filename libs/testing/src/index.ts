export * from './databases.ts';
export * from './nats.ts';
export * from './redis.ts';
export * from './wait.ts';
