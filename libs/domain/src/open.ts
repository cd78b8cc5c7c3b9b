import { armRound, clocksToWire } from './clocks.ts';
import { unique } from './json.ts';
import { durationMs, isoOf } from './time.ts';
import type { Actor, DomainEvent, Electorate, OpenInput } from './types.ts';

const INTAKE: Actor = { kind: 'system', id: 'intake', user_id: null, roles: [], auth: 'service' };

/**
 * The first event of an escalation: seq 1, which is the generation of every clock it arms.
 * The electorate is fixed here, without those whom four-eyes keeps out; the deadline counts from `now`, the store's clock in ms.
 */
export function openEscalation(input: OpenInput, now: number): DomainEvent {
  const { rules } = input;
  const excluded = excludedBy(input);
  const deadline = now + durationMs(rules.timeout_seconds);
  const data: Record<string, unknown> = {
    namespace: input.namespace,
    request_id: input.request_id,
    reason: input.reason,
    kind: input.kind,
    rules,
    policy: input.policy,
    electorate: electorateAtOpening(input, excluded),
    deadline: isoOf(deadline),
    clocks: clocksToWire(armRound([], rules, { opened_at: now, from: now, deadline, level: 0 }, 1)),
  };
  if (excluded.length) data.excluded = excluded;
  if (rules.levels.length) data.levels = levelsOf(input);
  if (input.same_task) data.same_task = input.same_task;
  if (input.pipeline_name !== undefined) data.pipeline_name = input.pipeline_name;
  if (input.step_name !== undefined) data.step_name = input.step_name;
  if (rules.pattern === 'refinement' && input.payload_facts && 'current_result' in input.payload_facts) {
    data.current_result = input.payload_facts.current_result;
  }
  return { type: 'opened', at: now, actor: input.actor ?? INTAKE, data };
}

function excludedBy({ rules, earlier_responders = [] }: OpenInput): string[] {
  if (!rules.exclude.length && rules.requested_by === undefined && !earlier_responders.length) return [];
  return unique([...rules.exclude, ...(rules.requested_by === undefined ? [] : [rules.requested_by]), ...earlier_responders]);
}

/** Over a role nobody can tell whether a veto holder has it; naming them makes their veto real. Counted electorates have no roles. */
function electorateAtOpening({ electorate, rules }: OpenInput, excluded: string[]): Electorate {
  const named = electorate.roles.length && rules.veto.length ? [...electorate.users, ...rules.veto] : electorate.users;
  const users = unique(named);
  return { users: excluded.length ? users.filter(user => !excluded.includes(user)) : users, roles: unique(electorate.roles) };
}

function levelsOf({ levels, rules }: OpenInput): Electorate[] {
  return levels ?? rules.levels.map(({ assignees }) => ({ users: assignees.users, roles: assignees.roles }));
}
