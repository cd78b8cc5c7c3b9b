import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseSecretKeys, Sealer } from './sealer.ts';

describe('Sealer', () => {
  const [first, second] = [randomBytes(32), randomBytes(32)] as const;
  const plain = Buffer.from('a signing secret');

  it('opens what it sealed, for its owner only, and never seals alike', () => {
    const sealer = new Sealer([first]);
    const sealed = sealer.seal('endpoint-1', plain);
    expect(sealer.open('endpoint-1', sealed)).toEqual(plain);
    expect(() => sealer.open('endpoint-2', sealed)).toThrow();
    expect(sealer.seal('endpoint-1', plain)).not.toEqual(sealed);
    expect(sealed.includes(plain)).toBe(false);
  });

  it('refuses every changed byte', () => {
    const sealer = new Sealer([first]);
    const sealed = sealer.seal('e', plain);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(() => sealer.open('e', changed)).toThrow();
    }
    expect(() => sealer.open('e', sealed.subarray(0, 10))).toThrow();
  });

  it('opens with an older key what was sealed under it, and seals with the newest', () => {
    const sealed = new Sealer([first]).seal('e', plain);
    const both = new Sealer([second, first]);
    expect(both.open('e', sealed)).toEqual(plain);
    expect(new Sealer([second]).open('e', both.seal('e', plain))).toEqual(plain);
    expect(() => new Sealer([second]).open('e', sealed)).toThrow('key that this process does not have');
  });

  it('reads keys of 32 bytes only', () => {
    expect(parseSecretKeys(`${first.toString('base64')},${second.toString('base64')}`)).toEqual({ ok: true, value: [first, second] });
    for (const text of ['', 'abc', randomBytes(31).toString('base64')]) expect(parseSecretKeys(text).ok).toBe(false);
  });
});
