import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentDigest, fromBase64Url, fromHex, idToken, parseIdToken, readJson, sha256, toBase64Url, toHex, uuidV5 } from './index.ts';

const digest = (payload: string, interaction?: string, hitlRequest = true): string =>
  toHex(contentDigest(readJson(payload), interaction === undefined ? undefined : readJson(interaction), { hitlRequest }));

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('contentDigest', () => {
  const request = '{"request_id":"r","created_at":"2026-01-01T00:00:00","agent_decisions":[{"processing_time_ms":1,"confidence":1.0}],"metadata":{"processing_time_ms":2,"k":30.0},"processing_time_ms":9}';

  test('is SHA-256 over the canonical form, without what varies between retries', () => {
    expect(digest(request)).toBe(
      hash('{"payload":{"agent_decisions":[{"confidence":1e0}],"metadata":{"k":3e1},"processing_time_ms":9e0,"request_id":"r"}}'),
    );
    expect(digest('{"created_at":1}', '{"priority":"high"}')).toBe(hash('{"interaction":{"priority":"high"},"payload":{}}'));
  });

  test('leaves nothing out of a pipeline interaction', () => {
    expect(digest('{"created_at":"x","metadata":{"processing_time_ms":2}}', undefined, false)).toBe(
      hash('{"payload":{"created_at":"x","metadata":{"processing_time_ms":2e0}}}'),
    );
  });

  test('tells content from retries', () => {
    const retried = request.replace('2026-01-01T00:00:00', '2026-01-02T00:00:00').replace('"processing_time_ms":1', '"processing_time_ms":null').replace('30.0', '3e1');
    expect(digest(retried)).toBe(digest(request));
    expect(digest(request.replace('"k"', '"K"'))).not.toBe(digest(request));
    expect(digest(request, '{}')).not.toBe(digest(request));
    expect(digest(request, undefined, false)).not.toBe(digest(request));
  });

  test('takes the hash of the platform', () => {
    const platform = (text: string): Uint8Array => Uint8Array.from(createHash('sha256').update(text).digest());
    expect(toHex(contentDigest(readJson(request), undefined, { hitlRequest: true, hash: platform }))).toBe(digest(request));
  });
});

describe('hashes and ids', () => {
  test('sha256 and hex agree with the platform', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(toHex(sha256(bytes))).toBe(createHash('sha256').update(bytes).digest('hex'));
        expect(fromHex(toHex(bytes))).toEqual(bytes);
      }),
    );
    expect(toHex(sha256('ü'))).toBe(hash('ü'));
  });

  test('uuidV5 is that of RFC 9562', () => {
    expect(uuidV5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2');
    expect(() => uuidV5('6ba7b8109dad11d180b400c04fd430c8', 'x')).toThrow(TypeError);
  });

  test('base64url agrees with the platform and has one spelling', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = toBase64Url(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64url'));
        expect(fromBase64Url(text)).toEqual(bytes);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ABZaz019-_+/= é'), maxLength: 12 }), (text) => {
        const bytes = fromBase64Url(text);
        expect(bytes === null || toBase64Url(bytes) === text).toBe(true);
      }),
    );
  });

  test('an id survives its token', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }).filter((id) => id.isWellFormed()), (id) => {
        expect(parseIdToken(idToken(id))).toBe(id);
        expect(idToken(id)).toMatch(/^[A-Za-z0-9_-]+$/);
      }),
    );
    expect(parseIdToken(idToken('\ufeffhitl-Übung 7'))).toBe('\ufeffhitl-Übung 7');
    expect(parseIdToken('')).toBeNull();
    expect(parseIdToken('_w')).toBeNull();
    expect(parseIdToken('aGk=')).toBeNull();
  });
});
