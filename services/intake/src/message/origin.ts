import type { Reason } from '@umpire/contract';

/** Where a message came from: what its reading depends on besides its bytes. */
export type Origin = {
  namespace: string;
  /** Null for what was posted: its subject is made from its own reason. */
  subject: { verb: 'review' | 'cancel'; reason: Reason } | null;
  /** `<stream>:<sequence>@<nanoseconds when stored>`; empty for what has not been published yet. */
  submission: string;
  /** The id of an interaction that brings none; asked only then. */
  interactionId: () => string;
  /** When it is read, ms since the epoch. Only what a deprecated form says of its deadline depends on it. */
  now: () => number;
};
