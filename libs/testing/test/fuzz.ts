import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { UmpireError } from '@umpire/contract';
import { expect } from 'vitest';
import { hitlRequest, queueMessage, upstreamRequests } from '../../../test/e2e/src/messages.ts';
import { HOSTILE } from './hostile.ts';

/** `UMPIRE_SEED` repeats a run, `UMPIRE_FUZZ_RUNS` makes it longer. Each parser is short of a second as it stands. */
export const seed = Number(process.env['UMPIRE_SEED'] ?? randomInt(2 ** 31));
export const runs = { seed, numRuns: Number(process.env['UMPIRE_FUZZ_RUNS'] ?? 100) };

const samples = upstreamRequests() ?? [];

/** An interaction with something of everything that it may hold. */
export const INTERACTION = JSON.stringify({
  type: 'hitl_interaction', payload: { interaction_id: 'fuzz', pipeline_name: 'p', step_name: 's', data: { a: 1 } },
  interaction: {
    pattern: 'approval', quorum: { at_least: 2 }, assignees: { users: ['a', 'b'] }, levels: [{ after_seconds: 5, assignees: { groups: ['g'] } }], reminders: [1],
    resume: { data: {}, callback_url: 'https://x.example/' }, ui_schema: { fields: [{ name: 'decision', type: 'radio', options: ['a', 'b'] }] },
  },
});

/** HITLRequests as their framework writes them, where its samples are there, and one of ours. */
export const realRequests: fc.Arbitrary<string> = fc.oneof(fc.constant(hitlRequest('fuzz-bare')), ...(samples.length === 0 ? [] : [fc.constantFrom(...samples)]));

/** Messages in the three forms that producers send, and a cancel. */
export const realMessages: fc.Arbitrary<string> = fc.oneof(
  realRequests, realRequests.map((request) => queueMessage(request, (JSON.parse(request) as { escalation_reason: string }).escalation_reason)), fc.constantFrom(INTERACTION, '{"type":"hitl_cancel","payload":{"request_id":"fuzz","detail":"x"}}'),
);

/** Any text: those that mean something to somebody first, then what Postgres does not keep. */
export const anyText: fc.Arbitrary<string> = fc.oneof(fc.constantFrom<string>(...HOSTILE), fc.constantFrom('a\u0000b', '\u0000', 'a\ud800', '\udc00', ''), fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ maxLength: 60 }));

/** A text in every dress in which parameters and headers come. */
export const dressed = (text: string): string[] => {
  const encoded = Buffer.from(text).toString('base64url');
  return [text, encoded, `~${encoded}`];
};

/**
 * A refusal is ours, with a status below 500; whatever else is thrown is a crash, and fails the test.
 * @returns what was read, or undefined where it was refused
 */
export function readOrRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UmpireError) || error.status >= 500) throw error;
    return undefined;
  }
}

/** Reading has put nothing on what every object inherits. */
export function expectCleanPrototypes(): void {
  expect([Object.prototype, Array.prototype, Function.prototype].flatMap((prototype) => Object.keys(prototype))).toEqual([]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
}

/** Whether Postgres takes the text: no NUL, and no half of a surrogate pair. */
export const isStorable = (text: string): boolean => !text.includes('\u0000') && text.isWellFormed();
