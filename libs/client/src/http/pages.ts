import type { Reply } from './transport.ts';

/** A page of a list. `next` goes into `after` for the one behind it; null at the end. */
export type Page<T> = { items: T[]; next: string | null };
export type PageOptions = { limit?: number | undefined; after?: string | undefined };

/**
 * Every item of a list, page after page.
 * @param page asks for one page, such as `(after) => client.pending('alice', { after })`
 */
export async function* everyItem<T>(page: (after: string | undefined) => Promise<Page<T>>): AsyncGenerator<T, void, undefined> {
  for (let after: string | undefined; ; ) {
    const { items, next } = await page(after);
    yield* items;
    if (next === null) return;
    after = next;
  }
}

/** The seed's lists are arrays; where the next page starts stands in the `Link` header (RFC 8288). */
export function cursorInLink(reply: Reply): string | null {
  for (const link of (reply.headers.get('link') ?? '').split(',')) {
    const match = /<([^>]*)>\s*;\s*rel="?next"?/.exec(link);
    if (match) return new URL(match[1]!, 'http://link').searchParams.get('after');
  }
  return null;
}
