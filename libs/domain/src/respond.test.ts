import { describe, expect, it } from 'vitest';
import { Case, HOUR, admin, person, producer } from '../test/fixtures.ts';

const ALL = { quorum: 'all' as const, assignees: { users: ['alice', 'bob'] }, options: ['approve', 'reject'] };

describe('an answer', () => {
  it('completes with its response, keeps what the form does not know apart, and records who and how', () => {
    const it = new Case(undefined, { pipeline_name: 'loans', step_name: 'check' });
    const decision = it.answer('alice', { decision: 'request_changes', feedback: 'why?', timeout_applied: true, source: 'timeout', __proto__x: 1 });
    expect(it.types()).toEqual(['opened', 'responded', 'resolved']);
    expect(it.events[1]).toMatchObject({ actor: { user_id: 'alice', auth: 'api_key' }, data: { user_id: 'alice', unknown: { timeout_applied: true, source: 'timeout', __proto__x: 1 } } });
    expect(it.state.outcome).toEqual({
      schema_version: '1.0',
      namespace: 'default',
      request_id: 'hitl-Übung 7',
      reason: 'hard_disagreement',
      pipeline_name: 'loans',
      step_name: 'check',
      state: 'completed',
      verdict: 'request_changes',
      source: 'human',
      response: { decision: 'request_changes', feedback: 'why?' },
      timeout_applied: false,
      votes: [{ user_id: 'alice', verdict: 'request_changes', at: '2026-01-15T10:30:00.000Z' }],
      decided_by: ['alice'],
      decided_at: '2026-01-15T10:30:00.000Z',
      iterations: 1,
      seq: 3,
    });
    expect(decision.reply).toEqual({ state: 'completed', seq: 3, revision: 1, outcome: it.state.outcome });
    expect(it.state.clocks).toEqual([]);
  });

  it('that does not fit the form is refused with every field, and changes nothing', () => {
    const it = new Case({ pattern: 'timed_decision' });
    const decision = it.answer('alice', { decision: 'maybe', urgency_acknowledged: false });
    expect(decision).toMatchObject({ events: [], refusal: { code: 'invalid' } });
    expect(decision.refusal!.errors!.map(({ path, code }) => [path, code])).toEqual([['user_input.decision', 'option'], ['user_input.urgency_acknowledged', 'must_be_true']]);
  });

  it.each([producer, admin, { ...producer, kind: 'clock' as const }])('is not given by a $kind', actor => {
    const it = new Case(undefined);
    expect(it.do({ type: 'respond', actor, user_input: { decision: 'approve' } }).refusal?.code).toBe('forbidden');
  });

  it('of an administrator counts where they have a seat, and only there', () => {
    const seated = { ...admin, user_id: 'root' };
    expect(new Case({ assignees: { users: ['alice'] } }).do({ type: 'respond', actor: seated, user_input: { decision: 'approve' } }).refusal?.code).toBe('not_eligible');
    expect(new Case({ assignees: { users: ['root'] } }).do({ type: 'respond', actor: seated, user_input: { decision: 'approve' } }).refusal).toBeUndefined();
  });

  it('of a stranger is refused', () => {
    const it = new Case({ assignees: { users: ['alice'], roles: ['lead'] } });
    expect(it.answer('mallory', 'approve').refusal?.code).toBe('not_eligible');
    expect(it.answer('lena', 'approve', { actor: { roles: ['reviewer', 'lead'] } }).refusal).toBeUndefined();
  });

  it('can be changed while it is open, and only the last one counts', () => {
    const it = new Case({ ...ALL, quorum: 'consensus' });
    it.answer('alice', 'approve');
    const changed = it.after(1000).answer('alice', 'reject');
    expect(changed.events).toMatchObject([{ type: 'responded', data: { changed_from: 'approve', verdict: 'reject' } }]);
    it.answer('bob', 'reject');
    expect(it.state.outcome).toMatchObject({ verdict: 'reject', votes: [{ user_id: 'alice', verdict: 'reject' }, { user_id: 'bob', verdict: 'reject' }] });
  });
});

describe('the same answer again', () => {
  it('is told the same, before and after others settle it', () => {
    const it = new Case(ALL);
    const first = it.answer('alice', { decision: 'approve', feedback: 'ok' });
    expect(first.reply).toEqual({ state: 'pending', seq: 2, revision: 1 });
    expect(it.after(5).answer('alice', { feedback: 'ok', decision: 'approve' })).toMatchObject({ repeat: true, reply: first.reply, events: [] });
    const settling = it.answer('bob', 'approve');
    expect(settling.reply).toMatchObject({ state: 'completed', seq: 4, outcome: { verdict: 'approve' } });
    expect(it.answer('alice', { feedback: 'ok', decision: 'approve' })).toMatchObject({ repeat: true, reply: first.reply, events: [] });
    expect(it.answer('bob', 'approve')).toMatchObject({ repeat: true, reply: settling.reply, events: [] });
  });

  it('is a changed vote if anything in it differs', () => {
    const it = new Case(ALL);
    it.answer('alice', 'approve');
    expect(it.answer('alice', { decision: 'approve', feedback: 'on reflection' }).events).toHaveLength(1);
    expect(it.answer('alice', 'approve').events).toHaveLength(1);
  });

  it('by someone else is late, with the real outcome', () => {
    const it = new Case(undefined);
    it.answer('alice', 'approve');
    const late = it.answer('bob', 'approve');
    expect(late).toMatchObject({ events: [], refusal: { code: 'already_settled', outcome: { decided_by: ['alice'] } } });
    expect(it.answer('alice', 'reject').refusal).toMatchObject({ code: 'already_settled', outcome: { verdict: 'approve' } });
  });
});

describe('what-you-saw', () => {
  it('refuses an answer to another revision, naming the present one', () => {
    const it = new Case(undefined);
    it.do({ type: 'revise', actor: producer, review_data: { content: 'second draft' } });
    expect(it.answer('alice', 'approve', { revision: 1 }).refusal).toMatchObject({ code: 'stale_revision', extra: { revision: 2 } });
    expect(it.answer('alice', 'approve', { revision: 3 }).refusal?.code).toBe('stale_revision');
    expect(it.answer('alice', 'approve', { revision: 2 }).refusal).toBeUndefined();
  });

  it('sets votes on the older data aside, and does not take a retry for a vote on the new', () => {
    const it = new Case(ALL);
    it.answer('alice', 'approve');
    it.do({ type: 'revise', actor: producer, prompt: 'Is the second draft fine?' });
    it.answer('bob', 'approve');
    expect(it.state.status).toBe('pending');
    expect(it.answer('alice', 'approve').refusal?.code).toBe('stale_revision');
    it.answer('alice', 'approve', { revision: 2 });
    expect(it.state.outcome).toMatchObject({ verdict: 'approve', decided_by: ['bob', 'alice'] });
  });

  it('rises with form, data and electorate, and with nothing else', () => {
    const it = new Case({ levels: [{ after_seconds: 60, assignees: { users: ['lead'] } }, { after_seconds: 90, assignees: { users: ['lead'] } }] });
    const alice = person('alice');
    it.do({ type: 'comment', actor: alice, text: 'hm' });
    it.do({ type: 'claim', actor: alice });
    it.do({ type: 'release', actor: alice });
    it.do({ type: 'snooze', actor: alice, until: it.now + 1000 });
    expect(it.state.revision).toBe(1);
    it.do({ type: 'delegate', actor: alice, to: 'dave' });
    expect(it.state.revision).toBe(2);
    it.do({ type: 'raise', actor: alice });
    expect(it.state.revision).toBe(3);
    it.do({ type: 'raise', actor: alice });
    expect(it.state.revision).toBe(3);
    it.do({ type: 'reassign', actor: admin, to: { users: ['bob'], roles: [] } });
    expect(it.state.revision).toBe(4);
    it.do({ type: 'revise', actor: producer, ui_schema: { fields: [{ name: 'note', type: 'text' }] } });
    expect(it.state.revision).toBe(5);
  });
});

describe('refinement', () => {
  const round = (refined_result: string, continue_refining: boolean): Record<string, unknown> => ({ refined_result, continue_refining });

  it('counts its rounds itself, restarts the deadline and starts the next from the last answer', () => {
    const it = new Case({ pattern: 'refinement', timeout_seconds: 600, reminders: [60] }, { payload_facts: { current_result: { draft: 1 } } });
    expect(it.state.current_result).toEqual({ draft: 1 });
    it.after(300_000).answer('alice', { ...round('two', true), iteration: 99 });
    expect(it.types()).toEqual(['opened', 'responded', 'iterated']);
    expect(it.state).toMatchObject({ status: 'pending', iteration: 2, revision: 2, current_result: 'two', deadline: it.now + 600_000, votes: [] });
    expect(it.state.clocks.map(({ kind, due_at, generation }) => [kind, due_at - it.now, generation])).toEqual([['deadline', 600_000, 3], ['reminder', 540_000, 3]]);
    it.after(1000).answer('bob', round('three', false));
    expect(it.state.outcome).toMatchObject({ state: 'completed', verdict: 'submitted', iterations: 2, response: { refined_result: 'three' }, decided_by: ['bob'] });
    expect(it.state.outcome).not.toHaveProperty('max_iterations_reached');
    expect(it.state.history.map(({ iteration, user_id }) => [iteration, user_id])).toEqual([[1, 'alice'], [2, 'bob']]);
  });

  it('ends when a human wants another round and there is none', () => {
    const it = new Case({ pattern: 'refinement', max_iterations: 2 });
    it.answer('alice', round('two', true));
    it.answer('alice', round('three', true));
    expect(it.state.outcome).toMatchObject({ state: 'completed', iterations: 2, max_iterations_reached: true, response: { refined_result: 'three' } });
  });

  it('takes a retry for the round it finished, and a new answer where the revision is named', () => {
    const it = new Case({ pattern: 'refinement' });
    const first = it.answer('alice', round('two', true));
    expect(first.reply).toEqual({ state: 'pending', seq: 3, revision: 2 });
    expect(it.answer('alice', round('two', true), { revision: 1 })).toMatchObject({ repeat: true, reply: first.reply, events: [] });
    expect(it.answer('alice', round('two', true))).toMatchObject({ repeat: true, reply: first.reply, events: [] });
    it.answer('alice', round('two', true), { revision: 2 });
    expect(it.state.iteration).toBe(3);
  });

  it('lets the producer put another result before the next round', () => {
    const it = new Case({ pattern: 'refinement' });
    it.answer('alice', round('two', true));
    const { deadline } = it.state;
    it.after(1000).do({ type: 'revise', actor: producer, current_result: 'two, reworked' });
    expect(it.state).toMatchObject({ current_result: 'two, reworked', revision: 3, iteration: 2, deadline });
  });

  it('goes on after an overdue round with a deadline of its own', () => {
    const it = new Case({ pattern: 'refinement', on_timeout: 'hold' });
    it.after(HOUR).answer('alice', round('two', true));
    expect(it.state).toMatchObject({ overdue: false, iteration: 2, deadline: it.now + HOUR });
    it.after(HOUR).ring('deadline');
    expect(it.state.overdue).toBe(true);
  });

  it('expires in the round where nobody answers', () => {
    const it = new Case({ pattern: 'refinement' });
    it.answer('alice', round('two', true));
    it.after(HOUR).ring('deadline');
    expect(it.state.outcome).toMatchObject({ state: 'expired', verdict: null, iterations: 2, votes: [] });
  });
});
