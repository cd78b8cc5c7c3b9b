import { applyDecorators, Controller, createParamDecorator, Inject, Injectable, SetMetadata, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { UmpireError, type Principal } from '@umpire/contract';
import type { FastifyRequest } from 'fastify';

/** What a request offers as proof. A bearer, if present, alone counts; else the session cookie. */
export type Credential = { kind: 'bearer'; token: string } | { kind: 'session'; token: string };

/** @returns who stands behind the credential, or null. Throws only when it cannot be found out now. */
export type Authenticator = { authenticate(credential: Credential): Promise<Principal | null> };

/** One that can also be asked about many at once, and then answers from what holds now: for credentials that stay in use. */
export type RecheckingAuthenticator = Authenticator & {
  /** @returns for each, in order, who stands behind it now, or null. Throws only when it cannot be found out now. */
  recheck(credentials: Credential[]): Promise<(Principal | null)[]>;
};
export const AUTHENTICATOR = Symbol('AUTHENTICATOR');

export const ROLES_KEY = 'umpire:roles';
export const SESSION_COOKIE = 'umpire_session';
const SESSION_IN_COOKIE = new RegExp(`(?:^|;\\s*)${SESSION_COOKIE}=([A-Za-z0-9_-]{16,256})(?:;|$)`);

type AuthenticatedRequest = FastifyRequest & { principal?: Principal };

/** Roles of which the caller must hold one. A route without it is refused: nothing is open by oversight. */
export const Allow = (...roles: ('producer' | 'reviewer' | 'admin' | 'public')[]) => SetMetadata(ROLES_KEY, roles);

/** The verified caller of this request. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!principal) throw new UmpireError('unauthenticated');
  return principal;
});

@Injectable()
export class AuthGuard implements CanActivate {
  private readonly reflector: Reflector;
  private readonly authenticator: Authenticator;

  constructor(@Inject(Reflector) reflector: Reflector, @Inject(AUTHENTICATOR) authenticator: Authenticator) {
    this.reflector = reflector;
    this.authenticator = authenticator;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const allowed = this.reflector.getAllAndOverride<string[] | undefined>(ROLES_KEY, [context.getHandler(), context.getClass()]) ?? [];
    if (allowed.includes('public')) return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const credential = readCredential(request);
    if (!credential) throw new UmpireError('unauthenticated', 'send Authorization: Bearer <key>, or sign in first');
    if (credential.kind === 'session') refuseCrossSite(request);
    const principal = await this.authenticator.authenticate(credential);
    if (!principal) throw new UmpireError('unauthenticated', 'this credential is not known, has expired or was revoked');
    if (!allowed.some((role) => principal.roles.includes(role))) {
      throw new UmpireError('forbidden', `this needs the role ${allowed.join(' or ') || '(none may)'}`);
    }
    request.principal = principal;
    return true;
  }
}

/** A controller whose every route is guarded. */
export const GuardedController = (path = '') => applyDecorators(Controller(path), UseGuards(AuthGuard));

/** @returns the credential of a request, or null. */
export function readCredential(request: { headers: Record<string, string | string[] | undefined> }): Credential | null {
  const header = request.headers['authorization'];
  if (typeof header === 'string') {
    const match = /^Bearer ([!-~]{1,8192})$/i.exec(header.trim());
    return match ? { kind: 'bearer', token: match[1]! } : null;
  }
  const token = readSession(request);
  return token === null ? null : { kind: 'session', token };
}

/** @returns the token in the session cookie, or null. */
export function readSession(request: { headers: Record<string, string | string[] | undefined> }): string | null {
  const { cookie } = request.headers;
  const match = typeof cookie === 'string' ? SESSION_IN_COOKIE.exec(cookie) : null;
  return match ? match[1]! : null;
}

/**
 * A cookie travels by itself, so its requests must come from our own pages (OWASP CSRF cheat sheet, "Fetch Metadata").
 * @throws UmpireError `cross_site`
 */
export function refuseCrossSite(request: { headers: Record<string, string | string[] | undefined> }): void {
  const site = request.headers['sec-fetch-site'];
  if (typeof site === 'string' && site !== 'same-origin' && site !== 'none') throw new UmpireError('cross_site', 'a session may be used from its own pages only');
  const origin = request.headers['origin'];
  if (typeof origin === 'string' && URL.parse(origin)?.host !== request.headers['host']) throw new UmpireError('cross_site', 'a session may be used from its own pages only');
}
