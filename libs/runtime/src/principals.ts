import type { Principal, PrincipalQuery, PrincipalReply, PrincipalsQuery, PrincipalsReply } from '@umpire/contract';
import { subjects } from '@umpire/contract';
import type { Credential, RecheckingAuthenticator } from './http/auth.ts';
import { isApiKey, keyDigest } from './ids.ts';
import type { Bus } from './nats/bus.ts';

const KEEP_MS = 5_000;
const ASK_MS = 3_000;
const MAX_ENTRIES = 10_000;
/** Credentials in one question. */
const AT_ONCE = 100;
const JWT_FORM = /^[\w-]{2,}\.([\w-]{2,})\.[\w-]{2,}$/;

/**
 * Asks the state store who a credential stands for and keeps the answer at most five seconds, so that a revoked key stops
 * working everywhere within that time. A store that is away is an error, never a stale yes.
 */
export class RemoteAuthenticator implements RecheckingAuthenticator {
  private readonly cache = new Map<string, { principal: Principal | null; until: number }>();
  private readonly asking = new Map<string, Promise<Principal | null>>();
  private readonly bus: Bus;
  private readonly now: () => number;

  constructor(bus: Bus, now: () => number) {
    this.bus = bus;
    this.now = now;
  }

  async authenticate(credential: Credential): Promise<Principal | null> {
    const digest = keyDigest(credential.token);
    const cached = this.cache.get(nameOf(credential, digest));
    if (cached && cached.until > this.now()) return cached.principal;
    const question = questionOf(credential, digest);
    // What has the form of neither is not worth a question.
    if (!question) return null;
    const { name, query, end } = question;
    const asked = this.asking.get(name) ?? this.ask(name, query, end).finally(() => this.asking.delete(name));
    this.asking.set(name, asked);
    return asked;
  }

  /** Never from what was kept: the question is asked now. What is answered is kept, as of now. */
  async recheck(credentials: Credential[]): Promise<(Principal | null)[]> {
    const found = new Map<string, Principal | null>();
    const questions = new Map<string, { query: PrincipalQuery; end: number }>();
    for (const credential of credentials) {
      const question = questionOf(credential);
      if (question) questions.set(question.name, question);
    }
    const open = [...questions];
    for (let from = 0; from < open.length; from += AT_ONCE) {
      const some = open.slice(from, from + AT_ONCE);
      const asked = this.now();
      const query: PrincipalsQuery = { credentials: some.map(([, question]) => question.query) };
      const { principals } = await this.bus.requestJson<PrincipalsReply>(subjects.query('principals'), query, ASK_MS);
      some.forEach(([name, { end }], index) => {
        const principal = principals[index] ?? null;
        found.set(name, principal);
        this.keep(name, principal, Math.min(asked + KEEP_MS, end));
      });
    }
    return credentials.map((credential) => found.get(questionOf(credential)?.name ?? '') ?? null);
  }

  /** The five seconds count from the question: what was revoked after it may be missing from the answer, nothing before. */
  private async ask(name: string, query: PrincipalQuery, end: number): Promise<Principal | null> {
    const until = Math.min(this.now() + KEEP_MS, end);
    const { principal } = await this.bus.requestJson<PrincipalReply>(subjects.query('principal'), query, ASK_MS);
    this.keep(name, principal, until);
    return principal;
  }

  private keep(name: string, principal: Principal | null, until: number): void {
    // Oldest first: a map keeps insertion order, and every entry lives equally long.
    if (this.cache.size >= MAX_ENTRIES) this.cache.delete(this.cache.keys().next().value!);
    this.cache.delete(name);
    this.cache.set(name, { principal, until });
  }
}

/** What is asked of the store about a credential, under which name it is kept and until when at most; null for what has no form of one. */
function questionOf(credential: Credential, digest = keyDigest(credential.token)): { name: string; query: PrincipalQuery; end: number } | null {
  const { kind, token } = credential;
  const jwt = kind === 'bearer' ? JWT_FORM.exec(token) : null;
  if (kind === 'bearer' && !jwt && !isApiKey(token)) return null;
  const query: PrincipalQuery = jwt ? { jwt: token } : kind === 'session' ? { session_digest: digest } : { key_digest: digest };
  return { name: nameOf(credential, digest), query, end: jwt ? endOf(jwt[1]!) : Infinity };
}

/** Under which an answer is kept: never the credential itself. */
const nameOf = ({ kind }: Credential, digest: string): string => `${kind}:${digest}`;

/** When a credential ends by its own word, ms since the epoch: a JWT at its `exp`, others whenever they are revoked. */
export const credentialEnd = (credential: Credential): number => questionOf(credential)?.end ?? 0;

/** When a JWT says that it ends, ms: not believed, only not kept beyond. */
function endOf(payload: string): number {
  try {
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { exp?: unknown };
    return typeof exp === 'number' ? exp * 1_000 : 0;
  } catch {
    return 0;
  }
}
