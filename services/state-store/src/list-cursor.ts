import { UmpireError } from '@umpire/contract';
import { z } from 'zod';
import type { ListCursor, ListOrder } from './list.queries.ts';

const time = z.iso.datetime();
const id = z.string().max(512).refine((text) => text.isWellFormed() && !text.includes('\u0000'));
const shapes = {
  age: z.tuple([z.string(), time, id]).transform(([, opened_at, request_id]): ListCursor => ({ opened_at, deadline: null, urgency: 0, request_id })),
  deadline: z.tuple([z.string(), time, id]).transform(([, deadline, request_id]): ListCursor => ({ opened_at: deadline, deadline, urgency: 0, request_id })),
  priority: z.tuple([z.string(), z.int().min(0).max(3), time, id]).transform(([, urgency, opened_at, request_id]): ListCursor => ({ opened_at, deadline: null, urgency, request_id })),
};

const nameOf = ({ by, descending }: ListOrder) => (descending ? `-${by}` : by);

/** Cursors are opaque to callers: base64url of the order that they belong to, and where the page ended in it. */
export function encodeListCursor(order: ListOrder, { opened_at, deadline, urgency, request_id }: ListCursor): string {
  const key = { age: [opened_at], deadline: [deadline], priority: [urgency, opened_at] }[order.by];
  return Buffer.from(JSON.stringify([nameOf(order), ...key, request_id])).toString('base64url');
}

/** @throws UmpireError `bad_request` for what `encodeListCursor` did not make for this order */
export function decodeListCursor(order: ListOrder, text: string): ListCursor {
  try {
    const value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown;
    if (!Array.isArray(value) || value[0] !== nameOf(order)) throw new Error('a cursor of another order');
    return shapes[order.by].parse(value);
  } catch (error) {
    throw new UmpireError('bad_request', 'after is not a cursor of this list in this order', { cause: error });
  }
}
