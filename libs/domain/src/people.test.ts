import { describe, expect, it } from 'vitest';
import { Case, HOUR, START, admin, person, producer } from '../test/fixtures.ts';
import type { Command } from './index.ts';

const alice = person('alice');
const bob = person('bob');
const NAMED = { assignees: { users: ['alice', 'bob', 'carol'] }, quorum: 'majority' as const };

describe('four-eyes', () => {
  const barred = (): Case => new Case({ requested_by: 'bob', exclude: ['carol'], revises: 'hitl-1', levels: [{ after_seconds: 60, assignees: { users: ['carol', 'lead'] } }] }, { earlier_responders: ['dave'] });
  const acts = (user: string): Command[] => [
    { type: 'respond', actor: person(user), user_input: { decision: 'approve' } },
    { type: 'claim', actor: person(user) },
    { type: 'delegate', actor: person(user), to: 'erin' },
    { type: 'reassign', actor: person(user), to: { users: ['erin'], roles: [] } },
    { type: 'raise', actor: person(user) },
    { type: 'snooze', actor: person(user), until: START + 1000 },
    { type: 'respond', actor: person(user, { on_behalf_of: 'alice', delegator_roles: ['reviewer'] }), user_input: { decision: 'approve' } },
    { type: 'respond', actor: person('erin', { on_behalf_of: user, delegator_roles: ['reviewer'] }), user_input: { decision: 'approve' } },
    { type: 'respond', actor: person(user, { kind: 'admin' }), user_input: { decision: 'approve' } },
    { type: 'delegate', actor: alice, to: user },
    { type: 'reassign', actor: alice, to: { users: [user], roles: [] } },
    { type: 'reassign', actor: admin, to: { users: ['alice', user], roles: [] } },
    { type: 'raise', actor: admin, to: { users: [user], roles: [] } },
  ];

  it.each(['bob', 'carol', 'dave'])('keeps %s out of every way in', user => {
    for (const command of acts(user)) {
      const it = barred();
      const decision = it.do(command);
      expect([command.type, decision.refusal?.code]).toEqual([command.type, 'four_eyes']);
      expect(decision.events).toEqual([]);
    }
  });

  it('leaves the excluded out when a level adds them', () => {
    const it = barred();
    it.after(60_000).ring('level');
    expect(it.state.electorate).toEqual({ users: ['lead'], roles: ['reviewer'] });
  });

  it('remembers everybody who answered or was answered for, whatever became of the answer', () => {
    const it = new Case(NAMED);
    it.do({ type: 'delegate', actor: alice, to: 'dave' });
    it.answer('dave', 'approve');
    it.answer('alice', 'reject');
    it.answer('bob', 'approve');
    it.do({ type: 'reassign', actor: admin, from: 'bob', to: { users: ['erin'], roles: [] } });
    expect(it.state.responders).toEqual(['dave', 'alice', 'bob']);
    const next = new Case({ ...NAMED, revises: 'hitl-1' }, { earlier_responders: it.state.responders });
    expect(next.state.electorate.users).toEqual(['carol']);
  });

  it('takes the excluded out of a named electorate', () => {
    const it = new Case({ ...NAMED, requested_by: 'carol' });
    expect(it.state.electorate.users).toEqual(['alice', 'bob']);
  });
});

describe('a claim', () => {
  it('is exclusive where one answer decides', () => {
    const it = new Case(undefined);
    it.do({ type: 'claim', actor: alice, seconds: 60 });
    expect(it.state.claim).toEqual({ user_id: 'alice', until: START + 60_000 });
    expect(it.answer('bob', 'approve').refusal).toMatchObject({ code: 'claimed_by_other', extra: { claimed_by: 'alice' } });
    expect(it.do({ type: 'claim', actor: bob }).refusal?.code).toBe('claimed_by_other');
    expect(it.do({ type: 'release', actor: bob }).refusal?.code).toBe('claimed_by_other');
    expect(it.answer('alice', 'approve').refusal).toBeUndefined();
  });

  it('is over when it has run out, before its clock rings and after', () => {
    const it = new Case(undefined);
    it.do({ type: 'claim', actor: alice, seconds: 60 });
    it.after(59_999);
    expect(it.do({ type: 'claim', actor: bob }).refusal?.code).toBe('claimed_by_other');
    it.after(1);
    expect(it.do({ type: 'release', actor: alice }).refusal?.code).toBe('not_claimed');
    expect(it.do({ type: 'claim', actor: bob, seconds: 60 }).refusal).toBeUndefined();
    it.after(60_000).ring('claim');
    expect(it.events.at(-1)).toMatchObject({ type: 'released', actor: { kind: 'clock' }, data: { user_id: 'bob', cause: 'expired' } });
    expect(it.state.claim).toBeNull();
  });

  it('is extended by its holder: the older clock is stale', () => {
    const it = new Case(undefined);
    it.do({ type: 'claim', actor: alice, seconds: 60 });
    it.after(30_000).do({ type: 'claim', actor: alice, seconds: 60 });
    it.after(30_000);
    expect(it.do({ type: 'clock', kind: 'claim', ordinal: 0, generation: 2 })).toMatchObject({ stale: true });
    expect(it.state.claim?.until).toBe(START + 90_000);
  });

  it('made again in the same millisecond leaves its clock alone', () => {
    const it = new Case(undefined);
    it.do({ type: 'claim', actor: alice });
    it.do({ type: 'claim', actor: alice });
    expect(it.state.clocks.at(-1)).toMatchObject({ kind: 'claim', generation: 2 });
  });

  it('is given back by its holder or an administrator', () => {
    const it = new Case(undefined);
    for (const actor of [alice, admin]) {
      it.do({ type: 'claim', actor: alice });
      expect(it.do({ type: 'release', actor }).refusal).toBeUndefined();
      expect(it.state.clocks.map(({ kind }) => kind)).toEqual(['deadline']);
    }
  });

  it('only shows who is at it where everybody is to answer', () => {
    const it = new Case(NAMED);
    it.do({ type: 'claim', actor: alice });
    expect(it.answer('bob', 'approve').refusal).toBeUndefined();
    expect(it.do({ type: 'claim', actor: bob }).refusal).toBeUndefined();
    expect(it.state.claim?.user_id).toBe('bob');
  });

  it('ends with its holder\'s answer, so that others can go on', () => {
    const it = new Case({ options: ['approve', 'reject', 'abstain'] });
    it.do({ type: 'claim', actor: alice });
    it.answer('alice', 'abstain');
    expect(it.state).toMatchObject({ claim: null, status: 'pending' });
    expect(it.answer('bob', 'approve').refusal).toBeUndefined();
  });

  it.each([0, -1, Number.NaN, 86_401])('of %s seconds is refused', seconds => {
    expect(new Case(undefined).do({ type: 'claim', actor: alice, seconds }).refusal?.code).toBe('invalid');
  });
});

describe('reassign', () => {
  it('gives away one\'s own seat, and nobody else\'s', () => {
    const it = new Case(NAMED);
    expect(it.do({ type: 'reassign', actor: alice, to: { users: ['bob'], roles: [] } }).refusal?.code).toBe('conflict');
    expect(it.do({ type: 'reassign', actor: alice, from: 'bob', to: { users: ['dave'], roles: [] } }).refusal?.code).toBe('forbidden');
    it.do({ type: 'reassign', actor: alice, to: { users: ['dave'], roles: [] } });
    expect(it.state.electorate.users).toEqual(['dave', 'bob', 'carol']);
    expect(it.answer('alice', 'approve').refusal?.code).toBe('not_eligible');
    expect(it.answer('dave', 'approve').refusal).toBeUndefined();
  });

  it('leaves the vote of who left on record only, and settles what the rest have said', () => {
    const it = new Case({ ...NAMED, quorum: 'all' });
    it.answer('carol', 'approve');
    it.answer('alice', 'approve');
    const decision = it.do({ type: 'reassign', actor: admin, from: 'bob', to: { users: [], roles: [] } });
    expect(decision.events.map(({ type }) => type)).toEqual(['reassigned', 'resolved']);
    expect(it.state.outcome).toMatchObject({ verdict: 'approve', source: 'human', decided_by: ['carol', 'alice'] });
    const other = new Case(NAMED);
    other.answer('alice', 'approve');
    other.do({ type: 'reassign', actor: admin, from: 'alice', to: { users: ['dave'], roles: [] } });
    other.answer('bob', 'approve');
    expect(other.state.status).toBe('pending');
    expect(other.state.votes).toHaveLength(2);
    other.answer('dave', 'approve');
    expect(other.state.outcome).toMatchObject({ votes: [{ user_id: 'bob' }, { user_id: 'dave' }] });
  });

  it('does not bring a vote back with the person', () => {
    const it = new Case(NAMED);
    const first = it.answer('alice', 'approve');
    it.do({ type: 'reassign', actor: admin, from: 'alice', to: { users: ['dave'], roles: [] } });
    expect(it.answer('alice', 'approve')).toMatchObject({ repeat: true, reply: first.reply, events: [] });
    it.do({ type: 'reassign', actor: admin, from: 'dave', to: { users: ['alice'], roles: [] } });
    it.answer('bob', 'approve');
    expect(it.state.status).toBe('pending');
    expect(it.answer('alice', 'approve').refusal).toMatchObject({ code: 'stale_revision', extra: { revision: 3 } });
    it.answer('alice', 'approve', { revision: 3 });
    expect(it.state.outcome?.decided_by).toEqual(['bob', 'alice']);
  });

  it('gives a delegate who gets a seat of their own that one only', () => {
    const it = new Case(NAMED);
    it.do({ type: 'delegate', actor: alice, to: 'dave' });
    it.answer('dave', 'approve');
    it.do({ type: 'reassign', actor: admin, from: 'alice', to: { users: ['dave'], roles: [] } });
    expect(it.state.status).toBe('pending');
    expect(it.answer('dave', 'approve').refusal?.code).toBe('stale_revision');
    it.answer('dave', 'approve', { revision: 3 });
    it.do({ type: 'raise', actor: admin, to: { users: ['alice'], roles: [] } });
    expect(it.state.votes).toMatchObject([{ seat: 'dave', user_id: 'dave' }]);
  });

  it('hands a role\'s question to someone, who alone decides then', () => {
    const it = new Case(undefined);
    it.do({ type: 'claim', actor: alice });
    it.do({ type: 'reassign', actor: alice, to: { users: ['bob'], roles: [] } });
    expect(it.state).toMatchObject({ electorate: { users: ['bob'], roles: [] }, claim: null });
    expect(it.state.clocks.map(({ kind }) => kind)).toEqual(['deadline']);
    expect(it.answer('alice', 'approve').refusal?.code).toBe('not_eligible');
    expect(it.answer('bob', 'approve').refusal).toBeUndefined();
  });

  it('is refused where it cannot work', () => {
    const it = new Case({ quorum: { at_least: 2 }, assignees: { users: ['alice', 'bob'] } });
    const to = (users: string[], roles: string[] = []): Command => ({ type: 'reassign', actor: admin, to: { users, roles } });
    expect(it.do(to([])).refusal?.errors).toMatchObject([{ path: 'to', code: 'required' }]);
    expect(it.do(to(['dave'])).refusal?.errors).toMatchObject([{ path: 'to', code: 'too_few' }]);
    expect(it.do({ type: 'reassign', actor: admin, from: 'zoe', to: { users: ['dave'], roles: [] } }).refusal?.errors).toMatchObject([{ path: 'from', code: 'unknown' }]);
    expect(it.do({ type: 'reassign', actor: producer, to: { users: ['dave'], roles: [] } }).refusal?.code).toBe('forbidden');
    expect(new Case(NAMED).do(to([], ['lead'])).refusal?.errors).toMatchObject([{ path: 'to', code: 'bare_role' }]);
    expect(new Case(NAMED).do({ type: 'reassign', actor: alice, to: { users: [], roles: [] } }).refusal?.code).toBe('invalid');
    expect(new Case({ quorum: { at_least: 2 } }).do({ type: 'reassign', actor: alice, to: { users: ['x', 'y'], roles: [] } }).refusal?.code).toBe('forbidden');
  });
});

describe('delegate', () => {
  it('lets one other person answer from the seat, both on record, one vote', () => {
    const it = new Case(NAMED);
    it.do({ type: 'delegate', actor: alice, to: 'dave', until: START + 60_000 });
    it.answer('dave', 'approve');
    it.answer('bob', 'approve');
    expect(it.events[2]).toMatchObject({ type: 'responded', data: { user_id: 'dave', seat: 'alice', on_behalf_of: 'alice' } });
    expect(it.state.outcome).toMatchObject({ decided_by: ['dave', 'bob'], votes: [{ user_id: 'dave', on_behalf_of: 'alice' }, { user_id: 'bob' }] });
  });

  it('is one seat: the latest answer from it counts', () => {
    const it = new Case(NAMED);
    it.do({ type: 'delegate', actor: alice, to: 'dave' });
    it.answer('dave', 'approve');
    it.answer('alice', 'reject');
    expect(it.state.votes).toMatchObject([{ seat: 'alice', user_id: 'alice', verdict: 'reject' }]);
  });

  it('ends at its time, before its clock rings and after; the vote given stays', () => {
    const it = new Case(NAMED);
    it.do({ type: 'delegate', actor: alice, to: 'dave', until: START + 60_000 });
    it.answer('dave', 'approve');
    it.after(60_000);
    expect(it.answer('dave', 'reject').refusal?.code).toBe('not_eligible');
    it.ring('delegation');
    expect(it.events.at(-1)).toMatchObject({ type: 'delegated', actor: { kind: 'clock' }, data: { from: 'alice', ended: [0], cause: 'expired' } });
    it.answer('bob', 'approve');
    expect(it.state.outcome?.decided_by).toEqual(['dave', 'bob']);
  });

  it('is taken back, and replaced by another', () => {
    const it = new Case(NAMED);
    it.do({ type: 'delegate', actor: alice, to: 'dave', until: START + 60_000 });
    it.do({ type: 'delegate', actor: alice, to: 'erin', until: START + 90_000 });
    expect(it.answer('dave', 'approve').refusal?.code).toBe('not_eligible');
    expect(it.state.clocks.map(({ kind, ordinal }) => [kind, ordinal])).toEqual([['deadline', 0], ['delegation', 1]]);
    it.do({ type: 'delegate', actor: alice, to: null });
    expect(it.answer('erin', 'approve').refusal?.code).toBe('not_eligible');
    expect(it.do({ type: 'delegate', actor: alice, to: null }).refusal?.code).toBe('invalid');
    expect(it.state.clocks.map(({ kind }) => kind)).toEqual(['deadline']);
  });

  it('carries the veto of the seat, not that of the person', () => {
    const it = new Case({ ...NAMED, veto: ['alice'] });
    it.do({ type: 'delegate', actor: alice, to: 'dave' });
    it.answer('dave', 'reject');
    expect(it.events.at(-1)).toMatchObject({ type: 'resolved', data: { veto: true, outcome: { verdict: 'reject', decided_by: ['dave'] } } });
  });

  it('never gives anybody two votes', () => {
    const it = new Case(NAMED);
    expect(it.do({ type: 'delegate', actor: alice, to: 'bob' }).refusal?.code).toBe('conflict');
    expect(it.answer('bob', 'approve', { actor: { on_behalf_of: 'alice' } }).refusal?.code).toBe('not_eligible');
    it.do({ type: 'delegate', actor: alice, to: 'dave' });
    expect(it.do({ type: 'delegate', actor: bob, to: 'dave' }).refusal?.code).toBe('conflict');
    it.answer('dave', 'approve');
    expect(it.answer('dave', 'approve', { actor: { on_behalf_of: 'carol' } }).refusal?.code).toBe('already_answered');
    it.do({ type: 'raise', actor: admin, to: { users: ['dave'], roles: [] } });
    expect(it.answer('dave', 'reject').refusal?.code).toBe('already_answered');
  });

  it('cannot be passed on, nor to oneself, nor into the past', () => {
    const it = new Case(NAMED);
    expect(it.do({ type: 'delegate', actor: alice, to: 'alice' }).refusal?.code).toBe('invalid');
    expect(it.do({ type: 'delegate', actor: alice, to: 'dave', until: START }).refusal?.code).toBe('invalid');
    it.do({ type: 'delegate', actor: alice, to: 'dave' });
    expect(it.do({ type: 'delegate', actor: person('dave'), to: 'erin' }).refusal?.code).toBe('forbidden');
    expect(it.do({ type: 'reassign', actor: person('dave'), to: { users: ['erin'], roles: [] } }).refusal?.code).toBe('forbidden');
  });

  it('ends with the seat it came from', () => {
    const it = new Case(NAMED);
    it.do({ type: 'delegate', actor: alice, to: 'dave', until: START + HOUR / 2 });
    it.do({ type: 'reassign', actor: alice, to: { users: ['erin'], roles: [] } });
    expect(it.answer('dave', 'approve').refusal?.code).toBe('not_eligible');
    expect(it.state.clocks.map(({ kind }) => kind)).toEqual(['deadline']);
  });

  it('reaches over a role: of the delegator, on the escalation or standing', () => {
    const it = new Case({ quorum: { at_least: 2 } });
    const outsider = { roles: [] };
    expect(it.answer('dave', 'approve', { actor: outsider }).refusal?.code).toBe('not_eligible');
    it.do({ type: 'delegate', actor: alice, to: 'dave' });
    it.answer('dave', 'approve', { actor: outsider });
    it.answer('erin', 'approve', { actor: { roles: [], on_behalf_of: 'bob', delegator_roles: ['reviewer'] } });
    expect(it.state.outcome).toMatchObject({ decided_by: ['dave', 'erin'], votes: [{ on_behalf_of: 'alice' }, { on_behalf_of: 'bob' }] });
  });
});

describe('raise', () => {
  const levels = [{ after_seconds: 60, assignees: { users: ['lead'] } }];

  it('by hand disarms the clock of that level', () => {
    const it = new Case({ levels });
    it.do({ type: 'raise', actor: alice, detail: 'beyond me' });
    expect(it.state).toMatchObject({ level: 1, electorate: { users: ['lead'], roles: ['reviewer'] } });
    expect(it.do({ type: 'clock', kind: 'level', ordinal: 0, generation: 1 })).toMatchObject({ stale: true });
    expect(it.do({ type: 'raise', actor: alice }).refusal?.code).toBe('conflict');
    expect(it.do({ type: 'raise', actor: admin, to: { users: ['head'], roles: [] } }).refusal).toBeUndefined();
    expect(it.state).toMatchObject({ level: 2, electorate: { users: ['lead', 'head'] } });
  });

  it('uses the people that the store expanded', () => {
    const it = new Case({ levels: [{ after_seconds: 60, assignees: { groups: ['leads'] } }] }, { levels: [{ users: ['lena', 'leo'], roles: [] }] });
    it.after(60_000).ring('level');
    expect(it.state.electorate.users).toEqual(['lena', 'leo']);
  });

  it('is not a stranger\'s, and adds no role to what is counted', () => {
    const it = new Case({ ...NAMED, levels });
    expect(it.do({ type: 'raise', actor: person('mallory') }).refusal?.code).toBe('not_eligible');
    expect(it.do({ type: 'raise', actor: admin, to: { users: [], roles: ['lead'] } }).refusal?.errors).toMatchObject([{ code: 'bare_role' }]);
  });
});

describe('comment and snooze', () => {
  it('are on record and decide nothing', () => {
    const it = new Case(undefined);
    it.do({ type: 'comment', actor: producer, text: 'More data is on its way' });
    expect(it.state).toMatchObject({ comments: 1, revision: 1, status: 'pending' });
    expect(it.do({ type: 'comment', actor: alice, text: '  ' }).refusal?.code).toBe('invalid');
    expect(it.do({ type: 'comment', actor: alice, text: 'x'.repeat(16_385) }).refusal?.code).toBe('invalid');
    expect(it.do({ type: 'snooze', actor: alice, until: it.now }).refusal?.code).toBe('invalid');
    expect(it.do({ type: 'snooze', actor: producer, until: it.now + 1 }).refusal?.code).toBe('forbidden');
  });
});
