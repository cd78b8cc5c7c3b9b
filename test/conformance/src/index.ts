export * from './alignment-vector.ts';
export * from './compare.ts';
export * from './fingerprint.ts';
