import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fingerprint } from './fingerprint.ts';

/** `node test/conformance/dist/fingerprints.js FILE`: ids and digests of every line, to be compared with the Python script's. */
async function main(file: string | undefined): Promise<number> {
  if (file === undefined) {
    console.error('usage: node fingerprints.js FILE');
    return 2;
  }
  for await (const line of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
    if (line.trim() !== '') {
      console.log(JSON.stringify(fingerprint(line)));
    }
  }
  return 0;
}

process.exitCode = await main(process.argv[2]);
