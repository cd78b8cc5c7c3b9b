import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyText, expectCleanPrototypes, isStorable, readOrRefused, realMessages, runs } from '../../../libs/testing/test/fuzz.ts';
import { DOCUMENTS } from '../../../libs/testing/test/hostile.ts';
import { mutatedBytes, mutationOf } from '../../../libs/testing/test/mutate.ts';
import type { Origin } from './message/origin.ts';
import { readMessage } from './message/read-message.ts';
import { checkPolicy } from './policy-document.ts';
import { compileExpression } from './policy-expression.ts';
import { readPolicyText } from './policy-text.ts';

const origin = (verb: 'review' | 'cancel' | null): Origin => ({ namespace: 'default', subject: verb && { verb, reason: 'custom_rule' }, submission: 'HITL_REVIEW:1', interactionId: () => 'made', now: () => 0 });
const origins = fc.constantFrom(origin('review'), origin('cancel'), origin(null));

const POLICY = { id: 'p', description: 'd', priority: 3, match: { kind: 'escalation', reasons: ['low_confidence'], task_id: ['a*', '?'], metadata: { area: ['x', 1, null] }, when: 'request.alignment_score < 0.5' }, interaction: { quorum: { at_least: 2 }, assignees: { users: ['a', 'b'] } }, enforce: ['quorum'], same_task: 'keep' };
const YAML = 'id: p\nmatch:\n  task_id: &t ["a*"]\n  metadata: {area: x}\ninteraction:\n  assignees:\n    users: *t\n';
const WORDS = ['a: &a [*a]', '&a {a: *a}', '!!js/function x', '!!binary aGk=', '!!set {a, b}', '? [', '- - - -', '<<: *x', '%YAML 9', `a: &a [x,x]\n${Array.from({ length: 12 }, (_, n) => `b${n}: &b${n} [${Array(9).fill(n === 0 ? '*a' : `*b${n - 1}`).join(',')}]`).join('\n')}`, '__proto__: {polluted: true}', '"\\ud800": 1', '? {a: b}\n: c'];

describe(`what producers and administrators write, whatever it is (UMPIRE_SEED=${runs.seed})`, () => {
  it('messages in every form: read, or refused with a path and a reason each', () => {
    let refused = 0;
    const documents = fc.constantFrom(...Object.values(DOCUMENTS));
    fc.assert(fc.property(fc.oneof({ weight: 9, arbitrary: mutationOf(realMessages) }, documents), origins, (bytes, from) => {
      const read = readMessage(bytes, from, () => null);
      if (read.ok) {
        expect([read.item.request_id !== '', isStorable(read.item.request_id)]).toEqual([true, true]);
        // What goes to the store is a view into what came, or what a deprecated form was made into.
        if (!read.deprecated) expect(Buffer.from(bytes).includes(Buffer.from(read.payload))).toBe(true);
      } else {
        refused += 1;
        expect(read.errors.length).toBeGreaterThan(0);
        expect(read.errors.filter(({ code, message }) => code === '' || message === '')).toEqual([]);
        expect(read.requestId === null || isStorable(read.requestId)).toBe(true);
      }
      expectCleanPrototypes();
    }), { ...runs, numRuns: runs.numRuns * 2 });
    expect(refused).toBeGreaterThan(0);
  });

  it('policies, as JSON and as YAML: checked, or refused with where and why', () => {
    const texts = fc.oneof(mutationOf(fc.constant(JSON.stringify(POLICY))), mutatedBytes(fc.constant(Buffer.from(YAML))), fc.oneof(anyText, fc.constantFrom(...WORDS)).map((text) => Buffer.from(text)));
    fc.assert(fc.property(texts, fc.constantFrom('application/json', 'application/yaml', 'text/yaml; charset=utf-8', undefined), (bytes, type) => {
      const value = readOrRefused(() => readPolicyText(bytes, type));
      if (value === undefined) return;
      const checked = checkPolicy(value, 'default');
      if (!checked.ok) expect(checked.errors.filter(({ code, message }) => code === '' || message === '').length).toBe(0);
      if (!checked.ok) expect(checked.errors.length).toBeGreaterThan(0);
      expectCleanPrototypes();
    }), runs);
  });

  it('conditions, mutated: compiled, or refused with a reason', () => {
    const real = fc.constantFrom("request.agent_decisions.exists(d, d.confidence < 0.2) && reason == 'low_confidence'", "timestamp('2031-05-01T10:00:00Z').getFullYear() == 2031 || metadata['areas'][1].matches('^a+$')", 'has(metadata.spread) ? size(metadata.areas) > 2 : !(1 in [1, 2.5, 3u])');
    fc.assert(fc.property(fc.oneof(mutatedBytes(real.map((text) => Buffer.from(text))).map((bytes) => bytes.toString()), anyText), (text) => {
      const compiled = compileExpression(text);
      if (!compiled.ok) expect(compiled.message).not.toBe('');
    }), runs);
  });
});
