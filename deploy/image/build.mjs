/**
 * Puts what runs in the container into a folder: `node deploy/image/build.mjs --out <folder>`. The Dockerfile runs this and nothing else, and so does
 * the test that starts the result, so that both are made by the same steps:
 *
 *   1. tools, dependencies, compiled code and console, as `npm start` makes them
 *   2. of every package that a service needs: its manifest, its compiled code, its SQL
 *   3. production dependencies alone, by the lockfile (and its patches)
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bootstrap, command, root } from '../local/bootstrap.mjs';
import { Steps } from '../local/steps.mjs';

/** What can be started in the image; everything else is there because one of these needs it. */
const STARTED = ['@umpire/all-in-one', '@umpire/cli'];
/** Of a package. Compiled code without types and build notes. */
const PARTS = ['package.json', 'dist', 'sql', 'bin'];
const LEFT_OUT = /\.d\.ts$|\.d\.ts\.map$|\.tsbuildinfo$|\/\.built$/;

const { values } = parseArgs({ options: { out: { type: 'string' } } });
if (!values.out) throw new Error('say where to: --out <folder>');
const out = resolve(values.out);
if (existsSync(out) && readdirSync(out).length > 0) throw new Error(`${out} is not empty`);

const manifestOf = (folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

/** All packages of the workspace: folder by name. */
function workspace() {
  const folders = ['libs', 'services', 'test'].flatMap((group) => readdirSync(join(root, group)).map((name) => join(group, name)));
  return new Map([...folders, 'deploy/local/demo', 'examples'].filter((folder) => existsSync(join(root, folder, 'package.json'))).map((folder) => [manifestOf(folder).name, folder]));
}

/** The packages that some need to run, themselves included. */
function needed(packages, names, found = new Set()) {
  for (const name of names) {
    if (found.has(name) || !packages.has(name)) continue;
    found.add(name);
    needed(packages, Object.keys(manifestOf(packages.get(name)).dependencies ?? {}), found);
  }
  return found;
}

function copy(path, { filter = () => true } = {}) {
  mkdirSync(dirname(join(out, path)), { recursive: true });
  cpSync(join(root, path), join(out, path), { recursive: true, filter });
}

const steps = new Steps();
await bootstrap(steps);
const packages = workspace();
const kept = needed(packages, STARTED);

await steps.run('copy what runs', async () => {
  for (const path of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc', 'patches', 'LICENSE']) if (existsSync(join(root, path))) copy(path);
  // The lockfile speaks of every package: all manifests have to be there to be compared with it.
  for (const folder of packages.values()) copy(join(folder, 'package.json'));
  for (const name of kept) {
    for (const part of PARTS) if (existsSync(join(root, packages.get(name), part))) copy(join(packages.get(name), part), { filter: (path) => !LEFT_OUT.test(path) });
  }
  copy('services/console/dist/app');
  for (const name of ['entry.mjs', 'health.mjs']) cpSync(join(root, 'deploy/image', name), join(out, name));
});

await steps.run('install production dependencies', async () => {
  await command('pnpm', ['install', '--prod', '--frozen-lockfile', '--prefer-offline', ...STARTED.flatMap((name) => ['--filter-prod', `${name}...`])], { cwd: out, env: { CI: 'true' } });
});

await steps.run('remove what no service needs', async () => {
  for (const [name, folder] of packages) {
    if (kept.has(name)) continue;
    if (folder === 'services/console') rmSync(join(out, folder, 'package.json'));
    else rmSync(join(out, folder), { recursive: true, force: true });
  }
  for (const path of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc', 'patches', 'deploy', 'test']) rmSync(join(out, path), { recursive: true, force: true });
  const { name, version, license } = manifestOf('.');
  writeFileSync(join(out, 'package.json'), `${JSON.stringify({ name, version, license, private: true, type: 'module' }, null, 2)}\n`);
});
