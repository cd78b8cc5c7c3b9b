import { decodeFrame, encodeItemsFrame, type SubmitHeader, type SubmitItem } from '@umpire/contract';
import { describe, expect, it } from 'vitest';
import { toSubmission, withTrace } from './submission.ts';

const cancel = (request_id: string, detail: string | null = null): SubmitItem => ({ type: 'cancel', namespace: 'default', request_id, reason: 'hard_disagreement', submission: 's', detail });
const payload = (text: string) => new TextEncoder().encode(text);
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('a submission', () => {
  const items = [cancel('a request with a longer id'), cancel('ünïcode "quoted" \u2028 \u0000', 'täxt'), cancel('b')];
  const payloads = [payload('{"first":1}'), payload(''), payload('zwölf')];

  it('goes into a frame as it was, with its payload', () => {
    const all = items.map((item, index) => toSubmission(item, payloads[index]!));
    const { header, bodies } = decodeFrame<SubmitHeader>(encodeItemsFrame(all.map(({ item }) => item), all.map((one) => one.payload)));
    expect(header).toEqual({ items, lengths: payloads.map((one) => one.length) });
    expect(bodies.map((body) => Buffer.from(body))).toEqual(payloads.map((one) => Buffer.from(one)));
    expect(all.map(({ namespace, reason, request_id }) => ({ namespace, reason, request_id }))).toEqual(items.map(({ namespace, reason, request_id }) => ({ namespace, reason, request_id })));
  });

  it('is an empty frame of none', () => {
    expect(decodeFrame(encodeItemsFrame([], []))).toEqual({ header: { items: [], lengths: [] }, bodies: [] });
  });

  it('carries its trace', () => {
    const [atOnce, later] = [withTrace(toSubmission(items[1]!, payloads[1]!), TRACE), withTrace(toSubmission(items[1]!, payloads[1]!), TRACE)];
    for (const one of [atOnce, later]) expect(decodeFrame<SubmitHeader>(encodeItemsFrame([one.item], [one.payload])).header.items).toEqual([{ ...items[1]!, trace: TRACE }]);
    expect(later).toMatchObject({ request_id: items[1]!.request_id, payload: payloads[1] });
  });
});
