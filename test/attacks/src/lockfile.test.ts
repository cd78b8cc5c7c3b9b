import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const lockfile = join(root, 'pnpm-lock.yaml');

function check(args: string[], env: Record<string, string> = {}): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, '.ci/lockfile.mjs'), ...args], { env: { ...process.env, ...env } }, (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, text: `${stdout}${stderr}` }));
  });
}

describe('a lockfile', () => {
  let folder: string;
  let text: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'umpire-lockfile-'));
    text = await readFile(lockfile, 'utf8');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const ofText = async (changed: string) => {
    expect(changed).not.toBe(text);
    const file = join(folder, 'pnpm-lock.yaml');
    await writeFile(file, changed);
    return check([file, '--offline']);
  };

  it('of ours is taken', async () => {
    expect(await check(['--offline'])).toMatchObject({ code: 0 });
  });

  it.each<[string, (text: string) => string, RegExp]>([
    ['a package without its hash', (all) => all.replace(/(\n {2}zod@[^\n]*\n {4}resolution: )\{[^}]*\}/, '$1{}'), /zod@.* has no SHA-512/],
    ['a hash that is too short to prove anything', (all) => all.replace(/(\n {2}zod@[^\n]*\n {4}resolution: )\{[^}]*\}/, '$1{integrity: sha1-x5ZyOLEPOiOG7FaZsKJkNQdh2rE=}'), /zod@.* has no SHA-512/],
    ['a tarball from elsewhere beside its hash', (all) => all.replace(/(\n {2}zod@[^\n]*\n {4}resolution: \{integrity: [^}]*)\}/, '$1, tarball: https://evil.example/zod.tgz}'), /zod@.* has no SHA-512 alone/],
    ['a package from git', (all) => all.replace(/\n {2}zod@[^\n]*:\n/, '\n  zod@git+https://evil.example/zod#1:\n'), /does not come from a registry/],
    ['one of ours that asks for git', (all) => all.replace(/specifier: 24\.19\.2/, 'specifier: github:evil/types'), /asks for github:evil\/types/],
    ['one of ours that asks for an address', (all) => all.replace(/specifier: 24\.19\.2/, 'specifier: https://evil.example/types.tgz'), /asks for https/],
    ['another format', (all) => all.replace(/lockfileVersion: '[^']*'/, "lockfileVersion: '12.0'"), /not of version 9/],
    ['nothing', () => '', /names no packages/],
  ])('with %s is refused', async (_, change, reason) => {
    const { code, text: said } = await ofText(change(text));
    expect(code).toBe(1);
    expect(said).toMatch(reason);
  });
});

describe('what may be installed', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'umpire-installed-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const withWorkspace = async (text: string) => {
    const file = join(folder, 'pnpm-workspace.yaml');
    await writeFile(file, text);
    return check(['--offline', `--workspace=${file}`]);
  };
  const withPackage = async (description: object) => {
    const modules = await mkdtemp(join(folder, 'modules-'));
    const place = join(modules, '.pnpm', '@evil+thing@1.0.0', 'node_modules', '@evil', 'thing');
    await mkdir(place, { recursive: true });
    await writeFile(join(place, 'package.json'), JSON.stringify({ name: '@evil/thing', version: '1.0.0', ...description }));
    return check(['--offline', `--modules=${modules}`]);
  };

  it.each<[string, (text: string) => string, RegExp]>([
    ['a package that may build', (all) => all.replace('esbuild: false', 'esbuild: true'), /esbuild may run scripts/],
    ['all that may', (all) => `${all}dangerouslyAllowAllBuilds: true\n`, /dangerouslyAllowAllBuilds/],
    ['a list of an older form', (all) => `${all}onlyBuiltDependencies:\n  - esbuild\n`, /onlyBuiltDependencies/],
    ['a patch from elsewhere', (all) => all.replace('patches/postgres@3.4.9.patch', '../evil.patch'), /patched from \.\.\/evil\.patch/],
  ])('%s is refused', async (_, change, reason) => {
    const before = await readFile(join(root, 'pnpm-workspace.yaml'), 'utf8');
    expect(await withWorkspace(before)).toMatchObject({ code: 0 });
    expect(change(before)).not.toBe(before);
    expect(await withWorkspace(change(before))).toMatchObject({ code: 1, text: expect.stringMatching(reason) });
  });

  it('is under a licence that is listed, and runs nothing that nobody has decided about', async () => {
    expect(await withPackage({ license: 'MIT' })).toMatchObject({ code: 0, text: expect.stringContaining('a licence of those listed') });
    for (const license of ['GPL-3.0', 'MPL-2.0', 'UNLICENSED', undefined]) expect(await withPackage({ license })).toMatchObject({ code: 1, text: expect.stringMatching(/@evil\/thing@1\.0\.0 is under .* not among those listed/) });
    for (const script of ['preinstall', 'install', 'postinstall']) expect(await withPackage({ license: 'MIT', scripts: { [script]: 'curl evil' } })).toMatchObject({ code: 1, text: expect.stringContaining('allowBuilds says nothing of it') });
  });
});

describe('an audit', () => {
  let registry: Server;
  let advisories: object = {};
  let status = 200;
  beforeAll(async () => {
    registry = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(advisories)));
    });
    await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => registry.close(resolve)));
  const audit = () => check([], { pnpm_config_registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}/` });
  const advisory = (severity: string) => ({ fastify: [{ id: 1, url: 'https://advisory.example/1', title: 'Known to be bad', severity, vulnerable_versions: '<999', cwe: [], cvss: { score: 7, vectorString: '' } }] });

  it('fails on what is known to be high or critical, and on nothing else', async () => {
    for (const severity of ['high', 'critical']) {
      advisories = advisory(severity);
      expect(await audit()).toMatchObject({ code: 1, text: expect.stringMatching(/fastify.*Known to be bad/) });
    }
    for (const harmless of [{}, advisory('moderate')]) {
      advisories = harmless;
      expect(await audit()).toMatchObject({ code: 0, text: expect.stringContaining('no known high or critical') });
    }
  });

  it('says that there was none where the registry gives no answer', async () => {
    status = 405;
    expect(await audit()).toMatchObject({ code: 0, text: expect.stringContaining('NOT AUDITED') });
  });
});
