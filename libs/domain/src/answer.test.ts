import type { UiField } from '@umpire/contract';
import { describe, expect, it } from 'vitest';
import { rulesOf } from '../test/fixtures.ts';
import { validateAnswer, verdictOf } from './index.ts';

function check(field: Partial<UiField>, value: unknown): string | Record<string, unknown> {
  const answer = validateAnswer({ fields: [{ name: 'x', type: 'text', ...field }] }, value === undefined ? {} : { x: value });
  return answer.ok ? answer.response : answer.errors.map(({ path, code }) => `${path} ${code}`).join();
}

describe('an answer is checked on the server', () => {
  it.each<[Partial<UiField>, unknown, string | undefined]>([
    [{ type: 'text' }, 'a', undefined],
    [{ type: 'text' }, 5, 'type'],
    [{ type: 'text', required: true }, undefined, 'required'],
    [{ type: 'text', required: true }, null, 'required'],
    [{ type: 'text', required: true }, ' \n', 'required'],
    [{ type: 'textarea', min_length: 2 }, 'a', 'min_length'],
    [{ type: 'textarea', max_length: 2 }, '🙂🙂', undefined],
    [{ type: 'textarea', max_length: 2 }, 'abc', 'max_length'],
    [{ type: 'rich-text' }, ['a'], 'type'],
    [{ type: 'number' }, 5, undefined],
    [{ type: 'number' }, '5', 'type'],
    [{ type: 'number' }, Number.POSITIVE_INFINITY, 'type'],
    [{ type: 'number', min: 0 }, -1, 'min'],
    [{ type: 'number', max: 1 }, 1.1, 'max'],
    [{ type: 'number', min: 0, max: 1 }, 0, undefined],
    [{ type: 'number', min: 0, max: 1, step: 0.1 }, 0.3, undefined],
    [{ type: 'number', min: 0, max: 1, step: 0.1 }, 0.7, undefined],
    [{ type: 'number', min: 0, max: 1, step: 0.1 }, 0.35, 'step'],
    [{ type: 'number', min: 0.5, step: 1 }, 2.5, undefined],
    [{ type: 'number', min: 0.5, step: 1 }, 2, 'step'],
    [{ type: 'number', step: 0.01 }, 1e9 + 0.01, undefined],
    [{ type: 'number', required: true }, 0, undefined],
    [{ type: 'radio', options: ['a', 'b'] }, 'b', undefined],
    [{ type: 'radio', options: ['a', 'b'] }, 'c', 'option'],
    [{ type: 'radio', options: ['a', 'b'] }, ['a'], 'option'],
    [{ type: 'select', options: [{ value: 'a', label: 'A' }] }, 'a', undefined],
    [{ type: 'select', options: [{ value: 'a', label: 'A' }] }, 'A', 'option'],
    [{ type: 'text', options: ['a'] }, 'b', 'option'],
    [{ type: 'checkbox' }, false, undefined],
    [{ type: 'checkbox' }, 'true', 'type'],
    [{ type: 'checkbox', required: true }, true, undefined],
    [{ type: 'checkbox', required: true }, false, 'must_be_true'],
    [{ type: 'checkbox', required: true }, undefined, 'required'],
    [{ type: 'hidden' }, { any: [1] }, undefined],
    [{ type: 'hidden', required: true }, undefined, 'required'],
  ])('%j given %j: %s', (field, value, code) => {
    expect(check(field, value)).toEqual(code === undefined ? { x: value } : `user_input.x ${code}`);
  });

  it.each([undefined, null, '', '  '])('leaves an optional field out that is left empty (%j)', value => {
    expect(check({ type: 'number' }, value)).toEqual({});
  });

  it('names every field at fault', () => {
    const fields = [{ name: 'a', type: 'text', required: true }, { name: 'b', type: 'number' }, { name: 'c', type: 'text' }];
    expect(validateAnswer({ fields }, { b: 'x', c: 'fine' })).toMatchObject({ ok: false, errors: [{ path: 'user_input.a' }, { path: 'user_input.b' }] });
  });

  it('keeps what the form does not know apart', () => {
    expect(validateAnswer({ fields: [{ name: 'a', type: 'text' }] }, { a: 'x', timeout_applied: true, b: 1 })).toEqual({ ok: true, response: { a: 'x' }, unknown: { timeout_applied: true, b: 1 } });
  });

  it('takes any object where there is no form, but no provenance', () => {
    expect(validateAnswer({ fields: [] }, { any: { thing: 1 }, timeout_applied: true })).toEqual({ ok: true, response: { any: { thing: 1 } }, unknown: { timeout_applied: true } });
  });

  it('is not fooled by names that objects have by nature', () => {
    const hostile = JSON.parse('{"__proto__": {"decision": "approve"}, "constructor": 1}') as Record<string, unknown>;
    const answer = validateAnswer({ fields: [{ name: 'decision', type: 'radio', options: ['approve'], required: true }, { name: 'toString', type: 'text', required: true }] }, hostile);
    expect(answer).toMatchObject({ ok: false, errors: [{ path: 'user_input.decision', code: 'required' }, { path: 'user_input.toString', code: 'required' }] });
    const free = validateAnswer({ fields: [] }, hostile);
    expect(free.ok && Object.getPrototypeOf(free.response)).toBe(Object.prototype);
    expect(free.ok && Object.keys(free.response)).toEqual(['__proto__', 'constructor']);
  });
});

describe('the verdict of an answer', () => {
  it('is what it says in the verdict field, else that something was submitted', () => {
    const rules = rulesOf({ pattern: 'input', verdict_field: 'go' });
    expect([{ go: 'yes' }, { go: true }, { go: 3 }, { go: '' }, { go: ['x'] }, {}].map(response => verdictOf(rules, response))).toEqual(['yes', 'true', '3', 'submitted', 'submitted', 'submitted']);
  });

  it('cannot be an abstention that nobody offered', () => {
    expect(verdictOf(rulesOf({ pattern: 'input' }), { decision: 'abstain' })).toBe('submitted');
    expect(verdictOf(rulesOf({ options: ['a', 'abstain'] }), { decision: 'abstain' })).toBe('abstain');
  });
});
