import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { root } from './kustomize.ts';

const text = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8');
/** Instructions in order, continued lines joined. */
const instructions = text.replaceAll(/^#.*\n/gm, '').replaceAll(/\\\n\s*/g, '').split('\n').filter(Boolean).map((line) => [line.split(' ', 1)[0]!, line.slice(line.indexOf(' ') + 1)] as const);
const last = (name: string) => instructions.findLast(([instruction]) => instruction === name)?.[1];

describe('the Dockerfile', () => {
  it('has nothing that a linter objects to', async () => {
    const linter = createRequire(import.meta.url).resolve('dockerfilelint/bin/dockerfilelint');
    const folder = mkdtempSync(join(tmpdir(), 'umpire-dockerfile-'));
    // The linter is older than this flag, and takes it for a fault.
    writeFileSync(join(folder, 'Dockerfile'), text.replace('--start-period=120s ', ''));
    const { stdout } = await promisify(execFile)(process.execPath, [linter, '-o', 'json', join(folder, 'Dockerfile')]).catch((error: { stdout: string }) => error);
    rmSync(folder, { recursive: true });
    expect(JSON.parse(stdout)).toMatchObject({ totalIssues: 0 });
  });

  it('runs the same steps that the test of the image runs, and no others', () => {
    expect(instructions.filter(([name]) => name === 'RUN').map(([, command]) => command)).toEqual(['node deploy/image/build.mjs --out /app']);
    expect(instructions.filter(([name]) => name === 'FROM').map(([, base]) => base)).toEqual(['node:24-bookworm-slim AS build', 'node:24-bookworm-slim']);
  });

  it('ends as an unprivileged user, with a health check that needs no other program', () => {
    expect(last('USER')).toMatch(/^[1-9]\d+:[1-9]\d+$/);
    expect(last('HEALTHCHECK')).toMatch(/CMD \["node", "\/app\/health\.mjs"\]$/);
    expect(last('ENTRYPOINT')).toBe('["node", "/app/entry.mjs"]');
    for (const name of ['entry.mjs', 'health.mjs']) expect(existsSync(join(root, 'deploy/image', name))).toBe(true);
  });
});

describe('the workflows', () => {
  const workflow = (name: string) => parse(readFileSync(join(root, '.github/workflows', name), 'utf8')) as any;

  it('run what every change must pass', () => {
    expect(workflow('ci.yml').jobs.ci.steps.map(({ run }: { run?: string }) => run).filter(Boolean)).toContain('bash .ci/run');
  });

  it('build for both architectures, list what is inside, and sign by digest', () => {
    const { permissions, steps } = workflow('release.yml').jobs.image;
    expect(permissions).toEqual({ contents: 'read', packages: 'write', 'id-token': 'write' });
    const build = steps.find(({ uses = '' }: { uses?: string }) => uses.startsWith('docker/build-push-action@'));
    expect(build.with).toMatchObject({ file: 'deploy/Dockerfile', platforms: 'linux/amd64,linux/arm64', push: true, sbom: true, provenance: 'mode=max' });
    expect(steps.map(({ run = '' }: { run?: string }) => run).join('\n')).toMatch(/cosign sign --yes "\$IMAGE@\$DIGEST"/);
  });
});
