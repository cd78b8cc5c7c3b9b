import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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
