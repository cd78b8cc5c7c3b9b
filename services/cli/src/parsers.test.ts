import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JWKS, RecordByHand } from '../../../libs/record/test/record-by-hand.ts';
import { anyText, runs } from '../../../libs/testing/test/fuzz.ts';
import { mutatedBytes, mutationOf } from '../../../libs/testing/test/mutate.ts';
import { EXIT, run } from './index.ts';

const record = new RecordByHand().seal({ a: 1, b: 2 }, 1).seal({ a: 1 }, 1);
const whole = Buffer.from(record.lines().map((line) => `${JSON.stringify(line)}\n`).join(''));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'umpire-cli-parsers-'));
  await writeFile(join(folder, 'keys.json'), JSON.stringify(JWKS));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** As a shell would run it, with nothing but the folder. */
async function umpire(argv: string[], input = ''): Promise<{ exit: number; said: string }> {
  let said = '';
  const say = (line: string) => void (said += `${line}\n`);
  const exit = await run(argv, { env: { UMPIRE_HOME: folder }, folder, readFile: (path) => readFile(path, 'utf8'), readInput: () => Promise.resolve(input), out: say, err: say });
  return { exit, said };
}
/** Characters that a terminal would obey: all control characters but tabs and line ends. */
const controlled = /[^\P{Cc}\t\n]/u;

describe(`files that anybody may have written (UMPIRE_SEED=${runs.seed})`, () => {
  it('an export: verified, or not with what is wrong; and nothing in it reaches the terminal raw', async () => {
    await writeFile(join(folder, 'export.ndjson'), whole);
    expect(await umpire(['audit', 'verify', 'export.ndjson', '--jwks', 'keys.json'])).toMatchObject({ exit: EXIT.ok });
    let refused = 0;
    const terminal = fc.nat({ max: 8 }).map((at) => Buffer.from(whole.toString().split('\n').with(at, '{"kind":"\\u001b[2Jx\u001b]0;t\u0007"}').join('\n')));
    await fc.assert(fc.asyncProperty(fc.oneof({ weight: 9, arbitrary: mutatedBytes(fc.constant(whole)) }, terminal), async (bytes) => {
      await writeFile(join(folder, 'changed.ndjson'), bytes);
      const { exit, said } = await umpire(['audit', 'verify', 'changed.ndjson', '--jwks', 'keys.json']);
      expect([exit, said]).toEqual([exit === EXIT.ok ? EXIT.ok : EXIT.refused, expect.stringMatching(exit === EXIT.ok ? /as it was sealed/ : /NOT VERIFIED: [1-9]/)]);
      expect(said).not.toMatch(controlled);
      refused += Number(exit === EXIT.refused);
    }), { seed: runs.seed, numRuns: Math.ceil(runs.numRuns / 3) });
    expect(refused).toBeGreaterThan(0);
  });

  it('keys, anchors, receipts and a connection: understood, or said not to be', async () => {
    await writeFile(join(folder, 'export.ndjson'), whole);
    const known = [EXIT.ok, EXIT.refused, EXIT.usage, EXIT.unreachable] as number[];
    const texts = fc.oneof(mutationOf(fc.constant(JSON.stringify(JWKS))), mutatedBytes(fc.constant(Buffer.from(record.rounds[0]!.jws))), anyText.map((text) => Buffer.from(text)));
    await fc.assert(fc.asyncProperty(texts, async (bytes) => {
      await writeFile(join(folder, 'any'), bytes);
      for (const argv of [['audit', 'verify', 'export.ndjson', '--jwks', 'any'], ['audit', 'verify', 'export.ndjson', '--jwks', 'keys.json', '--anchor', 'any'], ['receipt', 'verify', 'any', '--jwks', 'keys.json'], ['receipt', 'verify', 'any', '--jwks', 'any']]) {
        const { exit, said } = await umpire(argv);
        expect([argv, known.includes(exit), said !== '']).toEqual([argv, true, true]);
      }
    }), { seed: runs.seed, numRuns: Math.ceil(runs.numRuns / 3) });
    const connections = fc.oneof(texts, mutationOf(fc.constant(JSON.stringify({ api_url: 'ftp://x', keys: { admin: 'a', reviewers: { b: 'c' } }, namespaces: { other: { keys: { admin: 'd' } } } }))), fc.json().map((text) => Buffer.from(text)));
    await fc.assert(fc.asyncProperty(connections, async (bytes) => {
      await writeFile(join(folder, 'connection.json'), bytes);
      for (const argv of [['keys', 'list'], ['keys', 'list', '--namespace', 'other'], ['escalations', 'list', '--as', 'b']]) {
        const { exit, said } = await umpire(argv);
        expect([argv, known.includes(exit), said !== '']).toEqual([argv, true, true]);
      }
    }), runs);
  });

  it('a command line of any words: understood, or said not to be', async () => {
    await rm(join(folder, 'connection.json'), { force: true });
    const words = fc.oneof(anyText, fc.constantFrom('audit', 'verify', 'keys', 'list', 'receipt', 'escalations', '--jwks', '--json', '--since', '--limit', '--out', '--', '-', '--__proto__', '--help'));
    await fc.assert(fc.asyncProperty(fc.array(words, { maxLength: 5 }), async (argv) => {
      expect([EXIT.ok, EXIT.refused, EXIT.usage, EXIT.unreachable] as number[]).toContain((await umpire(argv)).exit);
    }), { seed: runs.seed, numRuns: Math.ceil(runs.numRuns / 3) });
  });
});
