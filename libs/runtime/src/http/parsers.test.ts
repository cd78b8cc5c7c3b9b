import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyText, dressed, expectCleanPrototypes, readOrRefused, realMessages, runs } from '../../../testing/test/fuzz.ts';
import { DOCUMENTS } from '../../../testing/test/hostile.ts';
import { mutationOf } from '../../../testing/test/mutate.ts';
import { readCredential, readSession, refuseCrossSite } from './auth.ts';
import { readBody } from './body.ts';

describe(`what stands in a request, whatever it is (UMPIRE_SEED=${runs.seed})`, () => {
  it('bodies: the value that was sent, or refused with a reason', () => {
    const documents = fc.constantFrom(...Object.values(DOCUMENTS));
    fc.assert(fc.property(fc.oneof({ weight: 8, arbitrary: mutationOf(realMessages) }, documents, fc.uint8Array({ maxLength: 100 })), (bytes) => {
      const value = readOrRefused(() => readBody(bytes));
      if (value !== undefined) expect(() => JSON.parse(Buffer.from(bytes).toString())).not.toThrow();
      expectCleanPrototypes();
    }), runs);
  });

  it('credentials: a token of the form, or none', () => {
    fc.assert(fc.property(anyText, (text) => {
      for (const word of dressed(text)) {
        for (const headers of [{ authorization: word, cookie: word }, { authorization: `Bearer ${word}` }, { cookie: `umpire_session=${word}` }, { cookie: `a=b; umpire_session=${word}; c` }]) {
          const credential = readCredential({ headers });
          if (credential) expect(credential.token).toMatch(credential.kind === 'bearer' ? /^[!-~]{1,8192}$/ : /^[A-Za-z0-9_-]{16,256}$/);
          const session = readSession({ headers });
          if (session !== null) expect(session).toMatch(/^[A-Za-z0-9_-]{16,256}$/);
        }
      }
    }), runs);
  });

  it('origins: only the page\'s own host passes', () => {
    fc.assert(fc.property(anyText, anyText, (origin, site) => {
      let passed = true;
      readOrRefused(() => {
        passed = false;
        refuseCrossSite({ headers: { origin, host: 'umpire.example', 'sec-fetch-site': site } });
        passed = true;
      });
      if (passed) expect([URL.parse(origin)?.host, site]).toEqual(['umpire.example', expect.stringMatching(/^(same-origin|none)$/)]);
    }), runs);
  });
});
