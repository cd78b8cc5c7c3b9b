import type { Outcome, Reason } from '@umpire/contract';

/**
 * What is asked of an escalation. `decided`: alice answers. `defaulted`: nobody does, a reminder and then the default fire. `expired`: nobody
 * does, and there is no default. `raced`: alice answers about when the deadline fires. `cancelled`: the producer takes it back.
 */
export const KINDS = ['decided', 'defaulted', 'expired', 'raced', 'cancelled'] as const;
export type Kind = (typeof KINDS)[number];

/** One escalation as its producer and its reviewer know it: only what they were told. */
export type Entry = {
  id: string;
  namespace: string;
  reason: Reason;
  kind: Kind;
  via: 'jetstream' | 'post';
  timeoutMs: number | null;
  reminderMs: number | null;
  /** The stream's ack, or 202. */
  acked: boolean;
  /** What alice sent, and what the store said to it. */
  verdict: string;
  accepted: { state: string; seq: number; outcome?: Outcome } | null;
  refusedWith: Outcome | null;
};

/** Everything that was acknowledged, and what must therefore be found again. */
export class Book {
  readonly entries = new Map<string, Entry>();
  /** Texts of messages that can never be taken, once the stream has acked them. */
  readonly poison = new Set<string>();
  /** Answers that no client should ever get. */
  readonly surprises: string[] = [];
  /** Tries that failed and were made again. */
  retries = 0;

  get acked(): Entry[] {
    return [...this.entries.values()].filter((entry) => entry.acked);
  }
}
