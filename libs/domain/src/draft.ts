import type { EventType } from '@umpire/contract';
import { clocksToWire } from './clocks.ts';
import { evolve } from './evolve.ts';
import type { Actor, ArmedClock, Decision, DomainEvent, EscalationState, Refusal } from './types.ts';

/** Actor of what a clock brings about, whoever's command found that it was due. */
export const CLOCK: Actor = { kind: 'clock', id: 'clock', user_id: null, roles: [], auth: 'none' };

/** A decision in the making: each event is folded at once, so that the next rule sees the state after it. */
export type Draft = { state: EscalationState; events: DomainEvent[]; now: number };

/** @param clocks the set after this event; the present one if it does not move any. */
export function emit(draft: Draft, type: EventType, actor: Actor, data: Record<string, unknown>, clocks: ArmedClock[] = draft.state.clocks): void {
  const event: DomainEvent = { type, at: draft.now, actor, data: { ...data, clocks: clocksToWire(clocks) } };
  draft.events.push(event);
  draft.state = evolve(draft.state, event);
}

/** Seq of the event that is emitted next: the generation of what it arms. */
export function nextSeq(draft: Draft): number {
  return draft.state.seq + 1;
}

export function done(draft: Draft, more: Partial<Decision> = {}): Decision {
  return { events: draft.events, state: draft.state, ...more };
}

export function refused(draft: Draft, refusal: Refusal): Decision {
  return { events: draft.events, state: draft.state, refusal };
}
