import type { KeySet } from './jws.ts';

/**
 * The lines of an export, in this order: the statement, the keys, and then each checkpoint, followed by the log's new entries and by each
 * chain that grew, with its new events. Texts are the bytes that were digested; salts, digests and hashes are lower-case hex.
 */
export type ExportLine = StatementLine | KeysLine | CheckpointLine | LogLine | ChainLine | EventLine;

export type StatementLine = { kind: 'export'; jws: string };
export type KeysLine = { kind: 'keys' } & KeySet;
export type CheckpointLine = { kind: 'checkpoint'; jws: string };

/** An entry of the namespace's log. */
export type LogLine = { kind: 'log'; number: number; at: string; entry_kind: string; entry: string | null; salt: string | null; digest: string; hash: string };

/** A chain's new head, and the one before: `after_seq` 0 where the escalation was opened since the checkpoint before. */
export type ChainLine = { kind: 'chain'; request_id: string; after_seq: number; after_hash: string | null; seq: number; hash: string };

/** An event of the chain named last. `opened` carries the producer's payload. Without its salt, content was erased or changed. */
export type EventLine = {
  kind: 'event';
  seq: number;
  type: string;
  occurred_at: string;
  actor: string | null;
  actor_salt: string | null;
  actor_digest: string;
  data: string | null;
  data_salt: string | null;
  data_digest: string;
  hash: string;
  payload?: string | null;
  payload_salt?: string | null;
};

/**
 * What an `erased` event says is gone of the events before it: everything of all of them, or of those named, by `seq`. The event itself
 * keeps its data for good.
 */
export type Erasure = {
  scope: 'content' | 'person' | 'retention';
  events: 'all' | number[];
  /** Whether the producer's payload is gone. */
  payload: boolean;
  /** The salted digest of a payload that is kept, where `opened`, which named it, was changed. */
  payload_digest?: string;
};
