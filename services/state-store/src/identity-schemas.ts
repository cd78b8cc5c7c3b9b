import { UmpireError } from '@umpire/contract';
import { z } from 'zod';

/** Most roles that a key has (a check of the table too), and that count of a token's. */
export const MAX_ROLES = { key: 20, token: 50 } as const;

// What names a person, a group or a role: no control characters, nothing that Postgres could not keep.
const isPlain = (text: string): boolean => text.isWellFormed() && !/\p{Cc}/u.test(text);
export const isIdentityName = (value: unknown): value is string =>
  typeof value === 'string' && value.length >= 1 && value.length <= 256 && value === value.trim() && isPlain(value);

/** The name of a person, group or role: 1 to 256 characters; space around it does not count. */
export const identityName = z.string().trim().min(1).max(256).refine(isPlain, 'must be well-formed text without control characters');
/** A remark in prose. */
export const note = z.string().trim().max(2_000).refine((text) => text.isWellFormed() && !text.includes('\u0000'), 'must be well-formed text');
/** RFC 3339 with an offset. */
export const moment = z.iso.datetime({ offset: true });
export const seconds = z.number().positive().max(10 * 366 * 24 * 3600);

/** A flag in a query string. */
export const flag = z.enum(['true', 'false']).default('false').transform((text) => text === 'true');
export const pageQuery = z.object({ limit: z.coerce.number().int().min(1).max(200).default(100), after: z.string().max(2_048).optional() });

const uuid = z.uuid();
export type PageMark = { at: string; id: string };
const mark = z.tuple([z.iso.datetime(), uuid]);

/** @returns `{items, next}` of rows that were asked for one more than the page holds. */
export function pageOf<Row>(rows: Row[], limit: number, cursor: (row: Row) => unknown): { items: Row[]; next: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? Buffer.from(JSON.stringify(cursor(last))).toString('base64url') : null };
}

/** @throws UmpireError `bad_request` for what `pageOf` did not make */
export function readCursor<T>(text: string | undefined, schema: z.ZodType<T>): T | null {
  if (text === undefined) return null;
  try {
    return schema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  } catch (error) {
    throw new UmpireError('bad_request', 'after is not a cursor of this list', { cause: error });
  }
}

/** Cursor of lists by age. */
export function readMark(text: string | undefined): PageMark | null {
  const read = readCursor(text, mark);
  return read && { at: read[0], id: read[1] };
}

/** @throws UmpireError `not_found`: an id that is none is known to nobody */
export function idIn(path: string, what: string): string {
  if (!uuid.safeParse(path).success) throw new UmpireError('not_found', `no ${what} has this id`);
  return path;
}

/** @throws UmpireError `invalid` naming one field */
export function invalidField(path: string, code: string, message: string): UmpireError {
  return new UmpireError('invalid', `${path} ${message}`, { errors: [{ path, code, message }] });
}
