import { countKept } from './cache.ts';
import { JsonPage } from './json-page.ts';
import type { HotRow } from './read.queries.ts';

/** A page's renderings, null where a row is gone meanwhile, and what is sent of the others. */
export type Rendered = { items: readonly (Uint8Array | null)[]; page: JsonPage };

type Kept = { page: JsonPage; bytes: number; until: number };

/** A page may take this part of all. */
const MOST_OF_ONE = 4;

export type PagesKept = { keepMs: number; mostBytes: number; now: () => number };

/**
 * Renderings of pages that were shown a moment ago: consoles ask for the same page on a beat. A page is found by the versions that it shows, which
 * the caller has just read from Postgres, so that what is kept changes speed, never an answer. It is kept for some seconds after it was made, however
 * often it is asked for, and then let go: what is erased meanwhile is not found any more, and soon not held any more.
 */
export class KeptPages {
  private readonly options: PagesKept;
  private readonly kept = new Map<string, Kept>();
  private bytes = 0;
  private sweeper: NodeJS.Timeout | undefined;

  /** @param options `now` in ms of a clock that only goes forward */
  constructor(options: PagesKept) {
    this.options = options;
  }

  /** Bytes of pages and their keys. */
  get held(): number {
    return this.bytes;
  }

  /** @returns renderings of the rows' versions, in order; for the same rows the same page, as long as it is kept */
  async get(rows: HotRow[], make: () => Promise<(Uint8Array | null)[]>): Promise<Rendered> {
    const key = keyOf(rows);
    const kept = this.kept.get(key);
    if (kept !== undefined && kept.until > this.options.now()) {
      countKept(rows.length);
      return { items: kept.page.items, page: kept.page };
    }
    const items = await make();
    const page = new JsonPage(items.filter((item) => item !== null));
    if (items.length > 0 && page.items.length === items.length) this.keep(key, page);
    return { items, page };
  }

  private keep(key: string, page: JsonPage): void {
    this.drop(key);
    const size = page.items.reduce((sum, item) => sum + item.length + 1, key.length);
    // One that leaves no room for others is not even copied.
    if (size > this.options.mostBytes / MOST_OF_ONE) return;
    // As one piece of their own: what they are parts of (pieces of a reply, read from a socket) would be held, and not counted.
    page.within('', '');
    this.kept.set(key, { page, bytes: size, until: this.options.now() + this.options.keepMs });
    this.bytes += size;
    this.forget();
    this.sweeper ??= setInterval(() => this.forget(), this.options.keepMs).unref();
  }

  /** Pages stand in the order in which they were made. */
  private forget(): void {
    for (const [key, { until }] of this.kept) {
      if (this.bytes <= this.options.mostBytes && until > this.options.now()) break;
      this.drop(key);
    }
    if (this.kept.size > 0) return;
    clearInterval(this.sweeper);
    this.sweeper = undefined;
  }

  private drop(key: string): void {
    this.bytes -= this.kept.get(key)?.bytes ?? 0;
    this.kept.delete(key);
  }
}

/** Ids are any text, so each says how long it is. */
function keyOf(rows: HotRow[]): string {
  let key = '';
  for (const { namespace, request_id, seq } of rows) key += `${namespace}/${seq}/${request_id.length}/${request_id}`;
  return key;
}
