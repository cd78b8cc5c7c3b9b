import { UmpireError } from '@umpire/contract';
import { z } from 'zod';
import type { InboxCursor } from './read.queries.ts';

const cursorSchema = z.tuple([z.iso.datetime(), z.string().max(512).refine((text) => text.isWellFormed() && !text.includes('\u0000'))]);

/** Cursors are opaque to callers: base64url of where the page ended. */
export function encodeCursor(cursor: InboxCursor): string {
  return Buffer.from(JSON.stringify([cursor.opened_at, cursor.request_id])).toString('base64url');
}

/** @throws UmpireError `bad_request` for what `encodeCursor` did not make */
export function decodeCursor(text: string | undefined): InboxCursor | null {
  if (text === undefined) return null;
  try {
    const [opened_at, request_id] = cursorSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return { opened_at, request_id };
  } catch (error) {
    throw new UmpireError('bad_request', 'after is not a cursor of this list', { cause: error });
  }
}

/** An RFC 8288 `Link` to the next page. */
export function nextLink(path: string, query: Record<string, string>): string {
  return `<${path}?${new URLSearchParams(query).toString()}>; rel="next"`;
}
