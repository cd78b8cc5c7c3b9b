import { done, refused } from './draft.ts';
import type { Draft } from './draft.ts';
import { delegate, raise, reassign } from './electorate.ts';
import { claim, comment, release, snooze } from './people.ts';
import { cancel, consume, revise } from './producer.ts';
import { repeated, respond } from './respond.ts';
import { ring } from './ring.ts';
import { applyTimeout, timeoutDue } from './settle.ts';
import type { Command, Decision, EscalationState } from './types.ts';

/** Everything but a clock, which has its own rule for lateness. */
type Request = Exclude<Command, { type: 'clock' }>;

/**
 * Every change to an escalation. Called with the state of the very row that is changed, and `now` (ms) taken with or after it, so that
 * of commands that race the one that is saved first decides, and each loser learns the real outcome. The state handed in is not changed.
 *
 * The deadline is part of the rule: at or after it whatever comes first applies the timeout, and is refused unless the request holds.
 */
export function decide(state: EscalationState, command: Command, now: number): Decision {
  const draft: Draft = { state, events: [], now };
  if (command.type === 'clock') return ring(draft, command);
  if (state.status !== 'pending') return afterSettlement(draft, command);
  if (timeoutDue(state, now)) {
    const reply = command.type === 'respond' ? repeated(state, command, now) : null;
    applyTimeout(draft);
    const { outcome } = draft.state;
    if (outcome && reply) return done(draft, { repeat: true, reply });
    if (outcome) return refused(draft, { code: 'deadline_passed', detail: 'the deadline had passed before this arrived', outcome });
  }
  return whilePending(draft, command);
}

/** Nothing is decided any more. Retries are answered as the first time, a permit can be fetched, everyone else learns the outcome. */
function afterSettlement(draft: Draft, command: Request): Decision {
  const { state } = draft;
  if (command.type === 'consume') return consume(draft, command);
  if (command.type === 'respond') {
    const reply = repeated(state, command, draft.now);
    if (reply) return done(draft, { repeat: true, reply });
  }
  if (command.type === 'cancel' && state.status === 'cancelled' && command.actor.kind !== 'user') return done(draft, { repeat: true });
  return refused(draft, { code: 'already_settled', detail: `this is ${state.status} already`, outcome: state.outcome ?? undefined });
}

function whilePending(draft: Draft, command: Request): Decision {
  switch (command.type) {
    case 'respond':
      return respond(draft, command);
    case 'claim':
      return claim(draft, command);
    case 'release':
      return release(draft, command);
    case 'reassign':
      return reassign(draft, command);
    case 'delegate':
      return delegate(draft, command);
    case 'raise':
      return raise(draft, command);
    case 'snooze':
      return snooze(draft, command);
    case 'comment':
      return comment(draft, command);
    case 'cancel':
      return cancel(draft, command);
    case 'revise':
      return revise(draft, command);
    case 'consume':
      return consume(draft, command);
  }
}
