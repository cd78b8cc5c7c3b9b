import { arm, disarm } from './clocks.ts';
import { done, emit, nextSeq, refused } from './draft.ts';
import type { Draft } from './draft.ts';
import { activeClaim, seatOf } from './eligibility.ts';
import { durationMs, isoOf } from './time.ts';
import type { CommandOf, Decision, Refusal } from './types.ts';

/** How long a claim lasts unless it says so, and at most. Seconds. */
export const CLAIM_SECONDS = { default: 900, max: 24 * 3600 } as const;
const COMMENT_LENGTH = 16_384;

/**
 * Takes the question for oneself for a while. Under quorum `any` others cannot answer meanwhile; under the others, where everyone
 * is to answer, it only shows who is at it, and the latest shows. Claiming again extends it.
 */
export function claim(draft: Draft, { actor, seconds = CLAIM_SECONDS.default }: CommandOf<'claim'>): Decision {
  const { state, now } = draft;
  const found = seatOf(state, actor, now);
  if (!found.ok) return refused(draft, found.refusal);
  if (!(seconds > 0 && seconds <= CLAIM_SECONDS.max)) return refused(draft, invalid('seconds', 'range', `must be above 0 and at most ${CLAIM_SECONDS.max}`));
  const held = activeClaim(state, now);
  if (held && held.user_id !== found.seat.user_id && state.rules.quorum === 'any') {
    const until = isoOf(held.until);
    return refused(draft, { code: 'claimed_by_other', detail: `${held.user_id} is working on this until ${until}`, extra: { claimed_by: held.user_id, claimed_until: until } });
  }
  const until = now + durationMs(seconds);
  emit(draft, 'claimed', actor, { ...found.seat, until: isoOf(until) }, arm(state.clocks, 'claim', 0, until, nextSeq(draft)));
  return done(draft);
}

/** Gives a claim back: its holder, or an administrator. */
export function release(draft: Draft, { actor }: CommandOf<'release'>): Decision {
  const { state, now } = draft;
  const held = activeClaim(state, now);
  if (!held) return refused(draft, { code: 'not_claimed', detail: 'nobody holds a claim on this' });
  if (actor.kind !== 'admin' && actor.user_id !== held.user_id) {
    return refused(draft, { code: 'claimed_by_other', detail: `the claim is ${held.user_id}'s`, extra: { claimed_by: held.user_id, claimed_until: isoOf(held.until) } });
  }
  emit(draft, 'released', actor, { user_id: held.user_id, cause: 'hand' }, disarm(state.clocks, 'claim'));
  return done(draft);
}

/** Stops reminding one person until `until` (ms), then reminds them. It moves nothing else, the deadline least of all. */
export function snooze(draft: Draft, { actor, until }: CommandOf<'snooze'>): Decision {
  const { state, now } = draft;
  const found = seatOf(state, actor, now);
  if (!found.ok) return refused(draft, found.refusal);
  if (!Number.isSafeInteger(until) || until <= now) return refused(draft, invalid('until', 'past', 'must lie in the future'));
  const { user_id } = found.seat;
  const ordinal = state.snoozes.find(other => other.user_id === user_id)?.ordinal ?? state.snoozes.length;
  emit(draft, 'snoozed', actor, { user_id, ordinal, until: isoOf(until) }, arm(state.clocks, 'snooze', ordinal, until, nextSeq(draft)));
  return done(draft);
}

/** A remark on the record by anyone who may read this. It decides nothing. */
export function comment(draft: Draft, { actor, text }: CommandOf<'comment'>): Decision {
  const length = [...text].length;
  if (text.trim() === '') return refused(draft, invalid('text', 'required', 'must not be empty'));
  if (length > COMMENT_LENGTH) return refused(draft, invalid('text', 'max_length', `must have at most ${COMMENT_LENGTH} characters`));
  emit(draft, 'commented', actor, { user_id: actor.user_id, text });
  return done(draft);
}

export function invalid(path: string, code: string, message: string): Refusal {
  return { code: 'invalid', detail: `${path} ${message}`, errors: [{ path, code, message }] };
}
