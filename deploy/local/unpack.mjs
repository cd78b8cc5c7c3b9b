import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, runtime } from './bootstrap.mjs';
import { findOnPath } from './processes.mjs';
import { Trouble } from './trouble.mjs';

/**
 * Debian packages without touching the system: apt works on private source lists, package lists and cache folders below
 * `.runtime/servers`, with this machine's own mirror, keyring and configuration, and the packages are only unpacked.
 */
const folder = join(runtime, 'servers');
/** Suites that hold a package which this machine's own suite has too old or not at all. */
const NEWER_SUITE = { debian: 'trixie', ubuntu: 'noble' };
const COMPONENTS = { debian: 'main', ubuntu: 'main universe' };
const RELEASE = osRelease();

/** Whether this machine can unpack Debian packages. */
export function hasApt() {
  return ['apt-get', 'apt-cache', 'dpkg-deb'].every(findOnPath) && Boolean(NEWER_SUITE[RELEASE.ID]);
}

/** The folder that `name` was or would be unpacked into. */
export function unpackedFolder(name) {
  return join(folder, name);
}

/** Whether an earlier run unpacked `name` to its end. */
export function isUnpacked(name) {
  return existsSync(join(folder, name, '.complete'));
}

/**
 * Unpacks a package and what it needs and this machine lacks, all from this machine's own suite. `choose(apt)` returns
 * the package's name; packages matching `without` are left out. Returns the folder.
 */
export async function unpackOwn(name, choose, without = /^$/) {
  const packages = await planAndDownload(name, choose, without);
  return unpack(name, packages);
}

/** Unpacks one self-contained package in a version that `fits`, from the own suite or else from the newer one. */
export async function unpackNewer(name, fits) {
  const own = privateApt(`${name}-own`, await isIndexed(name) ? undefined : 'refresh');
  await own.prepare();
  const ownVersion = (await own.versions(name)).find(fits);
  if (ownVersion) return unpack(name, await own.download([`${name}=${ownVersion}`]));
  const newer = privateApt(`${name}-newer`, await newerSource(own));
  await newer.prepare();
  const version = (await newer.versions(name)).find(fits);
  if (!version) throw new Trouble(`no suite of this machine's mirror holds a fitting ${name}`);
  return unpack(name, await newer.download([`${name}=${version}`]));
}

async function planAndDownload(name, choose, without) {
  let failure;
  // The machine's package lists may be absent or so old that the mirror has dropped what they name.
  for (const sources of [undefined, 'refresh']) {
    const apt = privateApt(name, sources);
    try {
      await apt.prepare();
      const packages = await apt.missing(await choose(apt));
      return await apt.download(packages.filter((entry) => !without.test(entry)));
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function unpack(name, { folder: downloads, files }) {
  const target = join(folder, name);
  const draft = `${target}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  for (const file of files) await command('dpkg-deb', ['-x', join(downloads, file), draft]);
  writeFileSync(join(draft, '.complete'), `${files.join('\n')}\n`);
  rmSync(target, { recursive: true, force: true });
  renameSync(draft, target);
  for (const suffix of ['', '-own', '-newer']) rmSync(join(folder, 'apt', `${name}${suffix}`), { recursive: true, force: true });
  return target;
}

async function isIndexed(name) {
  return (await privateApt(name).versions(name).catch(() => [])).length > 0;
}

/**
 * apt on private folders. `sources`: undefined reads the machine's package lists as they are; 'refresh' fetches the
 * machine's own sources into private lists; any other text is the only source, in deb822 form.
 */
function privateApt(name, sources) {
  const base = join(folder, 'apt', name);
  const lists = join(base, 'lists');
  const options = [
    `Dir::Cache=${join(base, 'cache')}`, 'Debug::NoLocking=true', 'DPkg::Lock::Timeout=120', 'Acquire::Languages=none',
    'Acquire::Retries=2', 'Acquire::http::Timeout=20', 'Acquire::https::Timeout=20',
    ...(process.getuid?.() === 0 ? ['APT::Sandbox::User=root'] : []),
    ...(sources ? [`Dir::State::lists=${lists}`] : []),
    ...(sources && sources !== 'refresh' ? ['Dir::Etc::sourcelist=/dev/null', `Dir::Etc::sourceparts=${join(base, 'sources')}`] : []),
  ].flatMap((option) => ['-o', option]);
  const run = (program, ...args) => command(program, [...options, ...args], { env: { LC_ALL: 'C' }, echo: false });
  return {
    async prepare() {
      for (const part of ['cache/archives/partial', 'lists/partial', 'sources', 'debs']) mkdirSync(join(base, part), { recursive: true });
      if (!sources) return;
      if (sources !== 'refresh') writeFileSync(join(base, 'sources', 'mirror.sources'), sources);
      await run('apt-get', 'update', '-q');
    },
    versions: async (wanted) => (await run('apt-cache', 'madison', wanted)).split('\n')
      .map((line) => line.split('|')[1]?.trim()).filter(Boolean),
    names: async (pattern) => (await run('apt-cache', 'search', '--names-only', pattern)).split('\n')
      .map((line) => line.split(' ')[0]).filter(Boolean),
    missing: async (wanted) => [...(await run('apt-get', 'install', '-s', '-q', '--no-install-recommends', wanted))
      .matchAll(/^Inst (\S+) (?:\[[^\]]*\] )?\((\S+) /gm)].map(([, found, version]) => `${found}=${version}`),
    targets: async () => (await run('apt-get', 'indextargets', '--format',
      '$(CREATED_BY)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)')).split('\n').map((line) => line.split('|')),
    async download(packages) {
      const debs = join(base, 'debs');
      rmSync(debs, { recursive: true, force: true });
      mkdirSync(debs, { recursive: true });
      if (packages.length === 0) throw new Trouble(`${name} is installed on this machine but has no program on PATH`);
      await command('sh', ['-c', 'cd "$1" && shift && exec apt-get "$@"', 'sh', debs, ...options, 'download', '-q', ...packages],
        { env: { LC_ALL: 'C' }, echo: false });
      return { folder: debs, files: readdirSync(debs).filter((file) => file.endsWith('.deb')) };
    },
  };
}

/** A source for the newer suite on the mirror that this machine already uses, checked against the distribution's keyring. */
async function newerSource(apt) {
  const own = (await apt.targets()).find(([kind, codename, component]) => kind === 'Packages'
    && codename === RELEASE.VERSION_CODENAME && component === 'main');
  if (!own) throw new Trouble('this machine has no package source of its own distribution');
  const keyring = `/usr/share/keyrings/${RELEASE.ID}-archive-keyring.gpg`;
  return ['Types: deb', `URIs: ${own[3]}`, `Suites: ${NEWER_SUITE[RELEASE.ID]}`, `Components: ${COMPONENTS[RELEASE.ID]}`,
    ...(existsSync(keyring) ? [`Signed-By: ${keyring}`] : []), ''].join('\n');
}

function osRelease() {
  if (!existsSync('/etc/os-release')) return {};
  return Object.fromEntries(readFileSync('/etc/os-release', 'utf8').split('\n').filter((line) => line.includes('='))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).replace(/^"|"$/g, '')]));
}
