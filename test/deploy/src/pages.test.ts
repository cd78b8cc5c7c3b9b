import { run } from '@umpire/cli';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './kustomize.ts';

const PAGES = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`), 'deploy/README.md', 'deploy/runbook.md', 'test/faults/README.md'];

/** Command lines of ours in a page's code, fenced or within a line: the words behind `umpire`, without what a shell takes for itself. */
function commandLines(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8');
  const fenced = [...text.matchAll(/^ *```\w*[^\n]*\n([\s\S]*?)^ *```$/gm)].flatMap((match) => match[1]!.split('\n'));
  const inline = [...text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
  return [...fenced, ...inline].flatMap((line) => {
    const match = /(?:^\s*|entry\.mjs |=\S+ |\) |run --rm )(?:umpire|npm run (?:-s |--silent )?umpire --) ([a-z][^#|>&;]*)/.exec(line);
    return match ? [match[1]!.trim()] : [];
  });
}

/** What `--help` says to these words; null where there is no such command. */
async function helpFor(words: string[]): Promise<string | null> {
  let said = '';
  const world = { env: {}, folder: root, readFile: () => Promise.reject(new Error('nothing is read')), readInput: () => Promise.resolve(''), out: (line: string) => { said += line; }, err: () => undefined };
  return (await run([...words, '--help'], world)) === 0 ? said : null;
}

/** @returns what of a command line is not there: its command, or an option of it */
async function faultsOf(line: string): Promise<string[]> {
  const words = line.split(/\s+/);
  const named = words.slice(0, 2).filter((word) => /^[a-z][a-z-]*$/.test(word));
  const help = await helpFor(named);
  if (help === null) return [`there is no command: umpire ${line}`];
  return words.filter((word) => /^--[a-z]/.test(word)).map((word) => word.split('=')[0]!).filter((option) => !help.includes(option)).map((option) => `${option}: umpire ${line}`);
}

describe('command lines of ours in the pages, those that no test can run among them', () => {
  it.each(PAGES)('%s', async (page) => {
    expect((await Promise.all(commandLines(page).map(faultsOf))).flat()).toEqual([]);
  });

  it('are found and looked at', async () => {
    expect(commandLines('deploy/README.md')).toEqual(expect.arrayContaining(['topology accounts --permissions', 'migrate --check']));
    expect(commandLines('deploy/runbook.md')).toEqual(expect.arrayContaining(['rejected redrive', 'topology forget --yes']));
    expect(await faultsOf('reassign')).toEqual(['there is no command: umpire reassign']);
    expect(await faultsOf('topology apply --force')).toEqual(['--force: umpire topology apply --force']);
  });
});
