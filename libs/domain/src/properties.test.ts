import type { Interaction } from '@umpire/contract';
import { CLOCK_KINDS } from '@umpire/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Case, START, admin, frozen, person, producer } from '../test/fixtures.ts';
import { countedVotes, decide, evolve } from './index.ts';
import type { Command, Decision, DomainEvent, EscalationState } from './index.ts';

const PEOPLE = ['alice', 'bob', 'carol', 'dave', 'erin'];
const TERMINAL = ['resolved', 'expired', 'cancelled'];
const TIMEOUT = ['resolved', 'expired', 'overdue'];

const user = fc.constantFrom(...PEOPLE);
const users = fc.uniqueArray(user, { maxLength: 3 });
const actor = fc.oneof(
  { weight: 8, arbitrary: fc.record({ id: user, roles: fc.constantFrom<string[]>(['reviewer'], ['lead'], []), for: fc.option(user, { nil: undefined, freq: 6 }) }).map(({ id, roles, for: on_behalf_of }) => person(id, { roles, ...(on_behalf_of ? { on_behalf_of, delegator_roles: ['reviewer'] } : {}) })) },
  { weight: 1, arbitrary: fc.constant(producer) },
  { weight: 1, arbitrary: fc.constant(admin) },
);
const electorate = fc.record({ users, roles: fc.constantFrom<string[]>([], [], [], ['lead']) });
const verdict = fc.constantFrom('approve', 'reject', 'request_changes', 'abstain', 'nonsense');
const input = fc.record({ decision: verdict, refined_result: fc.constantFrom('x', 'y'), continue_refining: fc.boolean() });
const instant = fc.integer({ min: -1, max: 150_000 }).map(ms => START + ms);

const request: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('respond' as const), actor, user_input: input, revision: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined, freq: 3 }) }) },
  fc.record({ type: fc.constant('claim' as const), actor, seconds: fc.constantFrom(1, 30, 900) }),
  fc.record({ type: fc.constant('release' as const), actor }),
  fc.record({ type: fc.constant('reassign' as const), actor, from: fc.option(user, { nil: undefined }), to: electorate }),
  fc.record({ type: fc.constant('delegate' as const), actor, to: fc.option(user, { freq: 5 }), until: fc.option(instant, { nil: undefined }) }),
  fc.record({ type: fc.constant('raise' as const), actor, to: fc.option(electorate, { nil: undefined }) }),
  fc.record({ type: fc.constant('snooze' as const), actor, until: instant }),
  fc.record({ type: fc.constant('comment' as const), actor, text: fc.constantFrom('hm', '') }),
  fc.record({ type: fc.constant('cancel' as const), actor: fc.constantFrom(producer, admin, person('alice')) }),
  fc.record({ type: fc.constant('revise' as const), actor: fc.constantFrom(producer, person('alice')), prompt: fc.constantFrom('a', 'b') }),
  { weight: 3, arbitrary: fc.record({ type: fc.constant('consume' as const), actor: fc.constantFrom(producer, producer, person('alice')), consumer_id: fc.constantFrom('one', 'two'), action_digest: fc.constantFrom('d', 'd', 'e') }) },
);

/** A step: some time passes, then a command, or one of the armed clocks (or one that was never armed) rings. */
type Step = { wait: number; command: Command } | { wait: number; clock: number };
const wait = fc.constantFrom(0, 0, 1, 1000, 30_000, 59_999, 60_000);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ wait, command: request }) },
  { weight: 2, arbitrary: fc.record({ wait, clock: fc.nat({ max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ wait, command: fc.record({ type: fc.constant('clock' as const), kind: fc.constantFrom(...CLOCK_KINDS), ordinal: fc.nat({ max: 2 }), generation: fc.integer({ min: 1, max: 9 }) }) }) },
);

const shape: fc.Arbitrary<Interaction> = fc
  .record({
    quorum: fc.constantFrom<NonNullable<Interaction['quorum']>>('any', 'all', 'majority', 'consensus', { at_least: 2 }),
    veto: fc.constantFrom<string[]>([], [], ['bob']),
    timeout: fc.constantFrom<Interaction>({}, { on_timeout: 'hold' }, { default_action: 'reject' }, { default_action: 'approve' }),
    exclude: fc.constantFrom<string[]>([], ['carol']),
    levels: fc.constantFrom<NonNullable<Interaction['levels']>>([], [{ after_seconds: 30, assignees: { users: ['dave', 'carol'] } }, { after_seconds: 45, assignees: { users: ['erin'] } }]),
    refinement: fc.boolean(),
    overRole: fc.boolean(),
  })
  .map(({ quorum, veto, timeout, refinement, overRole, ...rest }) => {
    const common = { ...rest, timeout_seconds: 60, reminders: [30, 10], action_digest: 'd' };
    if (refinement) return { ...common, pattern: 'refinement', max_iterations: 3, ...(timeout.on_timeout ? timeout : {}) };
    const uncounted = overRole && (quorum === 'any' || typeof quorum === 'object');
    return { ...common, ...timeout, quorum, veto, options: ['approve', 'reject', 'request_changes', 'abstain'], assignees: uncounted ? { roles: ['reviewer'] } : { users: ['alice', 'bob', 'carol'] } };
  });

const run = fc.record({ interaction: shape, steps: fc.array(step, { maxLength: 25 }) });

/** Runs the steps, handing each decision with the state and moment it was made at to `look`. */
function play({ interaction, steps }: { interaction: Interaction; steps: Step[] }, look: (seen: { before: EscalationState; command: Command; now: number; decision: Decision; it: Case }) => void): Case {
  const it = new Case(interaction);
  for (const next of steps) {
    it.after(next.wait);
    const armed = 'clock' in next ? it.state.clocks[next.clock % Math.max(1, it.state.clocks.length)] : undefined;
    if ('clock' in next && !armed) continue;
    const command: Command = armed ? { type: 'clock', kind: armed.kind, ordinal: armed.ordinal, generation: armed.generation } : (next as { command: Command }).command;
    const before = it.state;
    look({ before, command, now: it.now, decision: it.do(frozen(command)), it });
  }
  return it;
}

function property(name: string, look: Parameters<typeof play>[1], after: (it: Case) => void = () => undefined): void {
  it(name, () => {
    fc.assert(fc.property(run, script => after(play(script, look))), { numRuns: 600 });
  });
}

const typesOf = (events: DomainEvent[]): string[] => events.map(({ type }) => type);
const timeoutOf = (state: EscalationState): boolean => state.status === 'pending' && !state.overdue && state.deadline !== null;

describe('whatever happens, in whatever order', () => {
  property('there is at most one outcome, one permit, and nothing but the permit after settlement', () => undefined, ({ events, state }) => {
    const types = typesOf(events);
    const end = types.findIndex(type => TERMINAL.includes(type));
    expect(types.filter(type => TERMINAL.includes(type))).toHaveLength(end < 0 ? 0 : 1);
    expect(state.status === 'pending').toBe(end < 0);
    if (end >= 0) {
      expect(types.slice(end + 1).filter(type => type !== 'consumed')).toEqual([]);
      expect(types.filter(type => type === 'consumed').length).toBeLessThanOrEqual(1);
      expect(state.outcome).toEqual(events[end]!.data.outcome);
      expect(state.outcome!.seq).toBe(end + 1);
    }
  });

  property('the state is the fold of its events, and the fold of any prefix plus the rest', () => undefined, ({ events, state }) => {
    const half = Math.floor(events.length / 2);
    const stored = JSON.parse(JSON.stringify(events.slice(0, half + 1).reduce<EscalationState | null>(evolve, null))) as EscalationState;
    expect(events.slice(half + 1).reduce<EscalationState>(evolve, stored)).toEqual(JSON.parse(JSON.stringify(state)));
  });

  property('a refusal changes nothing but a due timeout', ({ before, now, decision }) => {
    if (!decision.refusal && !decision.repeat && !decision.stale && decision.retry_at === undefined) return;
    const due = timeoutOf(before) && now >= before.deadline!;
    expect(typesOf(decision.events).filter(type => !(due && TIMEOUT.includes(type)))).toEqual([]);
    expect(decision.events.length).toBeLessThanOrEqual(1);
    if (!decision.events.length) expect(decision.state).toBe(before);
  });

  property('no command at or after the deadline beats it, unless the request holds', ({ before, now, decision, command }) => {
    if (!timeoutOf(before) || now < before.deadline!) return;
    if (decision.stale && !decision.events.length) return;
    expect(decision.events[0]?.actor.kind).toBe('clock');
    expect(TIMEOUT).toContain(decision.events[0]!.type);
    if (before.rules.on_timeout === 'hold') return;
    expect(decision.events).toHaveLength(1);
    expect(decision.state.outcome).toMatchObject({ source: 'timeout', timeout_applied: true, decided_by: [] });
    if (command.type !== 'clock' && !decision.repeat) expect(decision.refusal).toMatchObject({ code: 'deadline_passed', outcome: decision.state.outcome });
  });

  property('nobody who is late is told anything but the real outcome', ({ before, command, decision }) => {
    if (before.status === 'pending' || command.type === 'clock' || command.type === 'consume' || decision.repeat) return;
    expect(decision).toMatchObject({ events: [], refusal: { code: 'already_settled', outcome: before.outcome } });
  });

  property('nobody votes twice, nobody excluded votes, and every voter had a seat', ({ it: { state } }) => {
    const counted = countedVotes(state);
    expect(new Set(counted.map(vote => vote.user_id)).size).toBe(counted.length);
    expect(new Set(state.votes.map(vote => vote.seat)).size).toBe(state.votes.length);
    for (const { user_id, seat } of state.votes) {
      expect(state.excluded).not.toContain(user_id);
      expect(state.excluded).not.toContain(seat);
    }
    expect(state.electorate.users.filter(member => state.excluded.includes(member))).toEqual([]);
  });

  property('clocks: a pending one has its deadline or is overdue, a settled one has none, none is armed twice or from the future', ({ it: { state } }) => {
    if (state.status !== 'pending') expect(state.clocks).toEqual([]);
    else expect(state.clocks.filter(({ kind }) => kind === 'deadline').map(({ due_at }) => due_at)).toEqual(state.overdue ? [] : [state.deadline]);
    expect(new Set(state.clocks.map(({ kind, ordinal }) => `${kind} ${ordinal}`)).size).toBe(state.clocks.length);
    expect(state.clocks.filter(({ generation }) => generation < 1 || generation > state.seq)).toEqual([]);
  });

  property('a clock keeps its generation unless it is moved', ({ before, decision }) => {
    for (const clock of decision.state.clocks) {
      const earlier = before.clocks.find(({ kind, ordinal }) => kind === clock.kind && ordinal === clock.ordinal);
      if (earlier?.due_at === clock.due_at && !typesOf(decision.events).includes('iterated')) expect(clock.generation).toBe(earlier.generation);
      if (!earlier || earlier.due_at !== clock.due_at) expect(clock.generation).toBeGreaterThan(before.seq);
    }
  });

  property('the same clock does something at most once', ({ before, command, now, decision, it: played }) => {
    if (command.type !== 'clock' || decision.stale || decision.retry_at !== undefined) return;
    expect(decision.events.length).toBeGreaterThan(0);
    expect(decide(played.state, command, now)).toMatchObject({ stale: true, events: [] });
    expect(before.clocks.find(({ kind, ordinal }) => kind === command.kind && ordinal === command.ordinal)!.due_at).toBeLessThanOrEqual(now);
  });

  property('an accepted answer said again is a repeat with the first reply', ({ command, now, decision, it: played }) => {
    if (command.type !== 'respond' || decision.refusal || decision.repeat) return;
    const { revision: _seen, ...again } = command;
    expect(decide(played.state, again, now)).toMatchObject({ repeat: true, events: [], reply: decision.reply });
  });

  property('revision never falls, and only data, form, round and electorate raise it', ({ before, decision }) => {
    const raising = ['revised', 'iterated', 'reassigned', 'delegated', 'raised'];
    const rise = decision.state.revision - before.revision;
    expect(rise === 0 || (rise === 1 && typesOf(decision.events).some(type => raising.includes(type)))).toBe(true);
  });

  property('what is approved was approved by a person, or by a default that the request named', () => undefined, ({ state }) => {
    if (state.outcome?.verdict !== 'approve') return;
    if (state.outcome.source === 'timeout') expect(state.rules.default_action).toBe('approve');
    else expect(state.outcome.votes.filter(vote => vote.verdict === 'approve').map(vote => vote.user_id)).toEqual(expect.arrayContaining(state.outcome.decided_by));
  });
});

describe('the random scripts', () => {
  it('reach every event and every way to end, so that the properties mean something', () => {
    const seen = new Set<string>();
    const codes = new Set<string>();
    for (const script of fc.sample(run, { numRuns: 3000, seed: 7 })) {
      const it = play(script, ({ decision }) => {
        if (decision.refusal) codes.add(decision.refusal.code);
        if (decision.repeat) codes.add('repeat');
      });
      it.events.forEach(({ type, data }) => seen.add(TERMINAL.includes(type) ? `${type} ${(data.outcome as { source: string }).source}` : type));
    }
    expect([...seen].sort()).toEqual([
      'cancelled cancel', 'claimed', 'commented', 'consumed', 'delegated', 'expired timeout', 'iterated', 'opened', 'overdue', 'raised', 'reassigned', 'released', 'reminded',
      'resolved human', 'resolved timeout', 'responded', 'revised', 'snoozed',
    ]);
    expect([...codes].sort()).toEqual([
      'already_answered', 'already_consumed', 'already_settled', 'claimed_by_other', 'conflict', 'deadline_passed', 'digest_mismatch', 'forbidden', 'four_eyes', 'invalid',
      'not_claimed', 'not_consumable', 'not_eligible', 'repeat', 'stale_revision',
    ]);
  });
});
