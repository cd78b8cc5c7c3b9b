import { ROLES, UmpireError, type Principal } from '@umpire/contract';
import type { Logger } from '@umpire/runtime';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose';
import { isIdentityName, MAX_ROLES } from './identity-schemas.ts';

export type TokenRules = {
  issuer: string;
  audience: string[];
  algorithms: string[];
  jwksUrl: string;
  jwksTimeoutMs: number;
  jwksCacheSeconds: number;
  jwksCooldownSeconds: number;
  clockToleranceSeconds: number;
  rolesClaim: string;
  userClaim: string;
  namespaceClaim: string;
  /** Namespaces that there are. A token that names none belongs to the only one, if there is but one. */
  namespaces: string[];
};

/** What a token says. `expires_at` in ms. */
export type TokenHolder = { principal: Principal; expires_at: number };

/** Signatures that prove who signed: nothing that a verifier could make itself (HMAC), and never `none`. */
export const TOKEN_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const;

/** Keys travel over TLS, or not at all over a network. @returns whether they may be fetched from there */
export function isTokenUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)));
}

/** Whether a bearer has the form of a JWT (RFC 7519, compact and signed). */
export const isJwt = (token: string): boolean => /^[\w-]{2,}\.[\w-]{2,}\.[\w-]{2,}$/.test(token);

/** The faults of jose that are the token's. All others mean that its keys could not be had. */
const BAD_TOKEN = new Set(['ERR_JOSE_ALG_NOT_ALLOWED', 'ERR_JOSE_NOT_SUPPORTED', 'ERR_JWS_INVALID', 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  'ERR_JWT_INVALID', 'ERR_JWT_EXPIRED', 'ERR_JWT_CLAIM_VALIDATION_FAILED', 'ERR_JWKS_NO_MATCHING_KEY', 'ERR_JWKS_MULTIPLE_MATCHING_KEYS', 'ERR_JWK_INVALID']);

/** Takes JWTs of one issuer for this audience, signed by a key of its JWKS with one of the algorithms pinned here. */
export class Tokens {
  private readonly rules: TokenRules;
  private readonly keys: ReturnType<typeof createRemoteJWKSet>;
  private readonly logger: Logger;

  constructor(rules: TokenRules, logger: Logger) {
    this.rules = rules;
    this.logger = logger;
    this.keys = createRemoteJWKSet(new URL(rules.jwksUrl), {
      timeoutDuration: rules.jwksTimeoutMs,
      cacheMaxAge: rules.jwksCacheSeconds * 1_000,
      // An unknown key id asks the issuer again, but not more often than this: anybody can make up key ids.
      cooldownDuration: rules.jwksCooldownSeconds * 1_000,
    });
  }

  /**
   * @returns who the token stands for, or null if it is not valid here
   * @throws UmpireError `unavailable` while the issuer's keys cannot be had
   */
  async verify(token: string): Promise<TokenHolder | null> {
    const { issuer, audience, algorithms, clockToleranceSeconds } = this.rules;
    try {
      const { payload } = await jwtVerify(token, this.keys, { issuer, audience, algorithms, clockTolerance: clockToleranceSeconds, requiredClaims: ['exp'] });
      return this.holder(payload);
    } catch (error) {
      if (error instanceof errors.JOSEError && BAD_TOKEN.has(error.code)) {
        this.logger.debug({ code: error.code, reason: error.message }, 'jwt_refused');
        return null;
      }
      throw new UmpireError('unavailable', 'the token cannot be checked now: its issuer does not give its keys', { cause: error });
    }
  }

  private holder(payload: JWTPayload): TokenHolder | null {
    const namespace = this.namespaceOf(claim(payload, this.rules.namespaceClaim));
    const user = claim(payload, this.rules.userClaim);
    const roles = rolesOf(claim(payload, this.rules.rolesClaim));
    if (namespace === null || roles.length === 0 || !isIdentityName(user)) {
      this.logger.debug({ has_namespace: namespace !== null, roles: roles.length }, 'jwt_without_place');
      return null;
    }
    // A machine has a subject too; only people have a user id.
    const person = roles.includes('reviewer') || roles.includes('admin');
    return { principal: { namespace, key_id: `jwt:${user}`, roles, user_id: person ? user : null, auth: 'jwt' }, expires_at: payload.exp! * 1_000 };
  }

  private namespaceOf(value: unknown): string | null {
    const { namespaces } = this.rules;
    if (value === undefined) return namespaces.length === 1 ? namespaces[0]! : null;
    return typeof value === 'string' && namespaces.includes(value) ? value : null;
  }
}

/** A claim by its name as it stands (`https://example.org/roles`), else by a path (`realm_access.roles`). */
function claim(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  return name.split('.').reduce<unknown>((value, part) => (typeof value === 'object' && value !== null && Object.hasOwn(value, part) ? (value as Record<string, unknown>)[part] : undefined), payload);
}

/** Role names from a list, or from one text with spaces (as in `scope`); the three that mean something here come first. */
function rolesOf(value: unknown): string[] {
  const given = typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [];
  const names = [...new Set(given.filter(isIdentityName))];
  const known: readonly string[] = ROLES;
  return [...names.filter((name) => known.includes(name)), ...names.filter((name) => !known.includes(name))].slice(0, MAX_ROLES.token);
}
