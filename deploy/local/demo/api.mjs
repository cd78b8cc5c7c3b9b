/** The product's HTTP API, with a key. Answers `{text, body}`; whatever is not a 2xx throws with what the server said. */
export function apiOf(origin, signal) {
  const call = async (method, path, key, body) => {
    const response = await fetch(`${origin}${path}`, {
      method, signal, body,
      headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 500)}`);
    return { text, body: text === '' ? undefined : JSON.parse(text) };
  };
  return {
    get: (path, key) => call('GET', path, key),
    post: (path, key, body) => call('POST', path, key, typeof body === 'string' ? body : JSON.stringify(body)),
    remove: (path, key) => call('DELETE', path, key),
  };
}

/** Two ways to put an id into a path; both must work for every id. */
export const inPath = {
  encoded: (id) => encodeURIComponent(id),
  token: (id) => `~${Buffer.from(id).toString('base64url')}`,
};
