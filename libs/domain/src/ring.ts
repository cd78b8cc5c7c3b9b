import { disarm } from './clocks.ts';
import { CLOCK, done, emit } from './draft.ts';
import type { Draft } from './draft.ts';
import { raiseTo } from './electorate.ts';
import { waitingFor } from './quorum.ts';
import { applyTimeout, timeoutDue } from './settle.ts';
import type { ArmedClock, CommandOf, Decision } from './types.ts';

/**
 * A clock asks. It is stale unless it is armed under exactly this generation; before its time it is told when to come again. If the
 * deadline has come, that goes first whichever clock asked.
 */
export function ring(draft: Draft, { kind, ordinal, generation }: CommandOf<'clock'>): Decision {
  const { state, now } = draft;
  const clock = state.clocks.find(other => other.kind === kind && other.ordinal === ordinal && other.generation === generation);
  if (!clock || state.status !== 'pending') return done(draft, { stale: true });
  if (timeoutDue(state, now)) {
    applyTimeout(draft);
    if (draft.state.status !== 'pending') return done(draft, kind === 'deadline' ? {} : { stale: true });
  }
  if (now < clock.due_at) return done(draft, { retry_at: clock.due_at });
  if (kind !== 'deadline') fire(draft, clock);
  return done(draft);
}

function fire(draft: Draft, clock: ArmedClock): void {
  const { state, now } = draft;
  const rest = disarm(state.clocks, clock.kind, clock.ordinal);
  switch (clock.kind) {
    case 'reminder':
      emit(draft, 'reminded', CLOCK, { cause: 'reminder', ordinal: clock.ordinal, waiting_for: waitingFor(state), snoozed: state.snoozes.filter(({ until }) => now < until).map(({ user_id }) => user_id) }, rest);
      break;
    case 'snooze':
      emit(draft, 'reminded', CLOCK, { cause: 'snooze', ordinal: clock.ordinal, user_id: state.snoozes.find(({ ordinal }) => ordinal === clock.ordinal)?.user_id ?? null }, rest);
      break;
    case 'level':
      raiseTo(draft, CLOCK, clock.ordinal + 1, { cause: 'clock' });
      break;
    case 'claim':
      emit(draft, 'released', CLOCK, { user_id: state.claim?.user_id ?? null, cause: 'expired' }, rest);
      break;
    case 'delegation':
      endDelegation(draft, clock.ordinal, rest);
      break;
    case 'deadline':
      break;
  }
}

function endDelegation(draft: Draft, ordinal: number, clocks: ArmedClock[]): void {
  const { state } = draft;
  const from = state.delegations.find(delegation => delegation.ordinal === ordinal)?.from ?? null;
  emit(draft, 'delegated', CLOCK, { from, ended: [ordinal], cause: 'expired', revision: state.revision + 1 }, clocks);
}
