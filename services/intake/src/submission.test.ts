import type { SubmitItem } from '@umpire/contract';
import { describe, expect, it } from 'vitest';
import { bytes, hitlRequest } from '../test/samples.ts';
import { readMessage } from './message/read-message.ts';
import { toSubmission, withTrace } from './submission.ts';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const parse = (printed: Uint8Array) => JSON.parse(Buffer.from(printed).toString()) as SubmitItem;

function escalation(request_id: string): { item: SubmitItem; payload: Uint8Array } {
  const read = readMessage(bytes(hitlRequest({ request_id })), { namespace: 'default', subject: null, submission: 's', interactionId: () => '', now: () => 0 }, () => null);
  if (!read.ok) throw new Error('the sample is not valid');
  return read;
}

const cancel: { item: SubmitItem; payload: Uint8Array } = {
  item: { type: 'cancel', namespace: 'default', request_id: 'b', reason: 'low_confidence', submission: 's', detail: '\u0000 \ud800 "täxt"' }, payload: new Uint8Array(0),
};

describe.each([escalation('a request with a longer id'), escalation('ünïcode "quoted" \u2028'), cancel])('a submission of $item.request_id', ({ item, payload }) => {
  const submission = toSubmission(item, payload);

  it('is its item, printed, with what it is known by', () => {
    expect(parse(submission.item)).toEqual(item);
    expect(submission).toMatchObject({ namespace: item.namespace, reason: item.reason, request_id: item.request_id });
    expect(submission.payload).toBe(payload);
  });

  it('carries the trace that it is given, and none otherwise', () => {
    expect(withTrace(submission, undefined)).toBe(submission);
    const traced = withTrace({ ...submission, more: 1 }, TRACE);
    expect(parse(traced.item)).toEqual({ ...item, trace: TRACE });
    expect({ ...traced, item: null }).toEqual({ ...submission, more: 1, item: null });
    expect(parse(submission.item)).toEqual(item);
  });
});
