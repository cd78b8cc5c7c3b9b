import { UmpireClient, UmpireError } from '@umpire/client';
import { learnServerTime, localNow } from './clock.ts';

const timedFetch: typeof fetch = async (input, init) => {
  const asked = localNow();
  const response = await fetch(input, init);
  learnServerTime(response.headers.get('date'), asked, localNow());
  return response;
};

/** The session's cookie speaks for the page: it holds no key. */
export const client = new UmpireClient({ url: location.origin, fetch: timedFetch, timeoutMs: 12_000 });

/** What the client has no method for (yet): the console's own questions. */
export const ask = <T>(path: string, query: Record<string, string | number | undefined> = {}): Promise<T> => client.transport.json<T>({ method: 'GET', path, query, repeat: 'always' });
export const tell = <T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object | string, headers?: Record<string, string>): Promise<T> =>
  client.transport.json<T>({ method, path, ...(body === undefined ? {} : { body }), ...(headers === undefined ? {} : { headers }), repeat: 'refused' });

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
export const codeOf = (error: unknown): string | null => (error instanceof UmpireError ? error.code : null);
