import { UmpireError } from '@umpire/contract';
import type { Decision, EscalationState } from '@umpire/domain';

/** The versions (`seq`) of which the caller has seen one; `*` is any that exists. */
export type IfMatch = number[] | '*';

const ETAG = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/;

/**
 * Reads an `If-Match` header (RFC 9110, 13.1.1). Comparison is strong, so weak tags match nothing.
 * @throws UmpireError `bad_request` for what is not a list of entity tags
 */
export function readIfMatch(header: string | undefined): IfMatch | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return '*';
  return header.split(',').flatMap((part) => {
    const match = ETAG.exec(part.trim());
    if (!match) throw new UmpireError('bad_request', 'If-Match must be * or a list of quoted entity tags, as ETag gives them');
    return match[1] === undefined && /^[1-9]\d{0,9}$/.test(match[2]!) ? [Number(match[2])] : [];
  });
}

/** The entity tag of a version. */
export const etagOf = (seq: number) => `"${seq}"`;

/**
 * Sets a decision aside if the row is not the version that the caller saw. Two decisions stand all the same: the answer to a retry of
 * what was done already, and a timeout that was due, since both are facts whatever the caller saw.
 * @param state the state that is decided about, before the decision
 */
export function unlessChanged(state: EscalationState, seen: IfMatch | undefined, decision: Decision): Decision {
  if (seen === undefined || seen === '*' || seen.includes(state.seq)) return decision;
  if (decision.repeat || decision.refusal?.code === 'deadline_passed') return decision;
  return {
    events: [],
    state,
    refusal: {
      code: 'precondition_failed',
      detail: `this is version ${state.seq} now`,
      extra: { seq: state.seq, revision: state.revision },
      ...(state.outcome ? { outcome: state.outcome } : {}),
    },
  };
}
