import type { Clock, ClockKind, Rules } from '@umpire/contract';
import { durationMs, isoOf, msOf } from './time.ts';
import type { ArmedClock } from './types.ts';

/**
 * Arms one timer. A timer that is armed for the same moment already keeps its generation, so that an event which does not move it
 * leaves the scheduler's row alone.
 */
export function arm(clocks: ArmedClock[], kind: ClockKind, ordinal: number, due_at: number, generation: number): ArmedClock[] {
  const known = clocks.find(clock => clock.kind === kind && clock.ordinal === ordinal);
  if (known?.due_at === due_at) return clocks;
  const rest = known ? clocks.filter(clock => clock !== known) : clocks;
  return [...rest, { kind, ordinal, due_at, generation }];
}

/** Disarms one timer, or with no ordinal every timer of its kind. */
export function disarm(clocks: ArmedClock[], kind: ClockKind, ordinal?: number): ArmedClock[] {
  return clocks.filter(clock => clock.kind !== kind || (ordinal !== undefined && clock.ordinal !== ordinal));
}

/**
 * The timers that follow from a deadline: the deadline, the reminders before it, and the levels that are still to come. One that
 * would ring at or after the deadline is not armed, except with `hold`, where life goes on after it; one that lies behind `from` is not either.
 */
export function armRound(clocks: ArmedClock[], rules: Rules, round: { opened_at: number; from: number; deadline: number; level: number }, generation: number): ArmedClock[] {
  const { opened_at, from, deadline, level } = round;
  let next = disarm(disarm(clocks, 'reminder'), 'deadline');
  next.push({ kind: 'deadline', ordinal: 0, due_at: deadline, generation });
  for (let i = 0; i < rules.reminders.length; i++) {
    const due = deadline - durationMs(rules.reminders[i]!);
    if (due > from) next.push({ kind: 'reminder', ordinal: i, due_at: due, generation });
  }
  for (let i = level; i < rules.levels.length; i++) {
    const due = opened_at + durationMs(rules.levels[i]!.after_seconds);
    if (due >= deadline && rules.on_timeout !== 'hold') continue;
    next = arm(next, 'level', i, due, generation);
  }
  return next;
}

export function clocksToWire(clocks: ArmedClock[]): Clock[] {
  return clocks.map(({ kind, ordinal, due_at, generation }) => ({ kind, ordinal, due_at: isoOf(due_at), generation }));
}

export function clocksFromWire(clocks: Clock[]): ArmedClock[] {
  return clocks.map(({ kind, ordinal, due_at, generation }) => ({ kind, ordinal, due_at: msOf(due_at), generation }));
}
