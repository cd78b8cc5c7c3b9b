import { describe, expect, it } from 'vitest';
import { Case, HOUR, START, admin, person, producer } from '../test/fixtures.ts';
import { explain, outcomeOf } from './index.ts';
import type { Explanation } from './index.ts';

function told(it: Case): Explanation {
  return explain(it.state, it.now);
}

const THREE = { assignees: { users: ['alice', 'bob', 'carol'] }, options: ['approve', 'reject', 'abstain'] };

describe('explain', () => {
  it('says why it is pending, who can decide, what comes next, and which policy put it here', () => {
    const it = new Case({ ...THREE, quorum: 'majority', reminders: [60], exclude: ['carol'], default_action: 'reject' }, { policy: { id: 'loans', version: 3 } });
    it.answer('alice', 'approve');
    expect(told(it)).toMatchObject({
      state: 'pending',
      why: 'waiting for bob: the same answer from 2 of 2',
      policy: { id: 'loans', version: 3 },
      quorum: { rule: 'majority', electorate: 2, tally: { approve: 1 } },
      votes: [{ user_id: 'alice', verdict: 'approve', counts: true }],
      can_decide: { users: ['bob'], roles: [], only: null },
      excluded: ['carol'],
      deadline: new Date(START + HOUR).toISOString(),
      on_timeout: 'default: reject',
      next: { kind: 'reminder', due_at: new Date(START + HOUR - 60_000).toISOString(), generation: 1, effect: 'those who have not answered are reminded' },
    });
  });

  it('says that everyone has answered and nothing came of it', () => {
    const it = new Case({ ...THREE, quorum: 'consensus' });
    it.answer('alice', 'approve');
    it.answer('bob', 'reject');
    it.answer('carol', 'abstain');
    expect(told(it).why).toMatch(/^everyone has answered and no verdict has what it needs/);
  });

  it('says whose veto is waited for', () => {
    const it = new Case({ ...THREE, quorum: 'majority', veto: ['carol'] });
    it.answer('alice', 'approve');
    it.answer('bob', 'approve');
    expect(told(it)).toMatchObject({ why: 'approve has what it needs, but carol may still veto it', veto: { holders: ['carol'], waiting_for: ['carol'] } });
  });

  it('says which votes do not count, and why', () => {
    const it = new Case({ ...THREE, quorum: 'consensus' });
    it.answer('alice', 'approve');
    it.do({ type: 'revise', actor: producer, prompt: 'again' });
    it.answer('bob', 'approve');
    it.do({ type: 'reassign', actor: admin, from: 'bob', to: { users: ['dave'], roles: [] } });
    expect(told(it).votes).toMatchObject([{ user_id: 'alice', counts: false, why_not: 'given before the data was revised' }, { user_id: 'bob', counts: false, why_not: 'its seat was given to somebody else' }]);
  });

  it('knows claims and delegations in force, and forgets them when they have run out', () => {
    const it = new Case(undefined);
    it.do({ type: 'delegate', actor: person('alice'), to: 'dave', until: START + 30_000 });
    it.do({ type: 'claim', actor: person('alice'), seconds: 30 });
    expect(told(it)).toMatchObject({ claim: { user_id: 'alice' }, can_decide: { roles: ['reviewer'], delegates: [{ user_id: 'dave', for: 'alice' }], only: 'alice' }, next: { kind: 'delegation' } });
    it.after(30_000);
    expect(told(it)).toMatchObject({ claim: null, can_decide: { delegates: [], only: null } });
  });

  it('says that the deadline has passed before anybody has noticed', () => {
    const it = new Case(undefined);
    expect(told(it.after(HOUR)).why).toBe('its deadline has passed; the next command or clock applies the timeout');
    const held = new Case({ on_timeout: 'hold' });
    held.after(HOUR).ring('deadline');
    expect(told(held)).toMatchObject({ why: 'waiting for anyone with role reviewer (overdue): one answer', overdue: true, next: null });
  });

  it('says that nobody is left', () => {
    const it = new Case({ assignees: { groups: ['g'] }, exclude: ['alice'] }, { electorate: { users: ['alice'], roles: [] } });
    expect(told(it).why).toBe('nobody may decide it: everybody named is excluded');
  });

  it('says how it ended', () => {
    const decided = new Case(undefined);
    expect(outcomeOf(decided.state)).toBeNull();
    decided.answer('alice', 'approve');
    const expired = new Case(undefined);
    expired.after(HOUR).ring('deadline');
    const defaulted = new Case({ default_action: 'reject' });
    defaulted.after(HOUR).ring('deadline');
    const cancelled = new Case(undefined);
    cancelled.do({ type: 'cancel', actor: producer });
    expect([decided, expired, defaulted, cancelled].map(it => told(it).why)).toEqual([
      'alice decided approve',
      'nobody had settled it by its deadline',
      "its deadline came and the request's default is reject",
      'it was cancelled',
    ]);
    expect(told(decided)).toMatchObject({ can_decide: { users: [], roles: [] }, next: null, outcome: outcomeOf(decided.state) });
  });
});
