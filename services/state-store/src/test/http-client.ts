export type Answer = { status: number; headers: Headers; body: any };
export type Call = (method: string, path: string, options?: { key?: string; body?: unknown; headers?: Record<string, string> }) => Promise<Answer>;

/** Speaks JSON to one origin, as a caller outside would. */
export const callerOf = (origin: string): Call => async (method, path, { key, body, headers } = {}) => {
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
};
