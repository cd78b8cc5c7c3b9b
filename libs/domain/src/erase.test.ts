import { describe, expect, it } from 'vitest';
import { withoutPerson } from './erase.ts';

describe('a person\'s name', () => {
  it('is changed wherever it is a whole text, and nowhere else', () => {
    const state = {
      electorate: { users: ['ann', 'bob'], roles: ['ann'] }, votes: [{ seat: 'ann', user_id: 'ann', verdict: 'ann', response: { to: 'ann', note: 'ann was right', ann: 1, name: 'ann' } }],
      rules: { options: ['ann', { value: 'ann', label: 'Ann' }], veto: ['ann'], assignees: { users: ['ann'], groups: ['ann'], roles: [] } }, clocks: [{ kind: 'claim', due_at: 5 }],
    };
    expect(withoutPerson(state, 'ann', 'x')).toEqual({
      electorate: { users: ['x', 'bob'], roles: ['ann'] }, votes: [{ seat: 'x', user_id: 'x', verdict: 'ann', response: { to: 'x', note: 'ann was right', x: 1, name: 'x' } }],
      rules: { options: ['ann', { value: 'ann', label: 'Ann' }], veto: ['x'], assignees: { users: ['x'], groups: ['ann'], roles: [] } }, clocks: [{ kind: 'claim', due_at: 5 }],
    });
  });

  it('leaves everything else as it was', () => {
    const value = { a: [1, null, true, 'b', { c: 'd' }], e: {} };
    expect(withoutPerson(value, 'ann', 'x')).toEqual(value);
  });
});
