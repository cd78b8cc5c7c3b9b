import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  // npm runs scripts from the package's folder; files are named from where the caller is.
  folder: process.env['INIT_CWD'] ?? process.cwd(),
  readFile: (path) => readFile(path, 'utf8'),
  readInput: () => text(process.stdin),
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
});
