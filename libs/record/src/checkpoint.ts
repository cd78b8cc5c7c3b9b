import { hexOf, sha256 } from './bytes.ts';

export const CHECKPOINT_TYP = 'umpire-checkpoint';
export const EXPORT_TYP = 'umpire-export';

/**
 * What a checkpoint says of a namespace: the heads of all chains that grew since the one before (`root` over `chains` of them, with
 * `events` events between the old heads and the new), the head of the namespace's own log, and the checkpoint before by the SHA-256 of
 * its JWS. Numbers count from 1 without gaps.
 */
export type Checkpoint = {
  v: 1;
  namespace: string;
  number: number;
  previous: string | null;
  at: string;
  chains: number;
  events: number;
  root: string;
  log: { number: number; hash: string };
};

/** The first line of an export: which checkpoints it reaches from and to. Without any, `first` and `last` are null. */
export type ExportStatement = {
  v: 1;
  namespace: string;
  at: string;
  /** As asked; the export reaches from the first checkpoint at or after `since` to the first at or after `until`. */
  since: string | null;
  until: string | null;
  first: number | null;
  last: number | null;
  /** SHA-256 of the last checkpoint's JWS. */
  last_digest: string | null;
  /** The checkpoint before the first (JWS): it says where the namespace's log stood. Null where the first is number 1. */
  before: string | null;
};

/** How checkpoints name each other. */
export const checkpointDigest = (jws: string): string => hexOf(sha256(jws));
