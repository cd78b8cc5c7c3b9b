import { Body, Delete, Get, Header, HttpCode, Inject, Post, Req, Res, UseInterceptors } from '@nestjs/common';
import type { Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController, readCredential, readSession, refuseCrossSite, SESSION_COOKIE } from '@umpire/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { invalidField } from './identity-schemas.ts';
import { Identity } from './identity-services.ts';
import { SESSION_SECONDS } from './identity-sessions.queries.ts';
import type { WhoAmI } from './identity-sessions.service.ts';
import { RateLimitInterceptor } from './rate-limit.interceptor.ts';

/** A key, or a JWT; or neither, with the bearer in the header. */
const signInSchema = z.strictObject({ key: z.string().min(1).max(8_192).optional() }).nullish();

/** Signing in and out of the browser, and who one is. */
@GuardedController('session')
@UseInterceptors(RateLimitInterceptor)
export class IdentitySessionsController {
  private readonly identity: Identity;

  constructor(@Inject(Identity) identity: Identity) {
    this.identity = identity;
  }

  /** Another site must not sign somebody in either: what they did next would be done under its name. */
  @Post()
  @Header('cache-control', 'no-store')
  @Allow('public')
  async signIn(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply, @Body({ schema: signInSchema }) body: z.infer<typeof signInSchema>): Promise<WhoAmI> {
    refuseCrossSite(request);
    const bearer = readCredential(request);
    const credential = body?.key ?? (bearer?.kind === 'bearer' ? bearer.token : undefined);
    if (credential === undefined) throw invalidField('key', 'required', 'must be an API key or a token');
    const { token, who } = await this.identity.sessions.begin(credential);
    const earlier = readSession(request);
    if (earlier !== null) await this.identity.sessions.end(earlier);
    void reply.header('set-cookie', sessionCookie(request, this.identity.secureCookies, token, SESSION_SECONDS));
    return who;
  }

  @Get()
  @Header('cache-control', 'no-store')
  @Allow('producer', 'reviewer', 'admin')
  who(@Caller() caller: Principal, @Req() request: FastifyRequest): Promise<WhoAmI> {
    return this.identity.sessions.who(caller, readSession(request));
  }

  @Delete()
  @HttpCode(204)
  @Allow('public')
  async signOut(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    refuseCrossSite(request);
    const token = readSession(request);
    if (token !== null) await this.identity.sessions.end(token);
    void reply.header('set-cookie', sessionCookie(request, this.identity.secureCookies, '', 0));
  }
}

export function sessionCookie(request: FastifyRequest, secureCookies: boolean, value: string, maxAge: number): string {
  const secure = secureCookies || request.headers['x-forwarded-proto'] === 'https';
  return `${SESSION_COOKIE}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}
