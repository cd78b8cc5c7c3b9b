import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyText, dressed, expectCleanPrototypes, isStorable, realRequests, runs } from '../../testing/test/fuzz.ts';
import { hostileValue, mutatedBytes, mutationOf } from '../../testing/test/mutate.ts';
import {
  contentDigest, decodeFrame, decodeUtf8, encodeFrame, encodeItemsFrame, encodeUtf8, idToken, interactionSchema, isHumanReviewDecision, isNamespace, JsonSyntaxError, LIMITS, mapHumanReviewDecision, mapHumanReviewRequest, namespaceOfSubject, parseCreatedAt, parseIdToken,
  parseNamespaces, parseReviewSubject, readJson, requestIdProblem, toValue, validateHitlRequest,
} from './index.ts';

/** A JSON text read, or refused as such; anything else that is thrown is a crash. */
function readOrRefused(bytes: Uint8Array) {
  try {
    return readJson(decodeUtf8(bytes));
  } catch (error) {
    expect(error).toBeInstanceOf(JsonSyntaxError);
    expect((error as Error).message).not.toBe('');
    return null;
  }
}

describe(`parsers, whatever comes (UMPIRE_SEED=${runs.seed})`, () => {
  test('requests, mutated: valid, or refused with a path and a reason each', () => {
    let refused = 0;
    fc.assert(fc.property(mutationOf(realRequests), (bytes) => {
      const node = readOrRefused(bytes);
      if (node === null) return;
      const validation = validateHitlRequest(node);
      if (!validation.ok) {
        refused += 1;
        expect(validation.errors.filter(({ code, message }) => code === '' || message === '')).toEqual([]);
        expect(validation.errors.length).toBeGreaterThan(0);
      } else if (node.kind === 'object') {
        // What is taken has an id that can be kept, and a digest.
        const { request_id } = toValue(node) as { request_id: string };
        expect(requestIdProblem(request_id)).toBeNull();
        expect(isStorable(request_id)).toBe(true);
      }
      expectCleanPrototypes();
    }), runs);
    expect(refused).toBeGreaterThan(0);
  });

  test('requests as values, deprecated forms and interactions: a value each, never a throw', () => {
    const named = fc.dictionary(fc.constantFrom('task_id', 'decision_value', 'reviewer_id', 'request_id', 'agent_decisions', 'metadata', 'assignees', 'quorum', 'resume', 'ui_schema', 'levels', '__proto__', 'constructor'), hostileValue);
    fc.assert(fc.property(fc.oneof(hostileValue, named), (value) => {
      const validation = validateHitlRequest(value);
      if (!validation.ok) expect(validation.errors.length).toBeGreaterThan(0);
      isHumanReviewDecision(value);
      for (const mapped of [mapHumanReviewDecision(value), mapHumanReviewRequest(value, '2026-01-01T00:00:00Z')]) if (!mapped.ok) expect(mapped.errors.length).toBeGreaterThan(0);
      interactionSchema.safeParse(value);
      expectCleanPrototypes();
    }), runs);
  });

  test('ids, times, subjects and namespaces: what is taken is what it says', () => {
    fc.assert(fc.property(anyText, (text) => {
      for (const word of dressed(text)) {
        const id = parseIdToken(word);
        if (id !== null) expect(idToken(id)).toBe(word);
        parseCreatedAt(word);
        const subject = parseReviewSubject(word);
        if (subject) expect(`hitl.${subject.namespace}.${subject.verb}.${subject.reason}`).toBe(word);
        const namespace = namespaceOfSubject(word);
        if (namespace !== null) expect(isNamespace(namespace)).toBe(true);
        const namespaces = parseNamespaces(word);
        if (!namespaces.ok) expect(namespaces.errors.length).toBeGreaterThan(0);
      }
    }), runs);
  });

  test('namespaces, mutated', () => {
    fc.assert(fc.property(mutationOf(fc.constantFrom('{"default":["main"]}', '{"team-a":["main","second"],"team-b":[]}')), (bytes) => {
      const read = parseNamespaces(bytes.toString());
      if (read.ok) for (const [name, consumers] of Object.entries(read.namespaces)) expect([name, ...consumers].every(isNamespace)).toBe(true);
      else expect(read.errors.length).toBeGreaterThan(0);
      expectCleanPrototypes();
    }), runs);
  });

  test('frames of printed items are those of the items', () => {
    const [items, pieces] = [fc.array(fc.jsonValue(), { maxLength: 4 }), fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 4 })];
    fc.assert(fc.property(items, pieces, (values, bodies) => {
      const frame = encodeItemsFrame(values.map((value) => encodeUtf8(JSON.stringify(value))), bodies);
      expect(frame).toEqual(encodeFrame({ items: values }, bodies));
      expect(decodeFrame(frame).bodies).toEqual(bodies);
    }), runs);
  });

  test('frames, mutated: read whole, or refused as frames', () => {
    const header = fc.oneof(fc.constantFrom('{"items":[]', '{"a":1'), fc.constant('{"lengths":null'));
    const lengths = fc.oneof(fc.array(fc.integer({ min: -20, max: 40 })), fc.array(fc.double()), hostileValue);
    const made = fc.tuple(header, lengths, fc.uint8Array({ maxLength: 40 }), fc.integer({ min: -3, max: 3 })).map(([head, named, body, off]) => {
      const text = Buffer.from(`${head},"lengths":${JSON.stringify(named)}}`);
      const size = Buffer.alloc(4);
      size.writeUInt32BE(Math.max(0, text.length + off));
      return Buffer.concat([size, text, body]);
    });
    const whole = mutatedBytes(fc.constant(Buffer.from(encodeFrame({ items: [1] }, [Buffer.from('first'), Buffer.from('second')]))));
    const bare = fc.tuple(fc.nat({ max: 60 }), hostileValue).map(([pad, value]) => {
      const text = Buffer.from(JSON.stringify(value) ?? 'null');
      const size = Buffer.alloc(4);
      size.writeUInt32BE(text.length);
      return Buffer.concat([size, text, Buffer.alloc(pad)]);
    });
    fc.assert(fc.property(fc.oneof(made, whole, bare, fc.uint8Array({ maxLength: 80 })), (frame) => {
      try {
        const { bodies } = decodeFrame(frame);
        expect(bodies.every((body) => body instanceof Uint8Array)).toBe(true);
        expect(bodies.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(frame.length);
      } catch (error) {
        // Never that a value was not what the code took it for.
        expect([(error as Error).name, (error as Error).message]).toEqual([expect.stringMatching(/^(Error|SyntaxError)$/), expect.stringMatching(/./)]);
      }
    }), { ...runs, numRuns: runs.numRuns * 3 });
  });

  test('digests: of every document that can be read', () => {
    fc.assert(fc.property(mutationOf(realRequests), (bytes) => {
      const node = readOrRefused(bytes);
      if (node?.kind === 'object') expect(contentDigest(node, undefined, { hitlRequest: true })).toHaveLength(32);
    }), runs);
  });

  test('ids are refused exactly where they cannot be kept', () => {
    fc.assert(fc.property(anyText, (id) => {
      expect(requestIdProblem(id) === null).toBe(isStorable(id) && Buffer.byteLength(id) <= LIMITS.requestId);
      if (id !== '' && requestIdProblem(id) === null) expect(parseIdToken(idToken(id))).toBe(id);
    }), runs);
  });
});
