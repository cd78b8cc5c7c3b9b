export * from './published.ts';
export * from './asyncapi.ts';
