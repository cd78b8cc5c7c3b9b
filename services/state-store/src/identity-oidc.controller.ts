import { Get, Header, Inject, Query, Req, Res } from '@nestjs/common';
import { UmpireError } from '@umpire/contract';
import { Allow, GuardedController } from '@umpire/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { returnPage, type Departure, type Oidc, type Refused } from './identity-oidc.ts';
import { Identity } from './identity-services.ts';
import { sessionCookie } from './identity-sessions.controller.ts';

/** How long somebody may take at the issuer. */
const AWAY_SECONDS = 900;
const COOKIE = /(?:^|;\s*)(?:__Host-)?umpire_oidc=([\w-]{20,4096})(?:;|$)/;

/**
 * Signing in at an issuer. The browser goes there by itself and comes back from another site, so what it keeps meanwhile is a cookie that such
 * a return carries along (Lax); the session's own cookie stays Strict. What went wrong is told by the page (`?sign_in=<why>`).
 */
@GuardedController('session/oidc')
@Allow('public')
export class IdentityOidcController {
  private readonly identity: Identity;

  constructor(@Inject(Identity) identity: Identity) {
    this.identity = identity;
  }

  /** Whether people can sign in at an issuer here, and what it is called. */
  @Get()
  @Header('cache-control', 'no-store')
  offer(): { name: string | null } {
    return { name: this.identity.oidc?.name ?? null };
  }

  /** @param to the page of the console to come back to */
  @Get('start')
  async start(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Query('to') to: unknown): Promise<void> {
    const page = returnPage(to);
    const leaving = await this.flow().depart(page);
    if (leaving === null) return go(reply, failed(page, 'unavailable'));
    const kept = Buffer.from(JSON.stringify(leaving.departure)).toString('base64url');
    return go(reply, leaving.url, [this.awayCookie(request, kept, AWAY_SECONDS)]);
  }

  @Get('callback')
  async callback(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const query = new URLSearchParams(request.url.split('?')[1] ?? '');
    const arrival = await this.flow().arrive(query, departureOf(request));
    const forget = this.awayCookie(request, '', 0);
    if ('why' in arrival) return go(reply, failed(arrival.to, arrival.why), [forget]);
    const { sessionSeconds } = this.identity.oidc!;
    const { token } = await this.identity.sessions.beginFor(arrival.holder, sessionSeconds);
    return go(reply, arrival.to, [forget, sessionCookie(request, this.identity.secureCookies, token, sessionSeconds)]);
  }

  private flow(): Oidc {
    if (this.identity.oidc === null) throw new UmpireError('not_found', 'nobody signs in at an issuer here');
    return this.identity.oidc.flow;
  }

  /** Over TLS no other host of the domain can set it (`__Host-`). */
  private awayCookie(request: FastifyRequest, value: string, maxAge: number): string {
    const secure = this.identity.secureCookies || request.headers['x-forwarded-proto'] === 'https';
    return `${secure ? '__Host-' : ''}umpire_oidc=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  }
}

const failed = (page: string, why: Refused): string => `${page}?sign_in=${why}`;

function go(reply: FastifyReply, location: string, cookies: string[] = []): void {
  void reply.code(303).header('location', location).header('cache-control', 'no-store').header('referrer-policy', 'no-referrer').header('set-cookie', cookies).send();
}

/** Null where there is none, or it is nothing that we have set. */
function departureOf(request: FastifyRequest): Departure | null {
  const match = COOKIE.exec(request.headers.cookie ?? '');
  if (!match) return null;
  try {
    const { state, nonce, verifier, to } = JSON.parse(Buffer.from(match[1]!, 'base64url').toString()) as Departure;
    return [state, nonce, verifier, to].every((part) => typeof part === 'string' && part !== '') ? { state, nonce, verifier, to } : null;
  } catch {
    return null;
  }
}
