import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock, writeWhole } from './lock.mjs';
import { BUNDLED, compiledPackages, programOf, PROGRAMS } from './programs.mjs';
import { Trouble } from './trouble.mjs';

const PNPM = '12.21.0';
const NODE = '24.21.0';
const NODE_MAJOR = 24;

/** The repository's root. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
/** Downloaded tools and servers; shared by all instances of this clone. */
export const runtime = join(root, '.runtime');
const tools = join(runtime, 'node_modules', '.bin');

/**
 * The environment of everything we start: the pinned Node and pnpm first on PATH, and none of npm's own variables, which
 * would change what pnpm and nested npm calls do.
 */
export function toolEnvironment(extra = {}) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  env.PATH = [tools, join(root, 'node_modules', '.bin'), process.env.PATH].filter(Boolean).join(delimiter);
  return { ...env, ...extra };
}

/** The Node binary that runs services and tests. */
export function nodeBinary() {
  const pinned = join(tools, 'node');
  return existsSync(pinned) ? pinned : process.execPath;
}

/** Brings pnpm and Node, the dependencies, and (unless `build` is false) the compiled code. */
export async function bootstrap(steps, { build = true } = {}) {
  mkdirSync(runtime, { recursive: true });
  await withLock(join(runtime, 'bootstrap.lock'), async () => {
    await bringTools(steps);
    await installDependencies(steps);
    if (build) await Promise.all([compile(steps).then(() => bundleServices(steps)), buildConsole(steps)]);
  }, { waiting: (pid) => steps.say(`waiting for process ${pid}, which is setting up this clone`) });
}

async function bringTools(steps) {
  const node = nodePackage();
  const wanted = JSON.stringify({ pnpm: PNPM, node });
  const marker = join(runtime, 'tools.json');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted && existsSync(join(tools, 'pnpm'))) return;
  await steps.run(`bring pnpm ${PNPM}${node ? ` and Node ${NODE}` : ''}`, async () => {
    await command('npm', ['install', '--prefix', runtime, '--no-save', '--no-package-lock', '--ignore-scripts',
      '--no-audit', '--no-fund', `pnpm@${PNPM}`, ...(node ? [node] : [])]);
    writeWhole(marker, wanted, 0o644);
  });
}

/** The npm package that holds Node itself; none where the user's own Node serves. */
function nodePackage() {
  if (process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)) return `node-linux-${process.arch}@${NODE}`;
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) return undefined;
  throw new Trouble(`Node ${process.versions.node} is too old on ${process.platform} ${process.arch}: install Node ${NODE_MAJOR} or newer and try again`);
}

async function installDependencies(steps) {
  const marker = join(root, 'node_modules', '.umpire-installed');
  const wanted = dependencyDigest();
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return;
  await steps.run('install dependencies', async () => {
    await command(join(tools, 'pnpm'), ['install', '--frozen-lockfile'], { env: { CI: 'true' } });
    writeWhole(marker, dependencyDigest(), 0o644);
  });
}

/** Changes whenever the lockfile or any manifest does, or when a package has lost its node_modules. */
function dependencyDigest() {
  const digest = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const name of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json']) digest.update(readFileSync(join(root, name)));
  for (const folder of workspaceFolders()) {
    digest.update(folder).update(readFileSync(join(folder, 'package.json')));
    digest.update(existsSync(join(folder, 'node_modules')) ? '+' : '-');
  }
  return digest.digest('hex');
}

function compile(steps) {
  return steps.run('compile', () => command(nodeBinary(), [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b']));
}

/** The programs that services are started as; only when what they are made of has changed. */
async function bundleServices(steps) {
  const packages = compiledPackages();
  const wanted = sourcesDigest([join(root, 'deploy', 'bundle.mjs'), join(root, 'deploy', 'local', 'programs.mjs'), join(root, 'pnpm-lock.yaml'),
    ...packages.map((folder) => join(folder, 'package.json')), ...packages.map((folder) => join(folder, 'dist'))], (path) => !/[\\/]bundle(\.new)?$|\.d\.ts$|\.tsbuildinfo$/.test(path));
  if (existsSync(BUNDLED) && readFileSync(BUNDLED, 'utf8') === wanted && PROGRAMS.every((name) => existsSync(programOf(name)))) return utimesSync(BUNDLED, new Date(), new Date());
  await steps.run('bundle the services', async () => {
    await command(nodeBinary(), [join(root, 'deploy', 'bundle.mjs')]);
    writeWhole(BUNDLED, wanted, 0o644);
  });
}

/** The page, from the sources of its package and of the libraries that it is made of; only when those have changed. */
async function buildConsole(steps) {
  const folder = join(root, 'services', 'console');
  const marker = join(folder, 'dist', '.built');
  const wanted = sourcesDigest([join(folder, 'src'), join(folder, 'index.html'), join(folder, 'vite.config.ts'), join(root, 'pnpm-lock.yaml'),
    join(root, 'libs', 'client', 'src'), join(root, 'libs', 'contract', 'src')]);
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted && existsSync(join(folder, 'dist', 'app', 'index.html'))) return;
  await steps.run('build the console', async () => {
    await command(nodeBinary(), [join(folder, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn'], { cwd: folder });
    writeWhole(marker, wanted, 0o644);
  });
}

/** SHA-256 over the names and contents of files, and of all files in folders that `isWanted`. */
function sourcesDigest(paths, isWanted = () => true) {
  const digest = createHash('sha256');
  const add = (path) => {
    if (!isWanted(path)) return;
    if (statSync(path).isFile()) return digest.update(`${path.slice(root.length)}\0`).update(readFileSync(path));
    for (const name of readdirSync(path).sort()) add(join(path, name));
  };
  for (const path of paths) add(path);
  return digest.digest('hex');
}

function workspaceFolders() {
  const grouped = ['libs', 'services', 'test'].filter((name) => existsSync(join(root, name)))
    .flatMap((name) => readdirSync(join(root, name)).sort().map((entry) => join(root, name, entry)));
  return [...grouped, join(root, 'deploy/local/demo'), join(root, 'examples')]
    .filter((folder) => existsSync(join(folder, 'package.json')));
}

const runningCommands = new Set();

/** Ends the commands that run now; their callers get Trouble. */
export function endCommands() {
  for (const child of runningCommands) child.kill('SIGTERM');
}

/** Runs a command to its end and returns what it wrote. If it fails, shows that (`echo`) and throws Trouble. */
export function command(program, args, { env = {}, echo = true, input, cwd = root, uid, gid } = {}) {
  return new Promise((done, fail) => {
    const child = spawn(program, args, {
      cwd, uid, gid, env: toolEnvironment(env), stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    runningCommands.add(child);
    const output = [];
    const all = [];
    child.stdin?.end(input);
    child.stdout.on('data', (data) => output.push(data) && all.push(data));
    child.stderr.on('data', (data) => all.push(data));
    child.once('error', (error) => fail(new Trouble(`cannot run ${program}: ${error.message}`)));
    child.once('close', (code, signal) => {
      runningCommands.delete(child);
      if (code === 0) return done(Buffer.concat(output).toString());
      const said = Buffer.concat(all).toString().trimEnd().split('\n');
      if (echo) process.stderr.write(`${said.slice(-60).join('\n')}\n`);
      const reason = echo ? 'see above' : (said.findLast((line) => line.startsWith('E:')) ?? said.at(-1));
      return fail(new Trouble(`${program.split('/').pop()} failed (${signal ?? `exit code ${code}`}): ${reason}`));
    });
  });
}
