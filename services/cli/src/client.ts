import type { Problem } from '@umpire/contract';
import type { Connection } from './connection.ts';
import { Refused, Unreachable } from './failures.ts';

const WAIT_MS = 30_000;

export type Query = Record<string, string | number | boolean | undefined>;
/** A page of one of our lists. */
export type Page<Item> = { items: Item[]; next: string | null };
/** How much of a list is wanted: one page, or everything from there on. */
export type Extent = { limit?: string | undefined; after?: string | undefined; all?: boolean | undefined };

/** Speaks to the product's HTTP API with one key. */
export class Umpire {
  private readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  get<T>(path: string, query: Query = {}): Promise<T> {
    return this.ask<T>('GET', path, query);
  }

  post<T>(path: string, body: unknown, query: Query = {}): Promise<T> {
    return this.ask<T>('POST', path, query, JSON.stringify(body));
  }

  /** JSON text as it is, number text and key order included. */
  postText<T>(path: string, json: string): Promise<T> {
    return this.ask<T>('POST', path, {}, json);
  }

  put<T>(path: string, body?: unknown): Promise<T> {
    return this.ask<T>('PUT', path, {}, body === undefined ? undefined : JSON.stringify(body));
  }

  delete<T>(path: string): Promise<T> {
    return this.ask<T>('DELETE', path, {});
  }

  /** A page, or with `all` every one after it as if they were one. */
  async list<Item>(path: string, query: Query, { limit, after, all }: Extent): Promise<Page<Item>> {
    const page = await this.get<Page<Item>>(path, { ...query, limit, after });
    if (!all || page.next === null) return page;
    const rest = await this.list<Item>(path, query, { limit, after: page.next, all });
    return { items: [...page.items, ...rest.items], next: null };
  }

  /** A page of lines as they are, and the path of the next one, as the answer's `Link` header gives it; null at the end. */
  async lines(path: string, query: Query = {}): Promise<{ text: string; next: string | null }> {
    const { response, text } = await this.send('GET', this.urlOf(path, query));
    return { text, next: /^<([^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1] ?? null };
  }

  /** @throws Refused, Unreachable */
  private async ask<T>(method: string, path: string, query: Query, body?: string): Promise<T> {
    const url = this.urlOf(path, query);
    const { text } = await this.send(method, url, body);
    return (text === '' ? null : parsed(text, url)) as T;
  }

  private urlOf(path: string, query: Query): URL {
    const url = new URL(`${this.connection.url}${path}`);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
    return url;
  }

  private async send(method: string, url: URL, body?: string): Promise<{ response: Response; text: string }> {
    const headers = { authorization: `Bearer ${this.connection.key}`, accept: 'application/json, application/x-ndjson', ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const response = await fetch(url, { method, headers, body: body ?? null, redirect: 'error', signal: AbortSignal.timeout(WAIT_MS) }).catch((error: unknown) => {
      throw new Unreachable(`${this.connection.url} cannot be reached: ${reasonOf(error)}`, { cause: error });
    });
    const text = await response.text().catch((error: unknown) => {
      throw new Unreachable(`${this.connection.url} broke off its answer: ${reasonOf(error)}`, { cause: error });
    });
    if (response.ok) return { response, text };
    const problem = problemIn(text, response.status);
    if ([502, 503, 504].includes(response.status)) throw new Unreachable(`${this.connection.url} cannot answer now (${response.status}): ${problem.detail ?? problem.title ?? 'try again'}`);
    throw new Refused(problem);
  }
}

function parsed(text: string, url: URL): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Unreachable(`${url.origin}${url.pathname} did not answer with JSON: is this an Umpire?`);
  }
}

function problemIn(text: string, status: number): Partial<Problem> & { status: number } {
  try {
    const problem = JSON.parse(text) as unknown;
    if (typeof problem === 'object' && problem !== null) return { ...problem, status };
  } catch {
    // Not a problem document: a proxy's page, or another server.
  }
  return { status, detail: `the server answered ${status}` };
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
  return cause?.code ?? cause?.message ?? message;
}
