import { UmpireError, writeJson } from '@umpire/contract';
import { Deadline, DEFAULT_RETRY, retrying, type CallOptions, type RetryPolicy } from '../retry.ts';
import { errorOf } from './problem.ts';

export type TransportOptions = {
  /** The origin, such as `http://localhost:8080`; in a browser `location.origin`. */
  url: string;
  /** An API key or token, or what gives one for each try. Left out in a browser that has a session. */
  key?: string | (() => string | Promise<string>) | undefined;
  fetch?: typeof fetch | undefined;
  /** Of a call that names none. Milliseconds; 30 s. */
  timeoutMs?: number | undefined;
  retry?: Partial<RetryPolicy> | undefined;
  /** Reads an answer; another reader can keep numbers that a double cannot. */
  parse?: ((text: string) => unknown) | undefined;
};

/**
 * What may be repeated: `always` for what changes nothing or is the same when it happens twice; `refused` for the rest, which is
 * repeated only when the server says that it took nothing in (429).
 */
export type Repeat = 'always' | 'refused';

export type Request = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string | number | boolean | readonly string[] | undefined>;
  /** Sent as JSON; a text is sent as it is. */
  body?: object | string | undefined;
  headers?: Record<string, string | undefined>;
  repeat: Repeat;
  /** How long the server may take by design, on top of what a try may take. */
  waitMs?: number;
};

export type Reply = { status: number; headers: Headers; text: string };

const DEFAULT_TIMEOUT_MS = 30_000;
/** Of one try: a connection that hangs must not use up the whole call's time. */
const TRY_MS = 10_000;

/** HTTP with deadlines, bounded repeats and typed errors. */
export class HttpTransport {
  readonly url: string;
  private readonly options: TransportOptions;
  private readonly retry: RetryPolicy;

  constructor(options: TransportOptions) {
    this.url = options.url.replace(/\/+$/, '');
    this.options = options;
    this.retry = { ...DEFAULT_RETRY, ...options.retry };
  }

  /**
   * @returns the answer's JSON; undefined where there is none
   * @throws UmpireError with the server's code; `unavailable` if nobody answers; `timeout` when the time is over; the signal's reason
   */
  async json<T>(request: Request, call: CallOptions = {}): Promise<T> {
    return this.read<T>(await this.send(request, call));
  }

  read<T>({ text }: Reply): T {
    return (text === '' ? undefined : (this.options.parse ?? JSON.parse)(text)) as T;
  }

  /** The answer itself, for those who need its headers. */
  send(request: Request, call: CallOptions = {}): Promise<Reply> {
    const deadline = new Deadline({ signal: call.signal, timeoutMs: call.timeoutMs ?? this.options.timeoutMs ?? DEFAULT_TIMEOUT_MS });
    const mayRepeat = (error: UmpireError) => request.repeat === 'always' || error.code === 'rate_limited';
    return retrying(deadline, this.retry, mayRepeat, () => this.attempt(request, deadline));
  }

  /** What a credential is sent as. */
  async authorization(): Promise<Record<string, string>> {
    const { key } = this.options;
    if (key === undefined) return {};
    return { authorization: `Bearer ${typeof key === 'function' ? await key() : key}` };
  }

  private async attempt(request: Request, deadline: Deadline): Promise<Reply> {
    const { method, path, body } = request;
    const given = Object.entries(request.headers ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const headers = { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...Object.fromEntries(given), ...(await this.authorization()) };
    const signal = AbortSignal.any([deadline.signal, AbortSignal.timeout(TRY_MS + (request.waitMs ?? 0))]);
    let response: Response;
    let text: string;
    try {
      const send = this.options.fetch ?? fetch;
      response = await send(this.url + path + queryOf(request.query), { method, headers, signal, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : writeJson(body) }) });
      text = await response.text();
    } catch (error) {
      deadline.check(error);
      throw new UmpireError('unavailable', `${method} ${path} was not answered: ${reasonOf(error)}`, { cause: error });
    }
    if (response.ok) return { status: response.status, headers: response.headers, text };
    throw errorOf(response.status, response.headers.get('content-type') ?? '', text, response.headers.get('retry-after'));
  }
}

function queryOf(query: Request['query'] = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    parameters.set(name, String(value));
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

/** fetch hides what happened in the cause. */
function reasonOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && cause.message !== '' ? cause.message : error instanceof Error ? error.message : String(error);
}
