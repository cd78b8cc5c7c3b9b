import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withMemoryBounds } from '../../../deploy/local/services.mjs';
import { root } from './kustomize.ts';

const heapLimitMb = (env: Record<string, string | undefined>) =>
  Number(execFileSync(process.execPath, ['-p', "require('node:v8').getHeapStatistics().heap_size_limit / 2 ** 20"], { env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8' }));

describe('the bounds of a service’s memory', () => {
  it('keep the heap below 2 GiB, from where on V8 lets it grow fourfold between collections', () => {
    expect(heapLimitMb(withMemoryBounds({}))).toBeLessThan(2_048);
    expect(heapLimitMb(withMemoryBounds({}, 'notifier'))).toBe(heapLimitMb(withMemoryBounds({})));
    for (const service of ['intake', 'state-store']) expect(heapLimitMb(withMemoryBounds({}, service))).toBeLessThan(1_200);
  });

  it('give way to what the operator sets', () => {
    expect(heapLimitMb(withMemoryBounds({ NODE_OPTIONS: '--max-old-space-size=300' }, 'intake'))).toBeLessThan(400);
    expect(withMemoryBounds({ MALLOC_ARENA_MAX: '8' })).toMatchObject({ MALLOC_ARENA_MAX: '8' });
  });

  it('begin with the image’s, which leaves the heap’s limit to the container', () => {
    const image = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8');
    const [, ofImage] = /NODE_OPTIONS="--enable-source-maps ([^"]*)"/.exec(image)!;
    const { NODE_OPTIONS: local, ...malloc } = withMemoryBounds({});
    expect(local).toMatch(new RegExp(`^${ofImage} --max-old-space-size=`));
    expect(Object.keys(malloc)).toContain('MALLOC_ARENA_MAX');
    for (const [name, value] of Object.entries(malloc)) expect(image).toMatch(new RegExp(`^ +${name}=${value}(?: \\\\)?$`, 'm'));
  });
});
