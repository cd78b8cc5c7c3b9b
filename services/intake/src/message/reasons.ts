import { isReason, type FieldError, type JsonNode, type Reason } from '@umpire/contract';
import type { Origin } from './origin.ts';

const KEY = /^(review|cancel)\.([a-z_]+)$/;

/** What a message says of its reason, besides the subject that it came on. */
export type ReasonClaim = { path: string; reason: Reason };

/** @returns the reason that a `routing_key` names, nothing if there is none, or why it cannot be read. */
export function readRoutingKey(node: JsonNode | undefined, verb: 'review' | 'cancel'): { claim: ReasonClaim | null; errors: FieldError[] } {
  if (node === undefined) return { claim: null, errors: [] };
  const match = node.kind === 'string' ? KEY.exec(node.value) : null;
  const reason = match?.[2];
  // A producer that sends its routing key along with a cancel sends that of its escalation.
  if (match && isReason(reason) && (match[1] === 'review' || verb === 'cancel')) return { claim: { path: 'routing_key', reason }, errors: [] };
  return { claim: null, errors: [{ path: 'routing_key', code: 'not_allowed', message: `must be ${verb}.<reason> with one of the four reasons` }] };
}

/**
 * Subject, payload and routing key must agree.
 * @param claims what the message says, the weightiest first; the subject weighs more than all of them
 * @returns the reason that counts, undefined if nobody names one, and a `reason_mismatch` for each that differs from it
 */
export function agreeOnReason(origin: Origin, claims: (ReasonClaim | null)[]): { reason: Reason | undefined; errors: FieldError[] } {
  const made = claims.filter((claim) => claim !== null);
  const first = made[0];
  const reason = origin.subject?.reason ?? first?.reason;
  const source = origin.subject ? 'the subject' : first?.path;
  const errors = made
    .filter((claim) => claim.reason !== reason)
    .map((claim) => ({ path: claim.path, code: 'reason_mismatch', message: `says ${claim.reason}, but ${source} says ${reason}` }));
  return { reason, errors };
}
