import type { Principal, PrincipalQuery, PrincipalReply } from '@umpire/contract';
import { subjects } from '@umpire/contract';
import type { Authenticator, Credential } from './http/auth.ts';
import { isApiKey, keyDigest } from './ids.ts';
import type { Bus } from './nats/bus.ts';

const KEEP_MS = 5_000;
const MAX_ENTRIES = 10_000;

/**
 * Asks the state store who a credential stands for and keeps the answer at most five seconds, so that a revoked key stops
 * working everywhere within that time. A store that is away is an error, never a stale yes.
 */
export class RemoteAuthenticator implements Authenticator {
  private readonly cache = new Map<string, { principal: Principal | null; until: number }>();
  private readonly bus: Bus;
  private readonly now: () => number;

  constructor(bus: Bus, now: () => number) {
    this.bus = bus;
    this.now = now;
  }

  async authenticate(credential: Credential): Promise<Principal | null> {
    if (credential.kind === 'bearer' && credential.token.startsWith('umk_') && !isApiKey(credential.token)) return null;
    const digest = keyDigest(credential.token);
    const cached = this.cache.get(`${credential.kind}:${digest}`);
    if (cached && cached.until > this.now()) return cached.principal;
    const query: PrincipalQuery = credential.kind === 'session' ? { session_digest: digest } : { key_digest: digest };
    const { principal } = await this.bus.requestJson<PrincipalReply>(subjects.query('principal'), query, 3_000);
    this.remember(`${credential.kind}:${digest}`, principal);
    return principal;
  }

  private remember(key: string, principal: Principal | null): void {
    // Oldest first: a map keeps insertion order, and every entry lives equally long.
    if (this.cache.size >= MAX_ENTRIES) this.cache.delete(this.cache.keys().next().value!);
    this.cache.delete(key);
    this.cache.set(key, { principal, until: this.now() + KEEP_MS });
  }
}
