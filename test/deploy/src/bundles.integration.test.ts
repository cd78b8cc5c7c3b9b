import { readdirSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { programOf, PROGRAMS, refuseStalePrograms } from '../../../deploy/local/programs.mjs';
import { root } from './kustomize.ts';

refuseStalePrograms();

describe.each(PROGRAMS)('the program of %s', (name) => {
  const folder = dirname(programOf(name));
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');

  it('tells where in the TypeScript a line of it comes from', () => {
    const code = read('main.js').split('\n');
    const line = code.findIndex((text) => text.includes('could not start: '));
    const map = new SourceMap(JSON.parse(read('main.js.map')));
    const origin = map.findEntry(line, code[line]!.indexOf('could not start: '));
    if (!('originalSource' in origin)) throw new Error('is not in the map');
    const source = resolve(folder, origin.originalSource);
    expect(source).toBe(join(root, 'libs/runtime/src/process.ts'));
    expect(readFileSync(source, 'utf8').split('\n')[origin.originalLine]).toContain('could not start: ');
  });

  it('has no maps but of our own code, and no sources in them', () => {
    const maps = readdirSync(folder).filter((file) => file.endsWith('.map')).map((file) => JSON.parse(read(file)) as { sources: string[]; sourcesContent?: unknown });
    expect(maps.length).toBeGreaterThan(0);
    for (const { sources, sourcesContent } of maps) {
      expect(sources.some((source) => /(libs|services)\/[^/]+\/src\//.test(source))).toBe(true);
      expect(sourcesContent).toBeUndefined();
    }
  });

  it('holds packages at one byte a character, and only those that it starts with', () => {
    const vendor = read('vendor.js');
    expect(vendor).toMatch(/^[\0-\x7f]*$/);
    expect(vendor).not.toContain('sourceMappingURL');
    expect(vendor).not.toContain('OTLPTraceExporter');
  });
});
