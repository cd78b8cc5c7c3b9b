import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from './kustomize.ts';

const folder = mkdtempSync(join(tmpdir(), 'umpire-smoke-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** @param kubectl what a kubectl on the path does; left out: there is none */
function smoke(args: string[], kubectl?: string): { status: number | null; out: string; err: string } {
  const bin = mkdtempSync(join(folder, 'bin-'));
  if (kubectl !== undefined) {
    writeFileSync(join(bin, 'kubectl'), `#!/bin/sh\n${kubectl}\n`);
    chmodSync(join(bin, 'kubectl'), 0o755);
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'deploy/k8s/smoke.mjs'), ...args], { encoding: 'utf8', env: { PATH: bin } });
  return { status, out: stdout, err: stderr };
}

describe('npm run k8s:smoke where it cannot be run', () => {
  it('says so, and that nothing was shown, without kubectl', () => {
    expect(smoke([])).toEqual({ status: 2, out: '', err: expect.stringMatching(/^k8s:smoke: NOT RUN[^]*kubectl cannot be run \(ENOENT\)/) });
  });

  it('says so where no cluster answers', () => {
    expect(smoke([], 'echo "The connection to the server localhost:8080 was refused" >&2; exit 1')).toEqual({ status: 2, out: '', err: expect.stringMatching(/^k8s:smoke: NOT RUN[^]*no cluster answers[^]*was refused/) });
  });

  it('fails, and not as if it had not been run, where a cluster refuses something', () => {
    const { status, err } = smoke([], 'case "$*" in *version*) echo "{}";; *) echo "forbidden" >&2; exit 1;; esac');
    expect([status, err]).toEqual([1, expect.stringMatching(/^k8s:smoke: kubectl .*forbidden/)]);
  });

  it('tells its options, and refuses others', () => {
    expect(smoke(['--help'])).toMatchObject({ status: 0, out: expect.stringMatching(/--context[^]*--image[^]*--keep[^]*Exit codes/), err: '' });
    expect(smoke(['--all'])).toMatchObject({ status: 2, err: expect.stringContaining("Unknown option '--all'") });
  });
});
