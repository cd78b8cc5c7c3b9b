/**
 * Checks the lockfile without a network: every package comes from a registry under a SHA-512 of its content, none from git, a tarball's
 * address or a folder outside. Then asks the registry which of what production runs has known vulnerabilities: high and critical ones fail;
 * a registry that gives no answer is said and fails nothing, since it is no property of the change.
 * Usage: node .ci/lockfile.mjs [lockfile] [--offline]
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';

const SEVERE = new Set(['high', 'critical']);
const AUDIT_MS = 60_000;

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

const say = (line) => process.stdout.write(`${line}\n`);

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

function main([...args]) {
  const offline = args.includes('--offline');
  const file = args.find((arg) => !arg.startsWith('-')) ?? fileURLToPath(new URL('../pnpm-lock.yaml', import.meta.url));
  const faults = lockfileFaults(readFileSync(file, 'utf8'));
  for (const fault of faults) say(fault);
  if (faults.length > 0) return 1;
  say('every package of the lockfile has its SHA-512 and comes from a registry');
  if (offline) return 0;
  const { severe, said } = audit();
  if (severe === null) {
    say(`NOT AUDITED: the registry gave no answer to "pnpm audit". Known vulnerabilities were not looked for.\n  ${said.trim().split('\n').map((line) => line.trim()).filter(Boolean).join(' ').slice(0, 300)}`);
    return 0;
  }
  for (const advisory of severe) say(advisory);
  say(severe.length === 0 ? 'no known high or critical vulnerability in what production runs' : `${severe.length} known vulnerabilities, high or critical`);
  return severe.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exit(main(process.argv.slice(2)));
