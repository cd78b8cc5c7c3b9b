export { run, type Surroundings } from './run.ts';
export { EXIT } from './failures.ts';
