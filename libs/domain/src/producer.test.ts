import { describe, expect, it } from 'vitest';
import { Case, HOUR, admin, person, producer } from '../test/fixtures.ts';
import type { Command } from './index.ts';

const DIGEST = 'sha256:0a1b';
const permit = (consumer_id = 'agent-1', action_digest = DIGEST): Command => ({ type: 'consume', actor: producer, consumer_id, action_digest });

describe('cancel', () => {
  it('ends it without a verdict, and again says the same', () => {
    const it = new Case(undefined);
    it.do({ type: 'cancel', actor: producer, detail: 'order withdrawn', superseded_by: 'hitl-2' });
    expect(it.state.outcome).toMatchObject({ state: 'cancelled', verdict: null, source: 'cancel', response: null, decided_by: [], detail: 'order withdrawn', superseded_by: 'hitl-2' });
    expect(it.state.clocks).toEqual([]);
    expect(it.do({ type: 'cancel', actor: producer })).toMatchObject({ repeat: true, events: [] });
  });

  it('comes too late after a decision, and is not for those who decide', () => {
    const it = new Case(undefined);
    expect(it.do({ type: 'cancel', actor: person('alice') }).refusal?.code).toBe('forbidden');
    it.answer('alice', 'approve');
    expect(it.do({ type: 'cancel', actor: producer }).refusal).toMatchObject({ code: 'already_settled', outcome: { verdict: 'approve' } });
  });
});

describe('revise', () => {
  it('shows other data in the form that rules allow, releases a claim, and keeps the deadline', () => {
    const it = new Case(undefined);
    const { deadline } = it.state;
    it.do({ type: 'claim', actor: person('alice') });
    it.after(1000).do({ type: 'revise', actor: producer, ui_schema: { fields: [{ name: 'note', type: 'text' }, { name: 'score', type: 'number', default: 1 }] } });
    expect(it.state).toMatchObject({ claim: null, deadline, revision: 2 });
    expect(it.state.clocks.map(({ kind }) => kind)).toEqual(['deadline']);
    expect(it.state.rules.ui_schema.fields).toEqual([
      { name: 'decision', type: 'radio', options: ['approve', 'reject', 'request_changes'], required: true },
      { name: 'note', type: 'text' },
      { name: 'score', type: 'number' },
    ]);
  });

  it('is refused without anything to revise, with a bad form, or by who decides', () => {
    const it = new Case(undefined);
    expect(it.do({ type: 'revise', actor: producer }).refusal?.code).toBe('invalid');
    expect(it.do({ type: 'revise', actor: producer, ui_schema: { fields: [{ name: 'timeout_applied', type: 'text' }] } }).refusal?.errors).toMatchObject([{ path: 'ui_schema.fields[0].name', code: 'reserved' }]);
    expect(it.do({ type: 'revise', actor: person('alice'), prompt: 'x' }).refusal?.code).toBe('forbidden');
    expect(it.state.seq).toBe(1);
  });
});

describe('consume', () => {
  const approved = (): Case => {
    const it = new Case({ action_digest: DIGEST });
    it.answer('alice', 'approve');
    return it;
  };

  it('hands out one permit, to one consumer, for one action', () => {
    const it = approved();
    const first = it.do(permit());
    expect(first).toMatchObject({ events: [{ type: 'consumed' }], reply: { status: 'consumed', consumer_id: 'agent-1', action_digest: DIGEST, verdict: 'approve', seq: 4 } });
    expect(it.state).toMatchObject({ status: 'completed', seq: 4, outcome: { seq: 3 } });
    const again = it.after(HOUR).do(permit());
    expect(again).toMatchObject({ repeat: true, events: [] });
    expect(again.reply).toEqual(first.reply);
    expect(it.do(permit('agent-2')).refusal).toMatchObject({ code: 'already_consumed', extra: { consumer_id: 'agent-1' } });
    expect(it.do(permit('agent-1', 'sha256:other')).refusal?.code).toBe('digest_mismatch');
  });

  it('refuses another action, people, and what was not approved', () => {
    expect(approved().do(permit('agent-1', 'sha256:other')).refusal?.code).toBe('digest_mismatch');
    expect(approved().do({ ...permit(), actor: person('alice') } as Command).refusal?.code).toBe('forbidden');
    const open = new Case({ action_digest: DIGEST });
    expect(open.do(permit()).refusal?.code).toBe('not_consumable');
    open.answer('alice', 'reject');
    expect(open.do(permit()).refusal?.code).toBe('not_consumable');
    const plain = new Case(undefined);
    plain.answer('alice', 'approve');
    expect(plain.do(permit()).refusal?.code).toBe('not_consumable');
    const expired = new Case({ action_digest: DIGEST });
    expired.after(HOUR).ring('deadline');
    expect(expired.do(permit()).refusal?.code).toBe('not_consumable');
    const cancelled = new Case({ action_digest: DIGEST });
    cancelled.do({ type: 'cancel', actor: admin });
    expect(cancelled.do(permit()).refusal?.code).toBe('not_consumable');
  });

  it('takes a timeout for an approval only where the request said so', () => {
    const it = new Case({ action_digest: DIGEST, default_action: 'approve' });
    expect(it.after(HOUR).do(permit()).refusal).toMatchObject({ code: 'deadline_passed', outcome: { verdict: 'approve', source: 'timeout' } });
    expect(it.do(permit()).events).toHaveLength(1);
    const other = new Case({ action_digest: DIGEST, default_action: 'reject' });
    other.after(HOUR).ring('deadline');
    expect(other.do(permit()).refusal?.code).toBe('not_consumable');
  });
});
