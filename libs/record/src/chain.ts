import { canonicalJson } from '@umpire/contract';
import { hexOf, sha256 } from './bytes.ts';

/** The hash before the first link of any chain. */
export const CHAIN_START: Uint8Array = new Uint8Array(32);

/** What of an event its hash is made of. Digests as bytes; `occurred_at` is RFC 3339 with milliseconds and Z. */
export type ChainedEvent = { namespace: string; request_id: string; seq: number; type: string; occurred_at: string; actor_digest: Uint8Array; data_digest: Uint8Array };

/** SHA-256(16-byte salt ‖ bytes): says nothing about the content once the salt is gone. */
export const saltedDigest = (salt: Uint8Array, bytes: Uint8Array | string): Uint8Array => sha256(salt, bytes);

/**
 * The chain of an escalation: SHA-256(prev ‖ canonical{namespace, request_id, seq, type, occurred_at, actor_digest, data_digest}),
 * digests as lower-case hex.
 */
export function chainHash(prev: Uint8Array, event: ChainedEvent): Uint8Array {
  const { namespace, request_id, seq, type, occurred_at } = event;
  return sha256(prev, canonicalJson({ namespace, request_id, seq, type, occurred_at, actor_digest: hexOf(event.actor_digest), data_digest: hexOf(event.data_digest) }));
}

/** An entry of a namespace's own log: what was done to the record itself. */
export type ChainedEntry = { namespace: string; number: number; at: string; kind: string; digest: Uint8Array };

/** The chain of a namespace's log: SHA-256(prev ‖ canonical{namespace, number, at, kind, digest}). */
export function logHash(prev: Uint8Array, { namespace, number, at, kind, digest }: ChainedEntry): Uint8Array {
  return sha256(prev, canonicalJson({ namespace, number, at, kind, digest: hexOf(digest) }));
}
