import fc from 'fast-check';
import { LIMITS } from '@umpire/contract';
import { describe, expect, it } from 'vitest';
import { anyText, dressed, expectCleanPrototypes, isStorable, readOrRefused, runs } from '../../../libs/testing/test/fuzz.ts';
import { hostileValue } from '../../../libs/testing/test/mutate.ts';
import { cancelBody, claimBody, commentBody, consumeBody, delegateBody, raiseBody, reassignBody, reviseBody, snoozeBody } from './command.schemas.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { readMark } from './identity-schemas.ts';
import { isJwt } from './identity-tokens.ts';
import { readIfMatch } from './if-match.ts';
import { decodeListCursor, encodeListCursor } from './list-cursor.ts';
import { listQuery } from './list.schemas.ts';
import { requestIdOf } from './request-id.ts';
import { bulkBody, respondBody } from './respond.schemas.ts';
import { allOf, searchDocument, searchTerms, wordsOf, wordTerms } from './search-words.ts';

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const times = fc.constantFrom<unknown>('2026-01-15T10:30:00.000Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '2026-13-45T00:00:00Z', 'infinity', 'now', '2026-01-15T10:30:00.000123Z', 1, null);
const parts = fc.oneof(hostileValue, anyText, times, fc.constantFrom<unknown>('age', '-age', 'deadline', 'priority', 0, 3));
/** Cursors as anybody could write them: tuples of the right length with the wrong things in them. */
const cursors = fc.oneof(
  fc.array(parts, { maxLength: 5 }),
  fc.tuple(times, anyText), fc.tuple(fc.constantFrom('age', 'deadline'), times, anyText), fc.tuple(fc.constant('priority'), fc.integer({ min: -1, max: 4 }), times, anyText), fc.tuple(times, fc.uuid()),
).map(encoded);
/** A time, within what is written with four digits: the ends of that are the database's to refuse, as `bad_request`. */
const isTime = (text: string) => /^\d{4}-\d{2}-\d{2}T/.test(text) && Number.isFinite(Date.parse(text));

describe(`what stands in addresses, headers and bodies, whatever it is (UMPIRE_SEED=${runs.seed})`, () => {
  it('ids, If-Match and tokens: what can be kept, or refused', () => {
    fc.assert(fc.property(anyText, (text) => {
      for (const word of dressed(text)) {
        const id = readOrRefused(() => requestIdOf(word));
        if (id !== undefined) expect(id !== '' && isStorable(id) && Buffer.byteLength(id) <= LIMITS.requestId).toBe(true);
        const match = readOrRefused(() => readIfMatch(word));
        if (Array.isArray(match)) expect(match.every((seq) => Number.isSafeInteger(seq) && seq >= 0 && seq < 2 ** 31)).toBe(true);
        isJwt(word);
      }
    }), runs);
  });

  it('cursors: a place that Postgres can look for, or refused', () => {
    fc.assert(fc.property(fc.oneof(cursors, anyText.map((text) => Buffer.from(text).toString('base64url')), anyText), (word) => {
      const inbox = readOrRefused(() => decodeCursor(word));
      if (inbox) expect([isStorable(inbox.request_id), isTime(inbox.opened_at)]).toEqual([true, true]);
      for (const by of ['age', 'deadline', 'priority'] as const) {
        const cursor = readOrRefused(() => decodeListCursor({ by, descending: false }, word));
        if (cursor) expect([isStorable(cursor.request_id), isTime(cursor.opened_at), cursor.deadline === null || isTime(cursor.deadline)]).toEqual([true, true, true]);
      }
      const mark = readOrRefused(() => readMark(word));
      if (mark) expect(isTime(mark.at)).toBe(true);
    }), { ...runs, numRuns: runs.numRuns * 3 });
    // Our own are taken.
    expect(decodeCursor(encodeCursor({ opened_at: '2026-01-15T10:30:00.000Z', request_id: 'Übung 7' }))?.request_id).toBe('Übung 7');
    expect(decodeListCursor({ by: 'age', descending: true }, encodeListCursor({ by: 'age', descending: true }, { opened_at: '2026-01-15T10:30:00.000Z', deadline: null, urgency: 0, request_id: 'a' })).request_id).toBe('a');
  });

  it('searches: words in quotes, and nothing that a word could end', () => {
    fc.assert(fc.property(fc.oneof(anyText, fc.string({ unit: 'grapheme', maxLength: 256 })), (text) => {
      for (const word of dressed(text)) {
        const query = allOf(searchTerms('default', wordTerms(word), { patterns: ['approval'], priorities: ['low', 'high'], policy: word }));
        expect(query).not.toContain('\u0000');
        expect(query).toMatch(/^(?:\(*'[^'\\]*'(?::\*)?\)*(?: [&|] )?)+$/);
        expect(isStorable(searchDocument('default', { pattern: 'approval', priority: 'low', policy: word }, [word, null]))).toBe(true);
        expect(wordsOf(word, 8).every((one) => one.length > 0 && !/[\s'\\&|!():*<>]/.test(one))).toBe(true);
      }
    }), runs);
  });

  it('query strings: taken as numbers, names and lists that there are, or refused by field', () => {
    const value = fc.oneof(anyText, fc.integer().map(String), fc.array(anyText, { maxLength: 3 }), fc.constantFrom('pending,completed', '-age', '1e3', '0x10', ' 5 ', 'Infinity', 'NaN', ''));
    const names = fc.constantFrom('state', 'reason', 'pattern', 'priority', 'assignee', 'assignee_role', 'min_age', 'max_age', 'policy', 'task_id', 'text', 'sort', 'limit', 'after', '__proto__', 'x');
    fc.assert(fc.property(fc.dictionary(names, value), (query) => {
      const parsed = listQuery.safeParse(query);
      if (!parsed.success) return void expect(parsed.error.issues.length).toBeGreaterThan(0);
      const { limit, min_age, max_age } = parsed.data;
      expect([limit >= 1 && limit <= 200, [min_age, max_age].every((age) => age === undefined || Number.isFinite(age))]).toEqual([true, true]);
      expectCleanPrototypes();
    }), runs);
  });

  it('answers and commands: read, or refused by field', () => {
    const names = fc.constantFrom('interaction_id', 'user_input', 'user_id', 'revision', 'items', 'to', 'from', 'until', 'seconds', 'detail', 'text', 'consumer_id', 'action_digest', 'review_data', 'ui_schema', 'prompt', 'task_id', 'decision_value', 'reviewer_id', '__proto__', 'constructor');
    const document = fc.oneof(hostileValue, fc.dictionary(names, fc.oneof(hostileValue, times, fc.constantFrom<unknown>({ users: ['a'] }, { fields: [] }, [{ interaction_id: 'a', user_input: {} }]))));
    fc.assert(fc.property(document, (value) => {
      for (const schema of [respondBody, bulkBody, claimBody, reassignBody, delegateBody, raiseBody, snoozeBody, commentBody, cancelBody, reviseBody, consumeBody]) {
        const parsed = schema.safeParse(value);
        if (!parsed.success) expect(parsed.error.issues.length).toBeGreaterThan(0);
      }
      expectCleanPrototypes();
    }), runs);
  });
});
