import type { Reason } from './reasons.ts';

export const EVENT_TYPES = [
  'opened', 'claimed', 'released', 'responded', 'commented', 'reassigned', 'delegated', 'raised', 'reminded', 'snoozed', 'overdue',
  'iterated', 'revised', 'resolved', 'expired', 'cancelled', 'consumed', 'erased',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export const CLOCK_KINDS = ['deadline', 'reminder', 'level', 'claim', 'snooze', 'delegation'] as const;
export type ClockKind = (typeof CLOCK_KINDS)[number];

/** One timer that an escalation wants. `generation` is the seq of the event that armed it: a later one makes it stale. */
export type Clock = { kind: ClockKind; ordinal: number; due_at: string; generation: number };

export const STATES = ['pending', 'completed', 'expired', 'cancelled'] as const;
export type EscalationStatus = (typeof STATES)[number];

export type VoteView = { user_id: string; verdict: string; at: string; on_behalf_of?: string };

/** What a pipeline resumes on. `id` is the id of the event that settled it. Times are RFC 3339 with Z. */
export type Outcome = {
  id: string;
  schema_version: string;
  namespace: string;
  request_id: string;
  reason: Reason;
  pipeline_name?: string;
  step_name?: string;
  state: Exclude<EscalationStatus, 'pending'>;
  verdict: string | null;
  source: 'human' | 'timeout' | 'cancel';
  response: unknown;
  timeout_applied: boolean;
  votes: VoteView[];
  decided_by: string[];
  decided_at: string;
  iterations: number;
  seq: number;
  /** A person wanted another refinement round and there was none left. */
  max_iterations_reached?: true;
  /** Why it was cancelled, in the producer's words. */
  detail?: string;
  /** The escalation that took its place. */
  superseded_by?: string;
};

/**
 * An event as it stands on `HITL_EVENTS`. `seq` counts per escalation without gaps; `data.clocks` is the full set of timers after
 * it; `opened` carries the producer's payload, byte for byte, as `data.escalation`; the settling event carries `data.outcome`.
 */
export type EscalationEvent = {
  id: string;
  schema_version: string;
  type: EventType;
  namespace: string;
  request_id: string;
  seq: number;
  reason: Reason;
  occurred_at: string;
  data: EventData;
};

export type EventData = {
  clocks: Clock[];
  escalation?: unknown;
  outcome?: Outcome;
  [field: string]: unknown;
};
