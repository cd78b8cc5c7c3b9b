import { randomBytes } from 'node:crypto';
import { encodeUtf8, SCHEMA_VERSION, type EscalationEvent, type Outcome } from '@umpire/contract';
import type { DomainEvent, EscalationState } from '@umpire/domain';
import { chainHash, hexOf, saltedDigest } from '@umpire/record';
import { newId } from '@umpire/runtime';

/** An event as it is kept: JSON text of actor and data, and its place in the chain. */
export type EventRecord = {
  namespace: string;
  request_id: string;
  seq: number;
  id: string;
  type: DomainEvent['type'];
  occurred_at: string;
  actor: string;
  data: string;
  hash: Uint8Array;
  /** As one hex: salts of actor and data (16 bytes each), their digests and the hash (32 each). */
  seal: string;
};

const SALT_BYTES = 16;
const BLOCK_BYTES = 256 * SALT_BYTES;
let block = Buffer.alloc(0);

/** @returns 16 random bytes, cut from a block of them: the generator is asked once for 256. */
export function newSalt(): Uint8Array {
  if (block.length === 0) block = randomBytes(BLOCK_BYTES);
  const salt = block.subarray(0, SALT_BYTES);
  block = block.subarray(SALT_BYTES);
  return salt;
}

/**
 * Gives a domain event its id, salts, digests and place in the chain.
 * @param state the state after the event
 */
export function recordEvent(state: EscalationState, event: DomainEvent, prev: Uint8Array): EventRecord {
  const id = newId();
  const outcome = event.data['outcome'] as Outcome | undefined;
  const data = JSON.stringify(outcome ? { ...event.data, outcome: { ...outcome, id, schema_version: SCHEMA_VERSION } } : event.data);
  const actor = JSON.stringify(event.actor);
  const actorSalt = newSalt();
  const dataSalt = newSalt();
  const actorDigest = saltedDigest(actorSalt, actor);
  const dataDigest = saltedDigest(dataSalt, data);
  const { namespace, request_id, seq } = state;
  const occurred_at = new Date(event.at).toISOString();
  const hash = chainHash(prev, { namespace, request_id, seq, type: event.type, occurred_at, actor_digest: actorDigest, data_digest: dataDigest });
  return { namespace, request_id, seq, id, type: event.type, occurred_at, actor, data, hash, seal: hexOf(Buffer.concat([actorSalt, dataSalt, actorDigest, dataDigest, hash])) };
}

/**
 * The event's message on `HITL_EVENTS`, JSON in UTF-8. The producer's payload is spliced in as it came, never printed again.
 * @param payload JSON in UTF-8, for `opened` only
 */
export function eventMessage(event: Pick<EventRecord, 'id' | 'type' | 'namespace' | 'request_id' | 'seq' | 'occurred_at' | 'data'>, reason: EscalationEvent['reason'], payload: Uint8Array | null): Uint8Array {
  const head = JSON.stringify({
    id: event.id,
    schema_version: SCHEMA_VERSION,
    type: event.type,
    namespace: event.namespace,
    request_id: event.request_id,
    seq: event.seq,
    reason,
    occurred_at: event.occurred_at,
  } satisfies Omit<EscalationEvent, 'data'>);
  const open = `${head.slice(0, -1)},"data":`;
  return payload === null ? encodeUtf8(`${open}${event.data}}`) : Buffer.concat([encodeUtf8(`${open}${openMember(event.data, 'escalation')}`), payload, CLOSED_TWICE]);
}

const CLOSED_TWICE = encodeUtf8('}}');

/** @returns the JSON object text with one more member at its end, whose value is JSON text. */
export const spliceMember = (object: string, name: string, value: string): string => `${openMember(object, name)}${value}}`;

/** The same up to the value. */
function openMember(object: string, name: string): string {
  const open = object.slice(0, -1);
  return `${open}${open === '{' ? '' : ','}${JSON.stringify(name)}:`;
}
