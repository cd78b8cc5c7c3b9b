import type { Principal, PrincipalQuery, PrincipalReply } from '@umpire/contract';
import { subjects } from '@umpire/contract';
import type { Authenticator, Credential } from './http/auth.ts';
import { isApiKey, keyDigest } from './ids.ts';
import type { Bus } from './nats/bus.ts';

const KEEP_MS = 5_000;
const ASK_MS = 3_000;
const MAX_ENTRIES = 10_000;
const JWT_FORM = /^[\w-]{2,}\.([\w-]{2,})\.[\w-]{2,}$/;

/**
 * Asks the state store who a credential stands for and keeps the answer at most five seconds, so that a revoked key stops
 * working everywhere within that time. A store that is away is an error, never a stale yes.
 */
export class RemoteAuthenticator implements Authenticator {
  private readonly cache = new Map<string, { principal: Principal | null; until: number }>();
  private readonly asking = new Map<string, Promise<Principal | null>>();
  private readonly bus: Bus;
  private readonly now: () => number;

  constructor(bus: Bus, now: () => number) {
    this.bus = bus;
    this.now = now;
  }

  async authenticate({ kind, token }: Credential): Promise<Principal | null> {
    const jwt = kind === 'bearer' ? JWT_FORM.exec(token) : null;
    // What has the form of neither is not worth a question.
    if (kind === 'bearer' && !jwt && !isApiKey(token)) return null;
    const digest = keyDigest(token);
    const name = `${kind}:${digest}`;
    const cached = this.cache.get(name);
    if (cached && cached.until > this.now()) return cached.principal;
    const query: PrincipalQuery = jwt ? { jwt: token } : kind === 'session' ? { session_digest: digest } : { key_digest: digest };
    const asked = this.asking.get(name) ?? this.ask(name, query, jwt ? endOf(jwt[1]!) : Infinity).finally(() => this.asking.delete(name));
    this.asking.set(name, asked);
    return asked;
  }

  /** The five seconds count from the question: what was revoked after it may be missing from the answer, nothing before. */
  private async ask(name: string, query: PrincipalQuery, end: number): Promise<Principal | null> {
    const until = Math.min(this.now() + KEEP_MS, end);
    const { principal } = await this.bus.requestJson<PrincipalReply>(subjects.query('principal'), query, ASK_MS);
    // Oldest first: a map keeps insertion order, and every entry lives equally long.
    if (this.cache.size >= MAX_ENTRIES) this.cache.delete(this.cache.keys().next().value!);
    this.cache.delete(name);
    this.cache.set(name, { principal, until });
    return principal;
  }
}

/** When a JWT says that it ends, ms: not believed, only not kept beyond. */
function endOf(payload: string): number {
  try {
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { exp?: unknown };
    return typeof exp === 'number' ? exp * 1_000 : 0;
  } catch {
    return 0;
  }
}
