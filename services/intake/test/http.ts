import type { Reply } from './stack.ts';

/** One request as the holder of a key; what is no text is sent as JSON. */
export async function call(origin: string, key: string, method: string, path: string, body?: unknown, type = 'application/json'): Promise<Reply> {
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> };
}
