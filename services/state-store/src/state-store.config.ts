import { baseConfig, ConfigError, loadConfig, type Env } from '@umpire/runtime';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { OidcRules } from './identity-oidc.ts';
import { SESSION_SECONDS } from './identity-sessions.queries.ts';
import { isTokenUrl, TOKEN_ALGORITHMS, type TokenRules } from './identity-tokens.ts';
import { recordConfig } from './record/record.config.ts';

const list = (text: string) => text.split(',').map((part) => part.trim()).filter((part) => part !== '');

const SECURE = 'must be https (http only on this machine)';
const tokenUrl = z.string().refine(isTokenUrl, SECURE);

/** Tokens are taken when issuer, audience and JWKS are given. Durations as named; claims by name, or by path (`realm_access.roles`). */
const jwtConfig = {
  jwtIssuer: z.string().optional(),
  /** One or several, with commas. */
  jwtAudience: z.string().transform(list).optional(),
  jwtJwksUrl: tokenUrl.optional(),
  jwtAlgorithms: z.string().default('RS256,ES256,EdDSA').transform(list).pipe(z.array(z.enum(TOKEN_ALGORITHMS)).min(1)),
  jwtJwksTimeoutMs: z.coerce.number().int().min(100).max(2_500).default(2_000),
  /** A key that the issuer has withdrawn is believed for no longer than this. */
  jwtJwksCacheSeconds: z.coerce.number().int().min(1).max(3_600).default(300),
  jwtJwksCooldownSeconds: z.coerce.number().min(0).max(300).default(5),
  jwtClockToleranceSeconds: z.coerce.number().min(0).max(60).default(5),
  jwtRolesClaim: z.string().min(1).default('roles'),
  jwtUserClaim: z.string().min(1).default('sub'),
  jwtNamespaceClaim: z.string().min(1).default('umpire_namespace'),
} as const;

/** People sign in at an issuer when it and the client are given. What its ID tokens say is read by the claims above. */
const oidcConfig = {
  oidcIssuer: tokenUrl.optional(),
  oidcClientId: z.string().optional(),
  /** Without one the client is public. */
  oidcClientSecret: z.string().optional(),
  oidcScope: z.string().default('openid profile').refine((scope) => scope.split(' ').includes('openid'), 'must contain openid'),
  /** What the button says: "Sign in with …". */
  oidcName: z.string().min(1).max(60).default('single sign-on'),
  oidcTimeoutMs: z.coerce.number().int().min(100).max(30_000).default(5_000),
  /** An ID token says who came, not for how long: this does. */
  oidcSessionSeconds: z.coerce.number().int().min(60).max(SESSION_SECONDS).default(SESSION_SECONDS),
} as const;

const storeConfig = {
  ...baseConfig,
  ...jwtConfig,
  ...oidcConfig,
  ...recordConfig,
  /** Without it reads go to Postgres; nothing else changes. */
  redisUrl: z.string().optional(),
  /** PEM file of the authority behind its certificate (`rediss://`), where that is a private one. */
  redisTlsCa: z.string().min(1).optional(),
  /** Seconds that a cached rendering lives. */
  cacheSeconds: z.coerce.number().int().min(1).max(86_400).default(600),
  /** Prefix of every cache key, for a Redis that is shared. */
  redisPrefix: z.string().max(64).default('umpire:'),
  /** Folder of the built console. One that is not there leaves the API alone. */
  consoleFolder: z.string().default(fileURLToPath(new URL('../../console/dist/app', import.meta.url))),
  /** Whether a read is answered once it has a place in the read log's queue (`behind`), or once it is written (`before`). */
  readLog: z.enum(['behind', 'before']).default('behind'),
  /** How long the read log is kept: it leaves by whole weeks. */
  readLogDays: z.coerce.number().int().min(1).max(36_500).default(400),
  /** Requests a second and key in the long run; 0 is no limit. */
  rateReads: z.coerce.number().min(0).max(1_000_000).default(1_000),
  rateWrites: z.coerce.number().min(0).max(1_000_000).default(1_000),
  /** How many seconds' worth may come at once. */
  rateBurstSeconds: z.coerce.number().min(0.1).max(3_600).default(2),
} as const;

/** @throws ConfigError that names every bad key; also when only a part of what tokens, or signing in, need is given */
export const readStateStoreConfig = (env: Env) => {
  const config = loadConfig('state-store', storeConfig, env);
  const needed = { UMPIRE_JWT_ISSUER: config.jwtIssuer, UMPIRE_JWT_AUDIENCE: config.jwtAudience?.length ? config.jwtAudience : undefined, UMPIRE_JWT_JWKS_URL: config.jwtJwksUrl };
  const missing = Object.entries(needed).filter(([, value]) => value === undefined);
  if (missing.length > 0 && missing.length < 3) throw new ConfigError('state-store', missing.map(([name]) => `${name}: is needed too, to take tokens`));
  if ((config.oidcIssuer === undefined) !== (config.oidcClientId === undefined)) {
    throw new ConfigError('state-store', [`${config.oidcIssuer === undefined ? 'UMPIRE_OIDC_ISSUER' : 'UMPIRE_OIDC_CLIENT_ID'}: is needed too, to sign people in`]);
  }
  if (config.auditKeyNamespace !== undefined && !Object.hasOwn(config.namespaces, config.auditKeyNamespace)) throw new ConfigError('state-store', ['UMPIRE_AUDIT_KEY_NAMESPACE: is not among the namespaces of UMPIRE_NAMESPACES']);
  return config;
};

export type StateStoreConfig = ReturnType<typeof readStateStoreConfig>;

/** @returns which tokens are taken, or null if none are. */
export function tokenRules(config: StateStoreConfig): TokenRules | null {
  if (config.jwtIssuer === undefined || config.jwtAudience === undefined || config.jwtJwksUrl === undefined) return null;
  return { ...claimRules(config), issuer: config.jwtIssuer, audience: config.jwtAudience, jwksUrl: config.jwtJwksUrl };
}

/** @returns how people sign in at an issuer, or null if they do not. */
export function oidcRules(config: StateStoreConfig): OidcRules | null {
  const { oidcIssuer: issuer, oidcClientId: clientId } = config;
  if (issuer === undefined || clientId === undefined) return null;
  const redirectUri = `${config.publicUrl.replace(/\/+$/, '')}/session/oidc/callback`;
  return { issuer, clientId, clientSecret: config.oidcClientSecret, scope: config.oidcScope, redirectUri, timeoutMs: config.oidcTimeoutMs, claims: claimRules(config) };
}

const claimRules = (config: StateStoreConfig): OidcRules['claims'] => ({
  algorithms: config.jwtAlgorithms,
  jwksTimeoutMs: config.jwtJwksTimeoutMs,
  jwksCacheSeconds: config.jwtJwksCacheSeconds,
  jwksCooldownSeconds: config.jwtJwksCooldownSeconds,
  clockToleranceSeconds: config.jwtClockToleranceSeconds,
  rolesClaim: config.jwtRolesClaim,
  userClaim: config.jwtUserClaim,
  namespaceClaim: config.jwtNamespaceClaim,
  namespaces: Object.keys(config.namespaces),
});
