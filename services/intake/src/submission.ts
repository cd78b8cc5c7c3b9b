import type { Reason, SubmitItem } from '@umpire/contract';

/**
 * What waits for the store's answer: the item as the bytes that go there, and what is asked of it here until then. Nothing of what was read
 * is in it: any string of a message's text holds all of that text, and at full pace what waits outlives V8's young generation.
 */
export type Submission = { namespace: string; reason: Reason; request_id: string; item: Uint8Array; payload: Uint8Array };

/** @param trace W3C context that the store goes on from, if it is traced */
export function toSubmission(item: SubmitItem, payload: Uint8Array, trace?: string): Submission {
  const { namespace, reason, request_id } = item;
  const printed = JSON.stringify(trace === undefined ? item : { ...item, trace });
  return { namespace, reason: ownText(reason), request_id: ownText(request_id), item: Buffer.from(printed), payload };
}

/** @returns the same submission, traced. Its item must not be so already */
export function withTrace<One extends Submission>(submission: One, trace: string): One {
  const member = Buffer.from(`,"trace":${JSON.stringify(trace)}}`);
  return { ...submission, item: Buffer.concat([submission.item.subarray(0, -1), member]) };
}

/** The same text, held by itself: V8 keeps a part of a longer one as a view of it. */
const ownText = <Text extends string>(text: Text): Text => JSON.parse(JSON.stringify(text)) as Text;
