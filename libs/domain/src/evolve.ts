import type { Clock, Rules } from '@umpire/contract';
import { clocksFromWire } from './clocks.ts';
import { withoutContent } from './erase.ts';
import { msOf } from './time.ts';
import type { DomainEvent, DomainOutcome, Electorate, EscalationState, Vote } from './types.ts';

/** What each event's `data` holds that the fold reads; all are written by this library. */
type OpenedData = Pick<EscalationState, 'namespace' | 'request_id' | 'reason' | 'kind' | 'rules' | 'policy' | 'electorate' | 'pipeline_name' | 'step_name' | 'same_task'> & {
  excluded?: string[];
  levels?: Electorate[];
  deadline: string;
  clocks: Clock[];
  current_result?: unknown;
};
type RespondedData = { seat: string; user_id: string; via: string | null; verdict: string; response: Record<string, unknown>; on_behalf_of?: string };
type ChangeData = { clocks: Clock[]; electorate?: Electorate; revision?: number; deadline?: string; claim?: null };
type DelegatedData = { ordinal: number; from: string; to: string; via: string | null; until: string | null; ended?: number[] };

/**
 * The fold: state after one more event. Given the same events it always returns the same state; the state handed in is not
 * changed. `seq` is the one before plus one. Throws only on a history that no store could have written.
 */
export function evolve(state: EscalationState | null, event: DomainEvent): EscalationState {
  if (event.type === 'opened') return opened(event);
  if (state === null) throw new Error(`the first event of an escalation is opened, not ${event.type}`);
  if (event.type === 'erased') return erased(state, event);
  const change = event.data as unknown as ChangeData;
  const next: EscalationState = { ...state, seq: state.seq + 1, updated_at: event.at, clocks: clocksFromWire(change.clocks) };
  if (change.electorate) next.electorate = change.electorate;
  if (change.revision !== undefined) next.revision = change.revision;
  if (change.deadline !== undefined) next.deadline = msOf(change.deadline);
  if (change.claim === null) next.claim = null;
  apply(next, event);
  return next;
}

function opened(event: DomainEvent): EscalationState {
  const data = event.data as unknown as OpenedData;
  const state: EscalationState = {
    namespace: data.namespace,
    request_id: data.request_id,
    reason: data.reason,
    kind: data.kind,
    status: 'pending',
    seq: 1,
    revision: 1,
    level: 0,
    iteration: 1,
    overdue: false,
    rules: data.rules,
    policy: data.policy,
    electorate: data.electorate,
    excluded: data.excluded ?? [],
    levels: data.levels ?? [],
    claim: null,
    votes: [],
    responders: [],
    history: [],
    delegations: [],
    snoozes: [],
    clocks: clocksFromWire(data.clocks),
    opened_at: event.at,
    updated_at: event.at,
    deadline: msOf(data.deadline),
    comments: 0,
    outcome: null,
    consumed: null,
  };
  if (data.pipeline_name !== undefined) state.pipeline_name = data.pipeline_name;
  if (data.step_name !== undefined) state.step_name = data.step_name;
  if (data.same_task !== undefined) state.same_task = data.same_task;
  if ('current_result' in data) state.current_result = data.current_result;
  return state;
}

/** `next` is this fold's own fresh copy: its members may be replaced, never changed in place. */
function apply(next: EscalationState, event: DomainEvent): void {
  const { data } = event;
  switch (event.type) {
    case 'claimed':
      next.claim = { user_id: data.user_id as string, until: msOf(data.until as string) };
      break;
    case 'released':
      next.claim = null;
      break;
    case 'responded':
      responded(next, event);
      break;
    case 'commented':
      next.comments += 1;
      break;
    case 'reassigned':
      endDelegations(next, data.ended as number[] | undefined);
      next.votes = next.votes.map(vote => (vote.set_aside || hasSeat(next.electorate, vote) ? vote : { ...vote, set_aside: 'reassigned' }));
      break;
    case 'delegated':
      delegated(next, data as unknown as DelegatedData);
      break;
    case 'raised':
      next.level = data.level as number;
      break;
    case 'snoozed':
      next.snoozes = [...next.snoozes.filter(s => s.ordinal !== data.ordinal), { ordinal: data.ordinal as number, user_id: data.user_id as string, until: msOf(data.until as string) }];
      break;
    case 'overdue':
      next.overdue = true;
      break;
    case 'iterated':
      iterated(next, event);
      break;
    case 'revised':
      revised(next, event);
      break;
    case 'resolved':
    case 'expired':
    case 'cancelled':
      settled(next, data.outcome as DomainOutcome);
      break;
    case 'consumed':
      next.consumed = { consumer_id: data.consumer_id as string, action_digest: data.action_digest as string, at: event.at, seq: next.seq };
      break;
    case 'reminded':
    case 'opened':
    case 'erased':
      break;
  }
}

/** A person's names are changed by the store, in state and log alike: the event cannot say which they were. */
function erased(state: EscalationState, { at, data }: DomainEvent): EscalationState {
  const next = { ...state, seq: state.seq + 1, updated_at: at };
  return (data.erasure as { scope: string }).scope === 'person' ? next : withoutContent(next, at);
}

function responded(next: EscalationState, event: DomainEvent): void {
  const data = event.data as unknown as RespondedData;
  const vote: Vote = {
    seat: data.seat,
    user_id: data.user_id,
    via: data.via,
    verdict: data.verdict,
    at: event.at,
    seq: next.seq,
    revision: next.revision,
    response: data.response,
    auth: event.actor.auth,
  };
  if (data.on_behalf_of !== undefined) vote.on_behalf_of = data.on_behalf_of;
  next.votes = [...next.votes.filter(other => other.seat !== data.seat && other.user_id !== data.user_id), vote];
  const unheard = [data.user_id, data.seat].filter((user, i, both) => both.indexOf(user) === i && !next.responders.includes(user));
  if (unheard.length) next.responders = [...next.responders, ...unheard];
  if (next.rules.pattern === 'refinement') {
    next.history = [...next.history, { iteration: next.iteration, user_id: data.user_id, at: event.at, seq: next.seq, revision: next.revision, response: data.response }];
  }
}

function hasSeat({ users, roles }: Electorate, { seat, via }: Vote): boolean {
  return users.includes(seat) || (via !== null && roles.includes(via));
}

function delegated(next: EscalationState, data: DelegatedData): void {
  endDelegations(next, data.ended);
  if (data.to === undefined) return;
  const until = data.until === null ? null : msOf(data.until);
  next.delegations = [...next.delegations, { ordinal: data.ordinal, from: data.from, to: data.to, via: data.via, until, ended: false }];
}

function endDelegations(next: EscalationState, ordinals: number[] | undefined): void {
  if (!ordinals?.length) return;
  next.delegations = next.delegations.map(delegation => (ordinals.includes(delegation.ordinal) ? { ...delegation, ended: true } : delegation));
}

function iterated(next: EscalationState, { data }: DomainEvent): void {
  next.iteration = data.iteration as number;
  next.current_result = data.current_result;
  next.overdue = false;
  next.votes = [];
  next.claim = null;
}

function revised(next: EscalationState, { data }: DomainEvent): void {
  const changes = data.changes as Partial<Rules> & { current_result?: unknown };
  const { current_result, ...rules } = changes;
  next.rules = { ...next.rules, ...rules };
  if (current_result !== undefined) next.current_result = current_result;
  next.votes = next.votes.map(vote => ({ ...vote, set_aside: 'revised' }));
}

function settled(next: EscalationState, outcome: DomainOutcome): void {
  next.status = outcome.state;
  next.outcome = outcome;
  next.claim = null;
}
