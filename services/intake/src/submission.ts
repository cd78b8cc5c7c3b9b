import type { Reason, SubmitItem } from '@umpire/contract';
import type { TraceContext } from '@umpire/runtime';

/**
 * What goes to the store: the item as the bytes that go there, and what is asked of it here until the store has answered. Nothing of what
 * was read is in it: any string of a message's text holds all of that text, and at full pace what waits outlives V8's young generation.
 */
export type Submission = { namespace: string; reason: Reason; request_id: string; item: Uint8Array; payload: Uint8Array };

/** @param item as it was read, not traced yet. Its namespace is of the subject or the principal, not of the message's text */
export function toSubmission(item: SubmitItem, payload: Uint8Array): Submission {
  const { namespace, reason, request_id } = item;
  return { namespace, reason: ownText(reason), request_id: ownText(request_id), item: Buffer.from(JSON.stringify(item)), payload };
}

/** @returns the submission with the context that the store goes on from, if there is one */
export function withTrace<One extends Submission>(submission: One, trace: TraceContext): One {
  if (trace === undefined) return submission;
  const member = Buffer.from(`,"trace":${JSON.stringify(trace)}}`);
  return { ...submission, item: Buffer.concat([submission.item.subarray(0, -1), member]) };
}

/** The same text, held by itself: V8 keeps a part of a longer one as a view of it. What `JSON.parse` returns is a copy, exact for whatever a string holds. */
const ownText = <Text extends string>(text: Text): Text => JSON.parse(JSON.stringify(text)) as Text;
