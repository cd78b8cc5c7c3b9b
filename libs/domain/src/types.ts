import type { ClockKind, ErrorCode, EscalationStatus, EventType, FieldError, Outcome, Reason, Rules, UiSchema, VoteView } from '@umpire/contract';

/** Who may decide. Users are people by id; roles are kept as names, since their holders cannot be listed. Groups are expanded before. */
export type Electorate = { users: string[]; roles: string[] };

/**
 * Who issued a command, as the credential says. `on_behalf_of` is set by the store only, after it found a delegation in force from
 * that person to this one; the domain checks the electorate and four-eyes, not the delegation itself. Delegations made on the
 * escalation (`delegate`) are found here and need no `on_behalf_of`.
 */
export type Actor = {
  kind: 'user' | 'producer' | 'admin' | 'clock' | 'system';
  id: string;
  user_id: string | null;
  roles: string[];
  auth: string;
  on_behalf_of?: string;
  /** Roles of the person named in `on_behalf_of`, where the electorate is a role. */
  delegator_roles?: string[];
};

/**
 * One person's answer. `seat` is the member of the electorate it counts for: the person, or who delegated to them. `via` is the
 * role that made the seat eligible, null for people named. `seq` is that of the `responded` event. A vote that is `set_aside` is on
 * record and not counted: the producer has since revised what it was about, or its seat was given to somebody else.
 */
export type Vote = {
  seat: string;
  user_id: string;
  via: string | null;
  verdict: string;
  at: number;
  seq: number;
  revision: number;
  response: Record<string, unknown>;
  auth: string;
  on_behalf_of?: string;
  set_aside?: 'revised' | 'reassigned';
};

/** One answered round of refinement. */
export type Round = { iteration: number; user_id: string; at: number; seq: number; revision: number; response: Record<string, unknown> };

/** `due_at` in ms; `generation` is the seq of the event that armed it. */
export type ArmedClock = { kind: ClockKind; ordinal: number; due_at: number; generation: number };

export type Delegation = { ordinal: number; from: string; to: string; via: string | null; until: number | null; ended: boolean };
export type Snooze = { ordinal: number; user_id: string; until: number };
export type Consumed = { consumer_id: string; action_digest: string; at: number; seq: number };

/** The contract's outcome without the id, which the store adds (the id of the settling event). */
export type DomainOutcome = Omit<Outcome, 'id' | 'votes'> & {
  votes: (VoteView & { on_behalf_of?: string })[];
  /** A human asked for another refinement round and there was none left. */
  max_iterations_reached?: true;
  detail?: string;
  superseded_by?: string;
};

/** All that rules need to know of one escalation. Plain JSON: the store keeps it as bytes and loads it back. */
export type EscalationState = {
  namespace: string;
  request_id: string;
  reason: Reason;
  kind: 'escalation' | 'interaction';
  pipeline_name?: string;
  step_name?: string;
  status: EscalationStatus;
  seq: number;
  revision: number;
  level: number;
  iteration: number;
  overdue: boolean;
  rules: Rules;
  policy: { id: string; version: number } | null;
  same_task?: SameTask;
  electorate: Electorate;
  /** Four-eyes: who may take no part in deciding, whatever role, group or delegation they have. */
  excluded: string[];
  /** The people each level adds, groups expanded. */
  levels: Electorate[];
  claim: { user_id: string; until: number } | null;
  votes: Vote[];
  /** Everybody who ever answered, or was answered for, whatever became of it: four-eyes keeps them out of what revises this. */
  responders: string[];
  history: Round[];
  /** Refinement: what the next round starts from. Absent while it is still the producer's own. */
  current_result?: unknown;
  delegations: Delegation[];
  snoozes: Snooze[];
  clocks: ArmedClock[];
  opened_at: number;
  updated_at: number;
  deadline: number | null;
  comments: number;
  outcome: DomainOutcome | null;
  consumed: Consumed | null;
  /** Since when the content is gone. What is left tells that there was a question and how it ended. */
  erased?: { at: number };
};

/** Times in ms. Everything but `clock` names its actor. */
export type Command =
  | { type: 'respond'; actor: Actor; user_input: Record<string, unknown>; revision?: number }
  | { type: 'claim'; actor: Actor; seconds?: number }
  | { type: 'release'; actor: Actor }
  | { type: 'reassign'; actor: Actor; from?: string; to: Electorate; detail?: string }
  | { type: 'delegate'; actor: Actor; to: string | null; until?: number; detail?: string }
  | { type: 'raise'; actor: Actor; to?: Electorate; detail?: string }
  | { type: 'snooze'; actor: Actor; until: number }
  | { type: 'comment'; actor: Actor; text: string }
  | { type: 'cancel'; actor: Actor; detail?: string; superseded_by?: string }
  | ReviseCommand
  | { type: 'consume'; actor: Actor; consumer_id: string; action_digest: string }
  | { type: 'clock'; kind: ClockKind; ordinal: number; generation: number };

/** The producer changes what people look at. Fields left out stay; votes given on the older form or data stop counting. */
export type ReviseCommand = {
  type: 'revise';
  actor: Actor;
  current_result?: unknown;
  review_data?: Record<string, unknown>;
  ui_schema?: UiSchema;
  prompt?: string;
  detail?: string;
};

export type CommandOf<T extends Command['type']> = Extract<Command, { type: T }>;

/**
 * What happened. `at` in ms; times inside `data` are RFC 3339. `data.clocks` is the full set of timers after this event (contract
 * `Clock`), `data.outcome` stands on the event that settles.
 */
export type DomainEvent = { type: EventType; at: number; actor: Actor; data: Record<string, unknown> };

export type Refusal = {
  code: ErrorCode;
  detail: string;
  errors?: FieldError[];
  /** The real outcome, where the command came too late. */
  outcome?: DomainOutcome;
  /** Members to stand beside the standard ones of the problem document. */
  extra?: Record<string, unknown>;
};

/**
 * What a command comes to. `events` are to be appended whatever else is set: a refused command can still have applied a due
 * timeout. `state` is the state after them.
 */
export type Decision = {
  events: DomainEvent[];
  state: EscalationState;
  refusal?: Refusal;
  /** The same person said the same again: nothing new is recorded; `reply` is what they were told the first time. */
  repeat?: true;
  reply?: unknown;
  /** A clock asked before its time: ask again then (ms). */
  retry_at?: number;
  /** A clock that is no longer wanted. */
  stale?: true;
};

/** What `respond` is told, first time and again. `outcome` is there if this answer settled it. */
export type RespondReply = { state: EscalationStatus; seq: number; revision: number; outcome?: DomainOutcome };

/**
 * What the policy says of escalations that were opened before for the same task, and which of those were pending then. `supersede`: they
 * are cancelled, and name this one.
 */
export type SameTask = { mode: 'keep' | 'supersede'; earlier: string[] };

export type OpenInput = {
  namespace: string;
  request_id: string;
  reason: Reason;
  kind: 'escalation' | 'interaction';
  rules: Rules;
  policy: { id: string; version: number } | null;
  same_task?: SameTask;
  electorate: Electorate;
  /** People of each level with groups expanded, in the order of `rules.levels`. Without it, the names in the rules. */
  levels?: Electorate[];
  /** Who responded to the escalation named in `rules.revises`: four-eyes keeps them out. */
  earlier_responders?: string[];
  pipeline_name?: string;
  step_name?: string;
  /** `current_result` is what the first round of a refinement starts from; other facts are ignored. */
  payload_facts?: Record<string, unknown>;
  actor?: Actor;
};
