import type { HistoryItem, Rules } from '@umpire/contract';
import { decide, evolve, openEscalation, type Command, type Decision, type Electorate, type EscalationState } from '@umpire/domain';

/** How an escalation went, or would have gone. `asked`: everybody who was, those who joined by a raise included. */
export type Course = {
  policy: { id: string; version: number } | null;
  asked: Electorate;
  level: number;
  state: string;
  source: 'human' | 'timeout' | 'cancel' | null;
  verdict: string | null;
  ended_at: string | null;
};

export type Rerun = {
  course: Course;
  /** Answers that were given then and would not have been taken: by code. */
  refused: string[];
};

const PRODUCER = { kind: 'producer', id: 'replay', user_id: null, roles: ['producer'], auth: 'service' } as const;

export function recordedCourse({ policy, electorate, level, status, outcome }: HistoryItem): Course {
  return { policy, asked: electorate, level, state: status, source: outcome?.source ?? null, verdict: outcome?.verdict ?? null, ended_at: outcome?.decided_at ?? null };
}

/**
 * Runs an escalation under other rules, from its opening, on a clock that jumps from one thing that happens to the next: its own
 * timers, the answers that people gave then at the times at which they gave them, and a cancel. Nobody answers who did not answer then.
 * @param expand users, groups and roles as people; `now` where the record ends, ms
 */
export function rerun(item: HistoryItem, rules: Rules, policy: Course['policy'], expand: (assignees: Rules['assignees']) => Electorate, now: number): Rerun {
  const own = new Set([...item.rules.exclude, ...(item.rules.requested_by === undefined ? [] : [item.rules.requested_by])]);
  const input = {
    namespace: 'replay', request_id: item.request_id, reason: item.reason, kind: item.kind, rules, policy, electorate: expand(rules.assignees),
    levels: rules.levels.map(({ assignees }) => expand(assignees)), earlier_responders: item.excluded.filter((user) => !own.has(user)),
  };
  let state = evolve(null, openEscalation(input, Date.parse(item.opened_at)));
  const refused: string[] = [];
  const left = happenings(item);
  while (state.status === 'pending') {
    const clock = soonest(state);
    const next = left[0];
    const byClock = clock !== null && (next === undefined || clock.due_at <= next.at);
    const at = byClock ? clock.due_at : next?.at;
    if (at === undefined || at > now) break;
    if (!byClock) left.shift();
    const command: Command = byClock ? { type: 'clock', kind: clock.kind, ordinal: clock.ordinal, generation: clock.generation } : next!.command;
    const decision: Decision = decide(state, command, Math.max(at, state.updated_at));
    if (decision.refusal && command.type === 'respond') refused.push(decision.refusal.code);
    state = decision.state;
  }
  return { course: courseOf(state, policy), refused: [...refused, ...left.filter(({ command }) => command.type === 'respond').map(() => 'already_settled')] };
}

function happenings({ answers, outcome }: HistoryItem): { at: number; command: Command }[] {
  const given = answers.map(({ user_id, roles, at, response }) => ({
    at: Date.parse(at), command: { type: 'respond', actor: { kind: 'user', id: user_id, user_id, roles: ['reviewer', ...roles], auth: 'api_key' }, user_input: response } satisfies Command,
  }));
  const cancelled = outcome?.source === 'cancel' ? [{ at: Date.parse(outcome.decided_at), command: { type: 'cancel', actor: { ...PRODUCER, roles: [...PRODUCER.roles] } } satisfies Command }] : [];
  return [...given, ...cancelled].sort((a, b) => a.at - b.at);
}

function soonest({ clocks }: EscalationState): EscalationState['clocks'][number] | null {
  return clocks.reduce<EscalationState['clocks'][number] | null>((first, clock) => (first === null || clock.due_at < first.due_at ? clock : first), null);
}

function courseOf({ electorate, level, status, outcome }: EscalationState, policy: Course['policy']): Course {
  return { policy, asked: electorate, level, state: status, source: outcome?.source ?? null, verdict: outcome?.verdict ?? null, ended_at: outcome?.decided_at ?? null };
}
