import { describe, expect, it } from 'vitest';
import { Case, HOUR, START, admin, person, producer } from '../test/fixtures.ts';
import type { Command } from './index.ts';

const alice = person('alice');

const LATE: Command[] = [
  { type: 'respond', actor: alice, user_input: { decision: 'approve' } },
  { type: 'claim', actor: alice },
  { type: 'release', actor: alice },
  { type: 'reassign', actor: admin, to: { users: ['bob'], roles: [] } },
  { type: 'delegate', actor: alice, to: 'bob' },
  { type: 'raise', actor: admin, to: { users: ['bob'], roles: [] } },
  { type: 'snooze', actor: alice, until: START + 2 * HOUR },
  { type: 'comment', actor: alice, text: 'too late' },
  { type: 'cancel', actor: producer },
  { type: 'revise', actor: producer, prompt: 'other' },
  { type: 'consume', actor: producer, consumer_id: 'c', action_digest: 'd' },
];

describe('the deadline', () => {
  it.each(LATE)('beats $type at its very millisecond', command => {
    const it = new Case(undefined);
    it.now = it.state.deadline!;
    const decision = it.do(command);
    expect(decision.events.map(({ type }) => type)).toEqual(['expired']);
    expect(decision.refusal).toMatchObject({ code: 'deadline_passed', outcome: { state: 'expired', verdict: null, response: null, source: 'timeout', timeout_applied: true, decided_by: [], seq: 2 } });
    const later = command.type === 'consume' ? 'not_consumable' : 'already_settled';
    expect(it.do(command).refusal).toMatchObject({ code: later, outcome: decision.refusal!.outcome });
  });

  it.each(LATE.filter(({ type }) => type !== 'consume' && type !== 'release'))('is not there yet a millisecond before, for $type', command => {
    const it = new Case(undefined);
    it.now = it.state.deadline! - 1;
    expect(it.do(command).refusal).toBeUndefined();
  });

  it('completes with the default action, quoting nobody', () => {
    const it = new Case({ pattern: 'timed_decision', verdict_field: 'choice', default_action: 'abort' });
    expect(it.state.deadline).toBe(START + 300_000);
    it.after(300_000).ring('deadline');
    expect(it.events.at(-1)).toMatchObject({ type: 'resolved', actor: { kind: 'clock' } });
    expect(it.state.outcome).toMatchObject({ state: 'completed', verdict: 'abort', response: { choice: 'abort' }, source: 'timeout', timeout_applied: true, decided_by: [], votes: [] });
  });

  it('of a timed decision without a default is expiry', () => {
    const it = new Case({ pattern: 'timed_decision' });
    it.after(300_000).ring('deadline');
    expect(it.state.outcome).toMatchObject({ state: 'expired', verdict: null, source: 'timeout' });
  });

  it('is marked once by hold, which goes on accepting', () => {
    const it = new Case({ on_timeout: 'hold' });
    it.after(HOUR);
    const decision = it.answer('alice', 'approve');
    expect(decision.events.map(({ type }) => type)).toEqual(['overdue', 'responded', 'resolved']);
    expect(it.state).toMatchObject({ status: 'completed', overdue: true, outcome: { source: 'human', timeout_applied: false, seq: 4 } });
  });

  it('of hold makes a refused command leave nothing but overdue', () => {
    const it = new Case({ on_timeout: 'hold' });
    it.after(HOUR);
    const decision = it.answer('alice', 'perhaps');
    expect(decision.refusal?.code).toBe('invalid');
    expect(decision.events.map(({ type }) => type)).toEqual(['overdue']);
    expect(it.state.clocks).toEqual([]);
    expect(it.after(HOUR).answer('alice', 'perhaps').events).toEqual([]);
  });

  it('is applied by whichever clock comes first, and a late reminder is not sent', () => {
    const it = new Case({ reminders: [600] });
    it.now = it.state.deadline!;
    const decision = it.ring('reminder');
    expect(decision).toMatchObject({ stale: true });
    expect(decision.events.map(({ type }) => type)).toEqual(['expired']);
  });

  it('answers a retry of an earlier answer as the first time, and applies the timeout', () => {
    const it = new Case({ quorum: 'all', assignees: { users: ['alice', 'bob'] } });
    const first = it.answer('alice', 'approve');
    const retry = it.after(HOUR).answer('alice', 'approve');
    expect(retry).toMatchObject({ repeat: true, reply: first.reply });
    expect(retry.events.map(({ type }) => type)).toEqual(['expired']);
    expect(it.answer('alice', 'approve')).toMatchObject({ repeat: true, reply: first.reply, events: [] });
    expect(it.answer('bob', 'approve').refusal?.code).toBe('already_settled');
  });

  it('does not move with a snooze, even one beyond it', () => {
    const it = new Case(undefined);
    const { deadline } = it.state;
    expect(it.do({ type: 'snooze', actor: alice, until: START + 5 * HOUR }).refusal).toBeUndefined();
    expect(it.state.deadline).toBe(deadline);
    it.now = deadline!;
    it.ring('deadline');
    expect(it.state).toMatchObject({ status: 'expired', clocks: [] });
  });

  it('counts fractions of a second in whole milliseconds', () => {
    const it = new Case({ timeout_seconds: 0.0015 });
    expect(it.state.deadline).toBe(START + 2);
  });
});

describe('clocks', () => {
  it('are armed at opening under its seq, without those that would ring too late', () => {
    const it = new Case({
      timeout_seconds: 600,
      reminders: [60, 600, 900],
      levels: [{ after_seconds: 300, assignees: { users: ['lead'] } }, { after_seconds: 600, assignees: { users: ['head'] } }],
    });
    expect(it.events[0]!.data.clocks).toEqual([
      { kind: 'deadline', ordinal: 0, due_at: new Date(START + 600_000).toISOString(), generation: 1 },
      { kind: 'reminder', ordinal: 0, due_at: new Date(START + 540_000).toISOString(), generation: 1 },
      { kind: 'level', ordinal: 0, due_at: new Date(START + 300_000).toISOString(), generation: 1 },
    ]);
  });

  it('ring for levels after the deadline where the request holds', () => {
    const it = new Case({ timeout_seconds: 60, on_timeout: 'hold', levels: [{ after_seconds: 120, assignees: { users: ['head'] } }] });
    it.after(60_000).ring('deadline');
    it.after(60_000).ring('level');
    expect(it.types()).toEqual(['opened', 'overdue', 'raised']);
    expect(it.state).toMatchObject({ electorate: { users: ['head'], roles: ['reviewer'] }, clocks: [] });
  });

  it('are told when to come again, early by a millisecond', () => {
    const it = new Case(undefined);
    it.now = it.state.deadline! - 1;
    expect(it.ring('deadline')).toMatchObject({ events: [], retry_at: it.state.deadline });
  });

  it('are stale under another generation, when not armed, and after settlement', () => {
    const it = new Case(undefined);
    it.now = it.state.deadline!;
    expect(it.do({ type: 'clock', kind: 'deadline', ordinal: 0, generation: 2 })).toMatchObject({ stale: true, events: [] });
    expect(it.do({ type: 'clock', kind: 'level', ordinal: 0, generation: 1 })).toMatchObject({ stale: true, events: [] });
    it.ring('deadline');
    expect(it.do({ type: 'clock', kind: 'deadline', ordinal: 0, generation: 1 })).toMatchObject({ stale: true, events: [] });
  });

  it('keep their generation through events that do not move them', () => {
    const it = new Case({ reminders: [60] });
    it.after(1000).do({ type: 'comment', actor: alice, text: 'looking' });
    it.do({ type: 'claim', actor: alice });
    expect(it.state.clocks.map(({ kind, generation }) => [kind, generation])).toEqual([['deadline', 1], ['reminder', 1], ['claim', 3]]);
  });

  it('remind those who have not answered, naming who snoozed', () => {
    const it = new Case({ reminders: [60], quorum: 'all', assignees: { users: ['alice', 'bob', 'carol'] } });
    it.answer('alice', 'approve');
    it.do({ type: 'snooze', actor: person('bob'), until: START + HOUR });
    it.now = it.state.deadline! - 60_000;
    it.ring('reminder');
    expect(it.events.at(-1)).toMatchObject({ type: 'reminded', data: { cause: 'reminder', waiting_for: { users: ['bob', 'carol'], roles: [] }, snoozed: ['bob'] } });
    expect(it.do({ type: 'clock', kind: 'reminder', ordinal: 0, generation: 1 })).toMatchObject({ stale: true });
  });

  it('wake who snoozed, unless they have answered meanwhile', () => {
    const it = new Case({ quorum: 'all', assignees: { users: ['alice', 'bob'] } });
    it.do({ type: 'snooze', actor: person('bob'), until: START + 60_000 });
    it.do({ type: 'snooze', actor: alice, until: START + 30_000 });
    it.do({ type: 'snooze', actor: alice, until: START + 90_000 });
    expect(it.state.clocks.filter(({ kind }) => kind === 'snooze').map(({ ordinal, generation }) => [ordinal, generation])).toEqual([[0, 2], [1, 4]]);
    it.answer('bob', 'approve');
    it.after(90_000).ring('snooze', 1);
    expect(it.events.at(-1)).toMatchObject({ type: 'reminded', data: { cause: 'snooze', user_id: 'alice' } });
    expect(it.state.clocks.map(({ kind }) => kind)).toEqual(['deadline']);
  });

  it('of a later level that comes first takes the earlier ones with it', () => {
    const levels = [{ after_seconds: 60, assignees: { users: ['lead'] } }, { after_seconds: 120, assignees: { users: ['head'] } }];
    const it = new Case({ levels });
    it.after(120_000).ring('level', 1);
    expect(it.state).toMatchObject({ level: 2, electorate: { users: ['lead', 'head'], roles: ['reviewer'] } });
    expect(it.do({ type: 'clock', kind: 'level', ordinal: 0, generation: 1 })).toMatchObject({ stale: true });
  });
});
