import { canonicalJson, type Outcome } from '@umpire/contract';
import { CHAIN_START, chainHash, hexOf, saltedDigest } from '@umpire/record';
import type { Key } from '../escalation.queries.ts';
import type { KeptPayload, RecordedEvent } from './receipt.queries.ts';

/**
 * The state that a receipt is made of is no part of the chain: before anything of it is signed, it is held against what is.
 * @param events all of the escalation's, from the first to the one that settled it
 * @returns what of the record does not bear it out; null where all of it does. What an erasure has changed is taken as it stands
 */
export function unproved(key: Key, events: RecordedEvent[], payload: KeptPayload | null, outcome: Outcome): string | null {
  let head = CHAIN_START;
  for (const [index, event] of events.entries()) {
    head = chainHash(head, { ...key, ...event });
    if (event.seq !== index + 1 || hexOf(head) !== hexOf(event.hash)) return `event ${event.seq} does not follow the one before it`;
    if (!fits(event.actor, event.actor_salt, event.actor_digest) || !fits(event.data, event.data_salt, event.data_digest)) return `event ${event.seq} is not what was recorded`;
  }
  const [opened, settling] = [events[0], events.at(-1)];
  if (opened === undefined || settling?.seq !== outcome.seq) return `event ${outcome.seq} is missing`;
  if (canonicalJson(member(settling.data, 'outcome')) !== canonicalJson(outcome)) return 'its outcome is not the one that was recorded';
  const named = opened.data_salt === null ? undefined : member(opened.data, 'payload_digest');
  if (payload !== null && named !== undefined && (payload.salt === null || hexOf(saltedDigest(payload.salt, payload.body)) !== named)) return 'its payload is not what was recorded';
  return null;
}

const fits = (text: string | null, salt: Uint8Array | null, digest: Uint8Array): boolean => salt === null || (text !== null && hexOf(saltedDigest(salt, text)) === hexOf(digest));
const member = (data: string | null, name: string): unknown => (data === null ? null : ((JSON.parse(data) as Record<string, unknown>)[name] ?? null));
