import type { Clock, EscalationStatus, Interaction, Option, Outcome, Pattern, Priority, Problem, Quorum, Reason, UiSchema } from '@umpire/contract';

/** What was submitted: `stored` once the store has it; `queued` if it is durable and the store has not answered yet. */
export type Receipt =
  | { request_id: string; status: 'stored'; duplicate: boolean }
  | { request_id: string; status: 'queued' };

/** `tombstoned`: nothing had this id yet; what comes under it within a day opens cancelled. */
/** `receipt` is what `jws` carries, for reading: trust it once the signature by key `kid` (public at `jwks`) verifies. */
export type SignedReceipt = { jws: string; kid: string; jwks: string; receipt: Record<string, unknown> };
export type CancelReceipt = { request_id: string; status: 'cancelled' | 'tombstoned' | 'queued' };

/** How an escalation ended, with the pipeline's own data, untouched, and the data overlaid with the response (the seed's resume). */
export type SettledOutcome<Data = unknown> = Outcome & { data: Data; merged: Record<string, unknown> };

export type StatusReply<Data = unknown> = {
  interaction_id: string;
  status: EscalationStatus;
  created_at: string;
  expires_at: string | null;
  overdue: boolean;
  seq: number;
  revision: number;
  iteration: number;
  claimed_by: string | null;
  outcome?: SettledOutcome<Data> | null;
};

/** A pipeline's question. Without `interaction_id` the client makes one, so that repeating the call asks once. */
export type InteractionRequest = {
  interaction_id?: string | undefined;
  pipeline_name: string;
  step_name: string;
  data: object;
  escalation_reason?: Reason | undefined;
  partial_result?: unknown;
  metadata?: Record<string, unknown> | undefined;
  /** How it is to be decided; policy and defaults fill the rest. */
  interaction?: Interaction | undefined;
};

export type Round = { iteration: number; user_id: string; at: string; response: Record<string, unknown> };
export type Vote = { user_id: string; verdict: string; at: string; revision: number; on_behalf_of?: string; set_aside?: true };

/** An escalation as people see it: the seed's InteractionResponse and what stands beside it. Times are RFC 3339 with Z. */
export type EscalationItem<Data = unknown> = {
  interaction_id: string;
  request_id: string;
  schema_version: string;
  namespace: string;
  kind: 'escalation' | 'interaction';
  reason: Reason;
  status: EscalationStatus;
  seq: number;
  revision: number;
  created_at: string;
  expires_at: string | null;
  overdue: boolean;
  pattern: Pattern;
  priority: Priority;
  prompt: string | null;
  ui_schema: UiSchema;
  review_data: Record<string, unknown> | null;
  verdict_field: string;
  options: Option[];
  quorum: Quorum;
  veto: string[];
  on_timeout: 'default' | 'expire' | 'hold';
  default_action: string | null;
  revises: string | null;
  electorate: { users: string[]; roles: string[] };
  /** Groups that the request or its policy named: their members of then stand in `electorate`. */
  groups?: string[];
  excluded: string[];
  claimed_by: string | null;
  claimed_until: string | null;
  level: number;
  iteration: number;
  current_result: unknown;
  history: Round[];
  votes: Vote[];
  policy: { id: string; version: number } | null;
  pipeline_name: string | null;
  step_name: string | null;
  task_id: string | null;
  summary: string | null;
  outcome: Outcome | null;
  consumed: { consumer_id: string; at: string } | null;
  /** Since when the content is gone: what is left tells that there was a question and how it ended. */
  erased_at?: string;
  data: Data;
};

/** Where an escalation stands after a command. */
export type Accepted = {
  status: 'accepted';
  interaction_id: string;
  state: EscalationStatus;
  seq: number;
  revision: number;
  level: number;
  claimed_by: string | null;
  claimed_until: string | null;
  outcome?: Outcome;
};

/** The seed's reply to an answer. `outcome` is there if this answer settled it. */
export type RespondReply = {
  status: 'accepted';
  message: string;
  interaction_id: string;
  state: EscalationStatus;
  seq: number;
  outcome?: Outcome;
};

/** The permit to run an approved action once. */
export type Permit = {
  status: 'consumed';
  request_id: string;
  interaction_id: string;
  consumer_id: string;
  action_digest: string;
  verdict: string;
  consumed_at: string;
  seq: number;
};

export type TimelineEntry = { id: string; seq: number; type: string; occurred_at: string; actor: Record<string, unknown> | null; data: Record<string, unknown> | null };

/** Filters of `list`; all that are given hold together. Ages in seconds. */
export type ListFilter = {
  state?: EscalationStatus[] | undefined;
  reason?: Reason[] | undefined;
  pattern?: Pattern[] | undefined;
  priority?: Priority[] | undefined;
  assignee?: string | undefined;
  assignee_role?: string | undefined;
  min_age?: number | undefined;
  max_age?: number | undefined;
  policy?: string | undefined;
  task_id?: string | undefined;
  /** Words in summary, prompt or task. */
  text?: string | undefined;
  /** `deadline` and `priority` order what is pending. */
  sort?: 'age' | '-age' | 'deadline' | '-deadline' | 'priority' | '-priority' | undefined;
};

export type BulkAnswer = { interaction_id: string; user_input: Record<string, unknown>; revision?: number };
/** A result for each answer, in order, as it would have been alone. */
export type BulkReply = { accepted: number; refused: number; items: ({ interaction_id: string; status: number } & ({ result: RespondReply } | { problem: Problem }))[] };

/** Why an escalation stands where it stands, for people. Times are RFC 3339 with Z. */
export type Explanation = {
  interaction_id: string;
  request_id: string;
  seq: number;
  as_of: string;
  state: EscalationStatus;
  why: string;
  policy: { id: string; version: number } | null;
  quorum: { rule: Quorum; needs: string; electorate: number | null; tally: Record<string, number> };
  votes: { user_id: string; seat: string; verdict: string; at: string; counts: boolean; why_not?: string }[];
  can_decide: { users: string[]; roles: string[]; delegates: { user_id: string; for: string; until: string | null }[]; only: string | null };
  excluded: string[];
  veto: { holders: string[]; waiting_for: string[] };
  claim: { user_id: string; until: string } | null;
  deadline: string | null;
  overdue: boolean;
  on_timeout: string;
  level: number;
  iteration: number;
  revision: number;
  next: (Clock & { effect: string }) | null;
  clocks: Clock[];
  outcome: Outcome | null;
};

/** Of one reason, within the hours that were asked for. Times to the end in seconds; quantiles are upper bounds. */
export type ReasonStats = {
  reason: Reason;
  pending: number;
  oldest_pending_at: string | null;
  opened: number;
  ended: number;
  by_source: { human: number; timeout: number; cancel: number };
  mean_seconds: number | null;
  p50_seconds: number | null;
  p90_seconds: number | null;
  raised: number;
  /** Decisions of people that were those of the agents' majority, and that were not. */
  agents_agreed: number;
  agents_disagreed: number;
};
export type Stats = {
  /** When the figures were looked up: they are kept for a moment, and not shown when older than two seconds. */
  as_of: string;
  hours: number;
  /** Up to here `pending` of a reason is exact; above it is some seconds behind. */
  pending_bound: number;
  /** Counting stops here: all levels of `pending_levels` together, and `open` of one person. */
  raised_bound: number;
  open_bound: number;
  reasons: ReasonStats[];
  pending_levels: { level: number; pending: number }[];
  series: { hour: string; opened: number; ended: number }[];
  people: { user_id: string; votes: number; mean_seconds: number | null; open: number }[];
};

type Ends = { human: number; timeout: number; cancel: number; timeout_share: number | null };
type AnswerSpeed = { answers: number; median_seconds: number | null; p90_seconds: number | null };
type Reading = { readable: number; faster_than_reading: number };
type Agreement = { agreed: number; disagreed: number; agreement: number | null };

/** How people decide. Shares are from 0 to 1, null where there is nothing to share; what each figure means stands in `docs/oversight.md`. */
export type Oversight = {
  as_of: string;
  days: number;
  words_per_minute: number;
  all: Ends & AnswerSpeed & Reading & { reversed: number };
  reasons: (Ends & AnswerSpeed & { reason: Reason })[];
  reviewers: (AnswerSpeed & Reading & { user_id: string; reversed: number; reasons: (AnswerSpeed & { reason: Reason })[] })[];
  agents: (Agreement & { name: string })[];
  synthesis: Agreement;
  reversals: { request_id: string; verdict: string; revised_by: string; revised_verdict: string; revised_at: string; reviewers: string[] }[];
};
