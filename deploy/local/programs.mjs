import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Trouble } from './trouble.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What is started as a process of its own: the services, and all of them in one. */
export const PROGRAMS = ['intake', 'state-store', 'notifier', 'timeout-scheduler', 'all-in-one'];
/** Tells from what the programs were made, and when. */
export const BUNDLED = join(root, 'services', 'all-in-one', 'dist', 'bundle', '.built');

/** The file that a program is started by. */
export const programOf = (name) => join(root, 'services', name, 'dist', 'bundle', 'main.js');

/** Folders of the packages that programs are made of. */
export function compiledPackages() {
  const libs = readdirSync(join(root, 'libs')).map((name) => join(root, 'libs', name));
  return [...libs, ...PROGRAMS.map((name) => join(root, 'services', name))].filter((folder) => existsSync(join(folder, 'tsconfig.json')));
}

/** Whoever compiles by hand and forgets the rest must not run what was there before. @throws {Trouble} */
export function refuseStalePrograms() {
  const made = statSync(BUNDLED, { throwIfNoEntry: false })?.mtimeMs;
  if (made === undefined || PROGRAMS.some((name) => !existsSync(programOf(name)))) throw new Trouble('the services are not built: npm run build');
  const compiled = compiledPackages().map((folder) => statSync(join(folder, 'dist', '.tsbuildinfo'), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  if (Math.max(...compiled) > made) throw new Trouble('the services were compiled after they were bundled: npm run build');
}
