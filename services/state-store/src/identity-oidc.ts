import { systemClock, type Logger } from '@umpire/runtime';
import * as oidc from 'openid-client';
import { isTokenUrl, Tokens, type TokenHolder, type TokenRules } from './identity-tokens.ts';

export type OidcRules = {
  issuer: string;
  clientId: string;
  /** Without one the client is public: PKCE alone ties the code to who began. */
  clientSecret: string | undefined;
  scope: string;
  redirectUri: string;
  /** For each request to the issuer. */
  timeoutMs: number;
  /** What its ID tokens say, read as a JWT's claims are. */
  claims: Omit<TokenRules, 'issuer' | 'audience' | 'jwksUrl'>;
};

/** What the browser keeps between leaving for the issuer and coming back. It proves that both were the same browser. */
export type Departure = { state: string; nonce: string; verifier: string; to: string };

/** `stale`: nobody here began it, or too long ago. `denied`: the person or the issuer said no. `refused`: no valid token, or one without a place here. */
export type Refused = 'stale' | 'denied' | 'refused' | 'unavailable';
export type Arrival = { holder: TokenHolder; to: string } | { why: Refused; to: string };

type Provider = { configuration: oidc.Configuration; tokens: Tokens; until: number };

/** Discovery is believed for so long: an issuer that moves its endpoints is followed within it. */
const DISCOVERY_MS = 15 * 60_000;
const MAX_TO = 2_048;
const PAGE = /^\/(?:e\/[\w.~%!$&'()*+,;=:@-]+|console\/[a-z-]+)?$/;

/** @returns a page of the console to come back to: anything else, another site above all, becomes the inbox */
export const returnPage = (to: unknown): string => (typeof to === 'string' && to.length <= MAX_TO && PAGE.test(to) ? to : '/');

/**
 * Sign-in by OpenID Connect: authorization code flow with PKCE (OpenID Connect Core 3.1, RFC 7636, RFC 9700). The issuer's endpoints come
 * from its discovery document, asked when somebody first signs in, so that an issuer that is away keeps nothing from starting.
 */
export class Oidc {
  private readonly rules: OidcRules;
  private readonly logger: Logger;
  private found: Provider | null = null;
  private asking: Promise<Provider> | null = null;

  constructor(rules: OidcRules, logger: Logger) {
    this.rules = rules;
    this.logger = logger;
  }

  /** @returns where to send the browser, and what it keeps meanwhile; null while the issuer cannot be reached */
  async depart(to: string): Promise<{ url: string; departure: Departure } | null> {
    const departure = { state: oidc.randomState(), nonce: oidc.randomNonce(), verifier: oidc.randomPKCECodeVerifier(), to };
    try {
      const { configuration } = await this.provider();
      const url = oidc.buildAuthorizationUrl(configuration, {
        redirect_uri: this.rules.redirectUri, scope: this.rules.scope, state: departure.state, nonce: departure.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(departure.verifier), code_challenge_method: 'S256',
      });
      return { url: url.href, departure };
    } catch (error) {
      this.logger.warn({ ...faultOf(error), issuer: this.rules.issuer }, 'oidc_issuer_unreachable');
      return null;
    }
  }

  /** @param query what the issuer sent the browser back with (`?code=…&state=…`), @param departure what this browser kept, if anything */
  async arrive(query: URLSearchParams, departure: Departure | null): Promise<Arrival> {
    const to = returnPage(departure?.to);
    if (departure === null || query.get('state') !== departure.state) return { why: 'stale', to };
    try {
      const { configuration, tokens } = await this.provider();
      const back = new URL(this.rules.redirectUri);
      back.search = query.toString();
      const checks = { expectedState: departure.state, expectedNonce: departure.nonce, pkceCodeVerifier: departure.verifier, idTokenExpected: true };
      const { id_token: token } = await oidc.authorizationCodeGrant(configuration, back, checks);
      // The library has checked what it says of this flow (nonce, azp, times); who signed it, and what it means here, is checked as for any JWT.
      const holder = token === undefined ? null : await tokens.verify(token);
      if (holder === null) this.logger.warn('oidc_token_without_place');
      return holder === null ? { why: 'refused', to } : { holder, to };
    } catch (error) {
      const why = reasonOf(error);
      this.logger.warn({ ...faultOf(error), why }, 'oidc_sign_in_failed');
      return { why, to };
    }
  }

  private async provider(): Promise<Provider> {
    if (this.found !== null && this.found.until > systemClock.now()) return this.found;
    this.asking ??= this.discover().finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  private async discover(): Promise<Provider> {
    const { issuer, clientId, clientSecret, timeoutMs, claims } = this.rules;
    const configuration = await oidc.discovery(new URL(issuer), clientId, {}, clientSecret === undefined ? oidc.None() : oidc.ClientSecretPost(clientSecret), {
      timeout: timeoutMs / 1_000,
      // On this machine only: the configuration has refused any other.
      ...(issuer.startsWith('http:') ? { execute: [oidc.allowInsecureRequests] } : {}),
    });
    const { jwks_uri: jwksUrl } = configuration.serverMetadata();
    if (jwksUrl === undefined || !isTokenUrl(jwksUrl)) throw new Error('the issuer names no jwks_uri that may be used');
    const tokens = new Tokens({ ...claims, issuer: configuration.serverMetadata().issuer, audience: [clientId], jwksUrl }, this.logger);
    this.found = { configuration, tokens, until: systemClock.now() + DISCOVERY_MS };
    return this.found;
  }
}

const BAD_ANSWERS = new Set(['OAUTH_INVALID_RESPONSE', 'OAUTH_JWT_CLAIM_COMPARISON_FAILED', 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED', 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED', 'OAUTH_PARSE_ERROR', 'OAUTH_UNSUPPORTED_OPERATION']);

/** An answer that says no, or that proves nothing, is a refusal; no answer is trouble that passes. */
function reasonOf(error: unknown): Refused {
  if (error instanceof oidc.AuthorizationResponseError) return ['server_error', 'temporarily_unavailable'].includes(error.error) ? 'unavailable' : 'denied';
  if (error instanceof oidc.ResponseBodyError) return error.status >= 500 ? 'unavailable' : 'refused';
  return error instanceof oidc.ClientError && BAD_ANSWERS.has(error.code ?? '') ? 'refused' : 'unavailable';
}

/** What may be logged of a fault: the library keeps whole answers, tokens in them, in its errors. */
function faultOf(error: unknown): Record<string, unknown> {
  const { message, code, error: said, cause } = error as { message?: unknown; code?: unknown; error?: unknown; cause?: unknown };
  return { fault: message, code, said, cause: cause instanceof Error ? cause.message : undefined };
}
