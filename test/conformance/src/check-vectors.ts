import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { checkVectorLine } from './compare.ts';

/**
 * `node test/conformance/dist/check-vectors.js FILE`: runs every line of a vector file through the engine, reports what
 * differs, and ends with 1 if anything does.
 */
async function main(file: string | undefined): Promise<number> {
  if (file === undefined) {
    console.error('usage: node check-vectors.js FILE');
    return 2;
  }
  let lines = 0;
  let failed = 0;
  for await (const line of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
    if (line.trim() === '') {
      continue;
    }
    lines++;
    const mismatches = checkVectorLine(line);
    failed += mismatches.length > 0 ? 1 : 0;
    for (const { path, expected, actual } of mismatches) {
      console.log(`vector ${lines}: ${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`);
    }
  }
  console.log(`${lines} vectors, ${lines - failed} match, ${failed} differ`);
  return failed === 0 && lines > 0 ? 0 : 1;
}

process.exitCode = await main(process.argv[2]);
