export * from './json-schemas.ts';
export * from './review-decision.ts';
export * from './review-request.ts';
export * from './schemas.ts';
export * from './status.ts';
