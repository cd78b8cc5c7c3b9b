import type { Rules } from '@umpire/contract';
import { valuesOf } from './checks.ts';
import type { DomainOutcome, EscalationState } from './types.ts';

/**
 * A settled escalation without what it was about and without people: that there was a question of this kind, when, and how it ended. The
 * permit that was fetched stays, so that an action approved once is not taken up twice; none can be fetched any more.
 */
export function withoutContent(state: EscalationState, at: number): EscalationState {
  const { namespace, request_id, reason, kind, status, seq, revision, level, iteration, overdue, policy, opened_at, updated_at, deadline, consumed } = state;
  const bare: EscalationState = {
    namespace, request_id, reason, kind, status, seq, revision, level, iteration, overdue, policy, opened_at, updated_at, deadline, consumed,
    rules: bareRules(state.rules), electorate: { users: [], roles: [] }, excluded: [], levels: [], claim: null, votes: [], responders: [], history: [],
    delegations: [], snoozes: [], clocks: [], comments: 0, outcome: state.outcome && bareOutcome(state.outcome, state.rules), erased: { at },
  };
  if (state.pipeline_name !== undefined) bare.pipeline_name = state.pipeline_name;
  if (state.step_name !== undefined) bare.step_name = state.step_name;
  return bare;
}

function bareRules({ pattern, quorum, priority, timeout_seconds, on_timeout, max_iterations }: Rules): Rules {
  return {
    pattern, quorum, priority, timeout_seconds, on_timeout, max_iterations, ui_schema: { fields: [] }, verdict_field: 'decision', options: [], approving: [],
    assignees: { users: [], groups: [], roles: [] }, veto: [], exclude: [], reminders: [], levels: [],
  };
}

/** A verdict is kept where it is one of the options, which were there before anybody answered; what somebody wrote is content. */
function bareOutcome({ detail: _, superseded_by: __, ...outcome }: DomainOutcome, { options }: Rules): DomainOutcome {
  const offered = outcome.verdict !== null && valuesOf(options).includes(outcome.verdict);
  return { ...outcome, verdict: offered ? outcome.verdict : null, response: null, votes: [], decided_by: [] };
}

/** Members whose values are words of ours or of the form, never somebody's name, even if somebody is called like one of them. */
const WORDS = new Set(['type', 'kind', 'status', 'state', 'source', 'reason', 'pattern', 'priority', 'verdict', 'auth', 'via', 'quorum', 'on_timeout', 'cause', 'set_aside', 'roles', 'role', 'groups', 'delegator_roles', 'options', 'approving', 'default_action', 'verdict_field', 'name', 'namespace', 'request_id', 'schema_version', 'changed_from', 'what', 'scope']);

/** What people and producers wrote: any member may hold a name there. */
const WRITTEN = new Set(['response', 'unknown', 'current_result', 'review_data', 'default', 'metadata']);

/**
 * JSON with another name for one person, wherever it stands as a whole text: as user, seat, voter, delegate, member of an electorate, and
 * inside answers too. What merely mentions them in a sentence stays as it is.
 */
export function withoutPerson<T>(value: T, person: string, name: string): T {
  return renamed(value, { person, name, free: false }) as T;
}

type Renaming = { person: string; name: string; /** Inside what somebody wrote, where no member means what it means elsewhere. */ free: boolean };

function renamed(value: unknown, how: Renaming): unknown {
  const { person, name, free } = how;
  if (value === person) return name;
  if (Array.isArray(value)) return value.map((item) => renamed(item, how));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([member, inner]) => {
    if (!free && WORDS.has(member) && isWords(inner)) return [member, inner];
    return [member === person ? name : member, renamed(inner, { ...how, free: free || WRITTEN.has(member) })];
  }));
}

const isWords = (value: unknown): boolean => typeof value === 'string' || (Array.isArray(value) && value.every((item) => typeof item === 'string' || (typeof item === 'object' && item !== null && 'value' in item)));
