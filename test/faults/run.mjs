#!/usr/bin/env node
/** `npm run test:faults [-- name …]`: the named cases, or all, with their full load. UMPIRE_SEED repeats a run. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const names = process.argv.slice(2);
if (names.some((name) => name === '--help' || name === '-h')) {
  const { status } = spawnSync(process.execPath, ['deploy/local/umpire.mjs', 'run', 'node', 'test/faults/src/help.ts'], { cwd: root, stdio: 'inherit' });
  process.exit(status ?? 1);
}
const { status } = spawnSync(process.execPath, ['deploy/local/umpire.mjs', 'test', '--project', 'e2e', '--reporter=verbose', 'test/faults/src/faults.test.ts'], {
  cwd: root, stdio: 'inherit', env: { ...process.env, UMPIRE_FAULTS: names.length > 0 ? names.join(',') : 'all' },
});
process.exit(status ?? 1);
