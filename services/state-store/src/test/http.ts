/** A small HTTP client for tests: everything as JSON, statuses and headers beside it. */
export type Answer = { status: number; headers: Headers; text: string; body: any };

export type Client = {
  get(path: string, key: string): Promise<Answer>;
  post(path: string, body: unknown, key: string, headers?: Record<string, string>): Promise<Answer>;
};

export function client(origin: string): Client {
  const ask = async (method: string, path: string, key: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> => {
    const response = await fetch(`${origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: text === '' ? null : JSON.parse(text) };
  };
  return {
    get: (path, key) => ask('GET', path, key),
    post: (path, body, key, headers) => ask('POST', path, key, body, headers),
  };
}
