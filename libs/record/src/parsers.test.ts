import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyText, expectCleanPrototypes, runs } from '../../testing/test/fuzz.ts';
import { hostileValue, mutationOf } from '../../testing/test/mutate.ts';
import { JWKS, RecordByHand } from '../test/record-by-hand.ts';
import { hexOf } from './bytes.ts';
import { CHAIN_START } from './chain.ts';
import { EXPORT_TYP } from './checkpoint.ts';
import type { ExportLine } from './export-lines.ts';
import { Keys } from './jws.ts';
import { ExportVerifier } from './verifier.ts';

const keys = new Keys(JWKS);
const record = new RecordByHand().seal({ a: 1, b: 2 }, 1).seal({ a: 1, b: 1 }, 2).seal({ a: 2 }, 1);
const whole = record.lines().map((line) => JSON.stringify(line));

function verify(lines: string[], pinned: Keys | undefined) {
  const verifier = new ExportVerifier(pinned ? { keys: pinned } : {});
  for (const line of lines) verifier.push(line);
  return verifier.finish();
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Whether a line still says all that the one before said: members that nobody reads may stand beside it, and spelling is free. */
function saysTheSame(changed: string, before: string): boolean {
  const value = tried(() => JSON.parse(changed) as unknown);
  return isObject(value) && Object.entries(JSON.parse(before) as object).every(([name, said]) => JSON.stringify(value[name] ?? CHAIN_START_OF[name] ?? null) === JSON.stringify(said ?? CHAIN_START_OF[name] ?? null));
}

/** A chain that begins comes after nothing, or after the hash that stands for it. */
const CHAIN_START_OF: Record<string, string> = { after_hash: hexOf(CHAIN_START) };

function tried<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

describe(`an export with a line changed (UMPIRE_SEED=${runs.seed})`, () => {
  const at = fc.nat({ max: whole.length - 1 });

  it('is believed only where it says the same, and never ends the verifier', () => {
    expect(verify(whole, keys)).toMatchObject({ ok: true });
    let refused = 0;
    fc.assert(fc.property(at.chain((index) => fc.tuple(fc.constant(index), mutationOf(fc.constant(whole[index]!)))), fc.boolean(), ([index, bytes], pinned) => {
      const text = bytes.toString('utf8');
      const report = verify(whole.with(index, text), pinned ? keys : undefined);
      expectCleanPrototypes();
      refused += Number(!report.ok);
      expect(report.findings.filter(({ what }) => what === '')).toEqual([]);
      // Where keys are given, those of the file are beside the point.
      if (pinned && report.ok && index !== 1) expect([text, saysTheSame(text, whole[index]!)]).toEqual([text, true]);
    }), { ...runs, numRuns: runs.numRuns * 2 });
    expect(refused).toBeGreaterThan(runs.numRuns / 4);
  });

  it('with a value of it changed is found out, where the value is one that counts', () => {
    // Each member of a line is proven by a digest, a hash or a signature.
    const members = whole.flatMap((text, index) => Object.keys(JSON.parse(text) as object).filter((name) => index !== 1 && name !== 'kind').map((name): [number, string] => [index, name]));
    fc.assert(fc.property(fc.constantFrom(...members), fc.oneof(hostileValue, fc.constant('0'.repeat(64))), ([index, name], value) => {
      const line = JSON.parse(whole[index]!) as ExportLine;
      const text = JSON.stringify({ ...line, [name]: value });
      expect([index, name, value, verify(whole.with(index, text), keys).ok]).toEqual([index, name, value, saysTheSame(text, whole[index]!)]);
    }), { ...runs, numRuns: runs.numRuns * 2 });
  });

  it('with lines left out, twice, in another order or of anybody\'s making is found out', () => {
    const fresh = hostileValue.map((value) => JSON.stringify(value) ?? 'null');
    fc.assert(fc.property(at, at, fc.oneof(anyText.filter((text) => text !== ''), fresh), fc.constantFrom('left out', 'twice', 'swapped', 'put in'), (one, other, text, how) => {
      const lines = how === 'left out' ? whole.toSpliced(one, 1) : how === 'twice' ? whole.toSpliced(one, 0, whole[one]!) : how === 'put in' ? whole.toSpliced(one, 0, text) : whole.with(one, whole[other]!).with(other, whole[one]!);
      // The keys line may be left out or stand elsewhere before the first checkpoint where keys are given.
      if (lines.filter((_, index) => index !== 1).join('\n') === whole.filter((_, index) => index !== 1).join('\n') || [one, other].includes(1)) return void verify(lines, keys);
      expect([how, one, other, verify(lines, keys).ok]).toEqual([how, one, other, one === other && how === 'swapped']);
    }), runs);
  });
});

describe('keys and signatures of anybody\'s making', () => {
  it('are taken or refused with a reason', () => {
    const set = fc.oneof(hostileValue, fc.record({ keys: fc.oneof(hostileValue, fc.array(fc.record({ kty: fc.constantFrom<unknown>('OKP', 'RSA', null), crv: fc.constantFrom<unknown>('Ed25519', 'X'), x: fc.oneof(hostileValue, fc.base64String()), kid: hostileValue }, { requiredKeys: [] }))) }));
    fc.assert(fc.property(set, (value) => {
      try {
        expect(new Keys(value).ids).toBeInstanceOf(Array);
      } catch (error) {
        expect((error as Error).message).not.toBe('');
      }
    }), runs);
    const jws = (JSON.parse(whole[0]!) as { jws: string }).jws;
    fc.assert(fc.property(fc.oneof(hostileValue, mutationOf(fc.constant(JSON.stringify(jws))).map((bytes) => bytes.toString('latin1').replaceAll('"', ''))), (value) => {
      const opened = keys.open(value, EXPORT_TYP);
      if (opened.ok) expect(value).toBe(jws);
      else expect(opened.why).not.toBe('');
    }), runs);
  });
});
