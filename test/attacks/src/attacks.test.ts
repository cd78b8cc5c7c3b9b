import { afterAll, beforeAll } from 'vitest';
import { Arena } from './arena.ts';
import { credentials } from './suites/credentials.ts';
import { fuzzing } from './suites/fuzzing.ts';
import { hostileText } from './suites/hostile-text.ts';
import { namespaces } from './suites/namespaces.ts';
import { reaching } from './suites/reaching.ts';
import { secrets } from './suites/secrets.ts';
import { slowness } from './suites/slowness.ts';

let arena: Arena;
const at = () => arena;

beforeAll(async () => {
  arena = await Arena.start();
});
afterAll(() => arena.stop());

// One product for all of them, in this order: slow connections age while the others run, and secrets are looked for at the end.
slowness.begin(at);
namespaces(at);
credentials(at);
reaching(at);
hostileText(at);
fuzzing(at);
slowness.end(at);
secrets(at);
