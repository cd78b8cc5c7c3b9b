/**
 * Checks what is brought in. Without a network: every package of the lockfile comes from a registry under a SHA-512 of its content, none from
 * git, a tarball's address or a folder outside; no package may run a script when it is installed, and patches are ours; what is installed has
 * a licence of those listed here. Then asks the registry (its bulk advisories, through `pnpm audit`) which of what production runs has known
 * vulnerabilities: high and critical ones fail; a registry that gives no answer is said and fails nothing, since it is no property of the change.
 * Usage: node .ci/lockfile.mjs [lockfile] [--offline] [--workspace=<pnpm-workspace.yaml>] [--modules=<node_modules>]
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';

const SEVERE = new Set(['high', 'critical']);
const AUDIT_MS = 60_000;

/** Packages that may run scripts when they are installed. There are none. */
const MAY_BUILD = new Set([]);
/** Licences that ask for no more than a notice. */
const LICENCES = new Set(['MIT', 'MIT-0', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Unlicense', 'CC0-1.0', 'BlueOak-1.0.0', 'Python-2.0', '(Apache-2.0 AND BSD-3-Clause)', '(MIT OR CC0-1.0)']);
/** Tools that are no part of what is shipped, under a licence that covers their own files. */
const TOOLS = { 'MPL-2.0': /^(axe-core|lightningcss(-[a-z0-9-]+)?)$/ };

/** @param text a pnpm lockfile (version 9) @returns what is wrong with it, one sentence each */
export function lockfileFaults(text) {
  const faults = [];
  if (!/^lockfileVersion: '9\.\d+'$/m.test(text)) faults.push('the lockfile is not of version 9, which is the one that this check reads');
  const packages = section(text, 'packages');
  const entries = [...packages.matchAll(/^ {2}(\S.*):\n((?: {4}.*\n?)*)/gm)];
  if (entries.length === 0) faults.push('the lockfile names no packages');
  for (const [, name, body] of entries) {
    const resolution = /^ {4}resolution: \{(.*)\}$/m.exec(body)?.[1] ?? '';
    if (!/^integrity: sha512-[A-Za-z0-9+/]{86}==$/.test(resolution)) faults.push(`${name} has no SHA-512 alone: {${resolution}}`);
    if (/@(?:git|https?|file|link|github|gitlab|bitbucket)[:+]|codeload|\.tgz/.test(name)) faults.push(`${name} does not come from a registry`);
  }
  for (const [line] of section(text, 'importers').matchAll(/^ +(?:specifier|version): .*$/gm)) {
    const value = line.trim().replace(/^(specifier|version): /, '').replaceAll("'", '');
    if (/^(?:git|https?|file|github|gitlab|bitbucket)[:+]|^[\w-]+\/[\w.-]+(?:#|$)/.test(value)) faults.push(`a package of ours asks for ${value}, which is no registry`);
    if (value.startsWith('link:') && !/^link:(?:\.\.?\/)+[\w./-]+$/.test(value)) faults.push(`a package of ours links to ${value}`);
  }
  return faults;
}

/** @param text of pnpm-workspace.yaml @returns what it lets packages do that it should not, one sentence each */
export function workspaceFaults(text) {
  const faults = [];
  for (const [, name] of text.matchAll(/^(dangerouslyAllowAllBuilds|onlyBuiltDependencies|onlyBuiltDependenciesFile|ignoreScripts|strictDepBuilds):/gm)) faults.push(`pnpm-workspace.yaml decides by ${name} who may build: only allowBuilds is looked at`);
  for (const [, name, allowed] of section(text, 'allowBuilds').matchAll(/^ +'?([^\s':]+)'?: *(\S+)/gm)) {
    if (allowed !== 'false' && !MAY_BUILD.has(name)) faults.push(`${name} may run scripts when it is installed`);
  }
  for (const [, name, path] of section(text, 'patchedDependencies').matchAll(/^ +'?([^\s':]+)'?: *(\S+)/gm)) if (!/^patches\/[\w@.+-]+\.patch$/.test(path)) faults.push(`${name} is patched from ${path}, which is not ours`);
  return faults;
}

/** @param modules pnpm's node_modules @returns what is installed under a licence that is not listed, or would run a script and nobody has decided about */
export function installedFaults(modules, workspace) {
  const decided = new Set([...section(workspace, 'allowBuilds').matchAll(/^ +'?([^\s':]+)'?:/gm)].map(([, name]) => name));
  const found = installed(modules);
  const faults = found.length === 0 ? [`nothing is installed in ${modules}`] : [];
  for (const { name, version, license, scripts } of found) {
    if (!LICENCES.has(license) && !TOOLS[license]?.test(name)) faults.push(`${name}@${version} is under ${license ?? 'no licence that it names'}, which is not among those listed`);
    if (['preinstall', 'install', 'postinstall'].some((one) => scripts?.[one]) && !decided.has(name)) faults.push(`${name}@${version} has a script for its installation, and allowBuilds says nothing of it`);
  }
  return faults;
}

/** What lies in pnpm's store of a project: each package's own package.json. */
function installed(modules) {
  const store = join(modules, '.pnpm');
  if (!existsSync(store)) return [];
  return readdirSync(store).flatMap((folder) => {
    const name = folder.replace(/^(@[^+]+)\+/, '$1/').replace(/(?<=.)@.*$/, '');
    const file = join(store, folder, 'node_modules', name, 'package.json');
    if (!existsSync(file)) return [];
    const { version, license, licenses, scripts } = JSON.parse(readFileSync(file, 'utf8'));
    return [{ name, version, scripts, license: typeof license === 'string' ? license : license?.type ?? licenses?.map?.(({ type }) => type).join(' OR ') }];
  });
}

const say = (line) => void process.stdout.write(`${line}\n`);

const section = (text, name) => new RegExp(`^${name}:\\n((?:(?: .*)?\\n)*)`, 'm').exec(text)?.[1] ?? '';

/** @param output what `pnpm audit --json` printed @returns severe advisories, or null where it holds no answer */
export function severeAdvisories(output) {
  let report;
  try {
    report = JSON.parse(output);
  } catch {
    return null;
  }
  if (typeof report !== 'object' || report === null || typeof report.advisories !== 'object' || report.advisories === null) return null;
  return Object.values(report.advisories).filter(({ severity }) => SEVERE.has(severity)).map((one) => `${one.module_name ?? one.name} ${one.vulnerable_versions ?? ''}: ${one.title} (${one.severity}) ${one.url ?? ''}`);
}

function audit() {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const ran = spawnSync(process.execPath, ['deploy/local/umpire.mjs', 'run', 'pnpm', 'audit', '--prod', '--json'], { cwd: root, encoding: 'utf8', timeout: AUDIT_MS });
  const output = ran.stdout.slice(Math.max(0, ran.stdout.indexOf('{')));
  return { severe: severeAdvisories(output), said: `${ran.stdout}\n${ran.stderr}\n${ran.error?.message ?? ''}` };
}

/** @returns whether there was anything to say */
function told(faults) {
  for (const fault of faults) say(fault);
  return faults.length > 0;
}

function main([...args]) {
  const offline = args.includes('--offline');
  const file = args.find((arg) => !arg.startsWith('-')) ?? fileURLToPath(new URL('../pnpm-lock.yaml', import.meta.url));
  const faults = lockfileFaults(readFileSync(file, 'utf8'));
  const at = (name, otherwise) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? fileURLToPath(new URL(`../${otherwise}`, import.meta.url));
  const workspace = readFileSync(at('workspace', 'pnpm-workspace.yaml'), 'utf8');
  faults.push(...workspaceFaults(workspace));
  if (told(faults)) return 1;
  say('every package of the lockfile has its SHA-512 and comes from a registry; none may run a script when it is installed');
  // Asking brings everything in, where it is not there yet.
  const { severe, said } = offline ? { severe: [], said: '' } : audit();
  const modules = at('modules', 'node_modules');
  if (offline && !existsSync(modules)) return say('licences were not looked at: nothing is installed') ?? 0;
  if (told(installedFaults(modules, workspace))) return 1;
  say('what is installed has a licence of those listed');
  if (offline) return 0;
  if (severe === null) {
    say(`NOT AUDITED: the registry gave no answer to "pnpm audit". Known vulnerabilities were not looked for.\n  ${said.trim().split('\n').map((line) => line.trim()).filter(Boolean).join(' ').slice(0, 300)}`);
    return 0;
  }
  for (const advisory of severe) say(advisory);
  say(severe.length === 0 ? 'no known high or critical vulnerability in what production runs' : `${severe.length} known vulnerabilities, high or critical`);
  return severe.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exit(main(process.argv.slice(2)));
