#!/usr/bin/env node
import { existsSync } from 'node:fs';

// Plain JavaScript, so that it can say what is missing before there is anything compiled.
const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) await import(main.href);
else {
  process.stderr.write('umpire: this clone is not compiled yet: run npm start, or npm run build\n');
  process.exitCode = 2;
}
