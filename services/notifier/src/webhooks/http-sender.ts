import { Agent, type Dispatcher } from 'undici';
import { parseRetryAfter } from './retry-schedule.ts';
import { pinnedConnector, type Reachability } from './pinned-connector.ts';

/** What of an answer is read and kept, bytes. */
export const ANSWER_BYTES = 16 * 1024;
/** Name, TCP and TLS together, ms; never more than the whole attempt. */
const CONNECT_MS = 10_000;

export type ErrorClass = 'address_refused' | 'dns' | 'connect' | 'tls' | 'timeout' | 'reset' | 'protocol' | 'redirect' | 'status';

/** How an attempt went. `status` is null when no complete answer came; `error` is null exactly when it was accepted (2xx). */
export type Answer = {
  status: number | null;
  error: ErrorClass | null;
  detail: string | null;
  response: Buffer;
  latencyMs: number;
  retryAfterMs: number | null;
};

export type Request = { url: URL; headers: Record<string, string>; body: Uint8Array };

export type SenderOptions = Reachability & { timeoutMs: number; clock: { now(): number } };

/**
 * Posts webhooks: one attempt within a total time, to judged addresses only, following no redirects, reading a bounded part of
 * the answer. Never throws: every way to fail is an `Answer`.
 */
export class HttpSender {
  private readonly agent: Agent;
  private readonly options: SenderOptions;

  constructor(options: SenderOptions) {
    this.options = options;
    this.agent = new Agent({
      connect: pinnedConnector(options, Math.min(CONNECT_MS, options.timeoutMs)),
      allowH2: false,
      pipelining: 1,
      // The attempt's own clock covers the whole; these would only cover parts.
      headersTimeout: 0,
      bodyTimeout: 0,
      // Below the five seconds after which many servers drop an idle connection.
      keepAliveTimeout: 4_000,
      keepAliveMaxTimeout: 60_000,
    });
  }

  send(request: Request): Promise<Answer> {
    return new Promise((resolve) => {
      const attempt = new Attempt(this.options, resolve);
      try {
        this.agent.dispatch({ origin: request.url.origin, path: `${request.url.pathname}${request.url.search}`, method: 'POST', headers: request.headers, body: request.body as Buffer }, attempt);
      } catch (error) {
        attempt.onResponseError(null, error as Error);
      }
    });
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }
}

class Attempt implements Dispatcher.DispatchHandler {
  private readonly settle: (answer: Answer) => void;
  private readonly clock: { now(): number };
  private readonly timer: NodeJS.Timeout;
  private readonly began = performance.now();
  private controller: Dispatcher.DispatchController | null = null;
  private status: number | null = null;
  private retryAfterMs: number | null = null;
  private readonly chunks: Buffer[] = [];
  private received = 0;
  private settled = false;

  constructor({ timeoutMs, clock }: SenderOptions, settle: (answer: Answer) => void) {
    this.settle = settle;
    this.clock = clock;
    this.timer = setTimeout(() => {
      this.fail('timeout', `no complete answer within ${timeoutMs} ms`);
      this.cut();
    }, timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.settled) this.cut();
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return;
    this.status = status;
    const retryAfter = headers['retry-after'];
    this.retryAfterMs = parseRetryAfter(typeof retryAfter === 'string' ? retryAfter : undefined, this.clock.now());
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk.subarray(0, ANSWER_BYTES - this.received));
    this.received += chunk.length;
    // Enough to know: the status stands, the rest is not waited for.
    if (this.received >= ANSWER_BYTES) {
      this.answered();
      this.cut();
    }
  }

  onResponseEnd(): void {
    this.answered();
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    const kind = classify(error);
    this.fail(kind, kind === 'address_refused' ? error.message : describe(error));
  }

  private answered(): void {
    const status = this.status!;
    const error = status < 300 ? null : status < 400 ? 'redirect' : 'status';
    this.finish({ status, error, detail: error === 'redirect' ? 'redirects are not followed' : null });
  }

  private fail(error: ErrorClass, detail: string): void {
    this.finish({ status: null, error, detail });
  }

  private finish(result: Pick<Answer, 'status' | 'error' | 'detail'>): void {
    if (this.settled) return;
    this.settled = true;
    clearTimeout(this.timer);
    this.settle({ ...result, response: Buffer.concat(this.chunks), latencyMs: Math.round(performance.now() - this.began), retryAfterMs: this.retryAfterMs });
  }

  /** Ends the connection of an attempt whose rest nobody waits for. */
  private cut(): void {
    this.controller?.abort(new Error('the attempt is over'));
  }
}

const CONNECT_CODES = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EACCES', 'EPERM', 'EHOSTDOWN', 'ENETDOWN']);
const RESET_CODES = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_CLOSED', 'UND_ERR_DESTROYED', 'ECONNABORTED']);

function classify(error: Error): ErrorClass {
  const code = String((error as { code?: unknown }).code ?? '');
  if (code === 'ADDRESS_REFUSED') return 'address_refused';
  if (error instanceof AggregateError) return classify((error.errors[0] as Error | undefined) ?? new Error(error.message));
  if (/^(ENOTFOUND|EAI_)/.test(code) || code === 'ENODATA') return 'dns';
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') return 'timeout';
  if (CONNECT_CODES.has(code)) return 'connect';
  if (RESET_CODES.has(code)) return 'reset';
  if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_OSSL|HOSTNAME_MISMATCH|EPROTO)/.test(code)) return 'tls';
  return 'protocol';
}

/** The code and the first line, short: what is safe to show to the endpoint's owner. */
function describe(error: Error): string {
  const code = (error as { code?: unknown }).code;
  const first = error.message.split('\n', 1)[0]!.replaceAll(/\p{Cc}/gu, ' ');
  return `${typeof code === 'string' && !first.includes(code) ? `${code}: ` : ''}${first}`.slice(0, 300);
}
