import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { root } from './kustomize.ts';

it('files that are made from the topology and the alert rules are as they would be made now', async () => {
  const checked = promisify(execFile)(process.execPath, ['deploy/generate.mjs', '--check'], { cwd: root });
  await expect(checked, 'run node deploy/generate.mjs').resolves.toMatchObject({ stdout: '' });
});
