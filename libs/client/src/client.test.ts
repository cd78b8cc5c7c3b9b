import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hang, html, json, problem, reset, ScriptedServer, type Step } from '../test/scripted-server.ts';
import { everyItem, UmpireClient, UmpireError } from './index.ts';

let server: ScriptedServer;
let client: UmpireClient;

beforeAll(async () => {
  server = await ScriptedServer.start();
  client = new UmpireClient({ url: `${server.url}/`, key: async () => 'umk_test', retry: { backoff: { baseMs: 1, maxMs: 20 }, attempts: 4 } });
});
afterAll(() => server.stop());

const code = async (call: Promise<unknown>): Promise<string> => {
  const error = await call.then(() => null, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UmpireError);
  return (error as UmpireError).code;
};
const receipt = { request_id: 'a', status: 'stored', duplicate: false };
const ask = () => client.interact({ interaction_id: 'a', pipeline_name: 'p', step_name: 's', data: {} });

describe('what is safe to repeat', () => {
  it.each<[string, Step]>([['a reset line', reset], ['503', problem(503, 'unavailable')], ['429', problem(429, 'rate_limited')], ['a proxy\'s 502', html(502)], ['504', problem(504, 'timeout')]])(
    'is repeated after %s, with the same words',
    async (_, step) => {
      server.play(step, step, json(202, receipt));
      expect(await ask()).toEqual(receipt);
      expect(server.seen).toHaveLength(3);
      expect(new Set(server.seen.map(({ body, headers }) => body + String(headers['idempotency-key']))).size).toBe(1);
    },
  );

  it('is given up after as many tries as were allowed', async () => {
    server.play(problem(503, 'unavailable'));
    expect(await code(ask())).toBe('unavailable');
    expect(server.seen).toHaveLength(4);
  });

  it.each([[400, 'malformed_json'], [401, 'unauthenticated'], [403, 'forbidden'], [404, 'not_found'], [409, 'id_conflict'], [413, 'too_large'], [422, 'invalid'], [500, 'internal']] as const)(
    'is not repeated after %i %s',
    async (status, said) => {
      server.play(problem(status, said));
      expect(await code(ask())).toBe(said);
      expect(server.seen).toHaveLength(1);
    },
  );

  it('waits as long as the server asks, within bounds', async () => {
    server.play(problem(429, 'rate_limited', {}, { 'retry-after': '3600' }), json(202, receipt));
    expect(await ask()).toEqual(receipt);
  });
});

describe('what is not safe to repeat', () => {
  it.each<[string, Step, string]>([['a reset line', reset, 'unavailable'], ['503', problem(503, 'unavailable'), 'unavailable']])('is told of %s at once', async (_, step, said) => {
    server.play(step, json(200, {}));
    expect(await code(client.comment('a', 'once'))).toBe(said);
    expect(server.seen).toHaveLength(1);
  });

  it('is repeated when the server took nothing in', async () => {
    server.play(problem(429, 'rate_limited'), json(200, { status: 'accepted' }));
    expect(await client.comment('a', 'once')).toEqual({ status: 'accepted' });
  });

  it('includes every command that names the version it saw', async () => {
    server.play(reset, json(200, {}));
    expect(await code(client.claim('a', { ifMatch: 3 }))).toBe('unavailable');
    expect(server.seen[0]!.headers['if-match']).toBe('"3"');
  });
});

describe('an error', () => {
  it('carries code, fields at fault and further members', async () => {
    server.play(problem(422, 'invalid', { errors: [{ path: 'user_input.decision', code: 'required', message: 'an answer is required' }], interaction_id: 'a' }));
    const error = await client.respond('a', {}).catch((thrown: unknown) => thrown as UmpireError);
    expect(error).toMatchObject({ code: 'invalid', message: 'it is invalid', errors: [{ path: 'user_input.decision', code: 'required' }], extra: { interaction_id: 'a' }, status: 422 });
  });

  it('of a code that this client does not know keeps it', async () => {
    server.play(problem(409, 'gone_fishing'));
    const error = await client.get('a').catch((thrown: unknown) => thrown as UmpireError);
    expect(error).toMatchObject({ code: 'conflict', extra: { server_code: 'gone_fishing' } });
  });
});

describe('a call', () => {
  it('ends when its time is over, and says what went wrong before', async () => {
    server.play(hang);
    expect(await code(client.get('a', { timeoutMs: 50 }))).toBe('timeout');
  });

  it('ends when the caller gives up, with the caller\'s reason', async () => {
    server.play(hang);
    const abort = new AbortController();
    const call = client.get('a', { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    await expect(client.get('a', { signal: abort.signal })).rejects.toThrow('enough');
  });

  it('may be given more time than a timer holds', async () => {
    server.play(json(200, {}));
    expect(await client.get('a', { timeoutMs: 90 * 24 * 3_600_000 })).toEqual({});
  });

  it('carries the credential and writes ids as tokens', async () => {
    server.play(json(200, {}));
    await client.get('loan/2024/17 Ø');
    expect(server.seen[0]).toMatchObject({ path: '/hitl/escalations/~bG9hbi8yMDI0LzE3IMOY', headers: { authorization: 'Bearer umk_test' } });
  });

  it('goes without a credential where the browser has a session', async () => {
    server.play(json(200, { namespace: 'default' }));
    expect(await new UmpireClient({ url: server.url }).namespace()).toBe('default');
    expect(server.seen[0]!.headers.authorization).toBeUndefined();
  });
});

describe('a list', () => {
  it('is walked page by page by the Link header', async () => {
    const page = (ids: string[], next?: string): Step => json(200, ids.map((interaction_id) => ({ interaction_id })), next ? { link: `</hitl/pending/al%20ice?limit=2&after=${next}>; rel="next"` } : {});
    server.play(page(['1', '2'], 'x%2By'), page(['3']));
    const ids: string[] = [];
    for await (const item of everyItem((after) => client.pending('al ice', { limit: 2, after }))) ids.push(item.interaction_id);
    expect(ids).toEqual(['1', '2', '3']);
    expect(server.seen.map(({ path }) => path)).toEqual(['/hitl/pending/al%20ice?limit=2', '/hitl/pending/al%20ice?limit=2&after=x%2By']);
  });
});

describe('waiting for an outcome', () => {
  const pending = json(200, { interaction_id: 'a', status: 'pending' });
  const settled = json(200, { interaction_id: 'a', status: 'completed', outcome: { request_id: 'a', verdict: 'approve' } });

  it('outlasts a server that is away or restarts', async () => {
    server.play(reset, problem(503, 'unavailable'), html(502), problem(500, 'internal'), settled);
    expect(await client.waitForOutcome('a')).toMatchObject({ verdict: 'approve' });
  });

  it('lets the server wait, and asks again', async () => {
    server.play(pending, settled);
    expect(await client.waitForOutcome('a')).toMatchObject({ verdict: 'approve' });
    expect(server.seen.map(({ path }) => path)).toEqual(['/hitl/status/~YQ?wait=25', '/hitl/status/~YQ?wait=25']);
  });

  it('waits for an id that is on its way, but not for ever', async () => {
    server.play(problem(404, 'not_found'), settled);
    expect(await client.waitForOutcome('a')).toMatchObject({ verdict: 'approve' });
    server.play(problem(404, 'not_found'));
    expect(await code(client.waitForOutcome('a', { unknownMs: 0 }))).toBe('not_found');
  });

  it('ends with the time limit, a refusal, or the caller', async () => {
    server.play(problem(503, 'unavailable'));
    expect(await code(client.waitForOutcome('a', { timeoutMs: 100 }))).toBe('timeout');
    server.play(problem(403, 'forbidden'));
    expect(await code(client.waitForOutcome('a'))).toBe('forbidden');
    server.play(hang);
    await expect(client.waitForOutcome('a', { signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout/i);
  });
});
