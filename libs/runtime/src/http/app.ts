import 'reflect-metadata';
import { StandardSchemaValidationPipe, type DynamicModule, type LoggerService } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { LIMITS, UmpireError } from '@umpire/contract';
import type { FastifyInstance } from 'fastify';
import type { Logger } from '../logger.ts';
import { AuthGuard } from './auth.ts';
import { readBody } from './body.ts';
import { fieldErrors, ProblemFilter, sendProblem, toUmpireError } from './problem-filter.ts';
import { traceRequests } from '../tracing/http.ts';
import { mountProbes, type Readiness } from './probes.ts';
import { TIMEOUTS } from './timeouts.ts';

export type HttpOptions = { host: string; port: number; logger: Logger; readiness: Readiness; probesOnOrigin: boolean };

/**
 * Starts a Nest application on Fastify: bodies kept raw beside their JSON, ids up to 512 bytes in paths, problem details for
 * every error, and a shutdown that finishes what it has begun.
 */
export async function startHttpApp(module: DynamicModule, options: HttpOptions): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    // A 512-byte id is up to 1,536 characters percent-encoded; the router's own limit is 100.
    routerOptions: { maxParamLength: 2_048 },
    bodyLimit: LIMITS.request,
    ...TIMEOUTS,
    trustProxy: false,
    exposeHeadRoutes: true,
    frameworkErrors: (error, _request, reply) => sendProblem(reply as never, toUmpireError(error)),
  } as ConstructorParameters<typeof FastifyAdapter>[0]);
  const server = adapter.getInstance() as unknown as FastifyInstance;
  traceRequests(server);
  keepRawBodies(server);
  closeIdleConnectionsOnShutdown(server);
  refuseNulInUrls(server);
  hearOutLargeBodies(server);
  keepAnswersToTheirReader(server);
  if (options.probesOnOrigin) mountProbes(server, options.readiness);
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, { logger: nestLogger(options.logger), bodyParser: false, abortOnError: false });
  app.useGlobalFilters(new ProblemFilter(options.logger));
  app.useGlobalPipes(new StandardSchemaValidationPipe({
    exceptionFactory: (issues) => new UmpireError('invalid', 'some fields are not valid', { errors: fieldErrors(issues) }),
  }));
  refuseUnguardedRoutes(app);
  await app.listen(options.port, options.host);
  return app;
}

/** A controller without the guard would be open to everybody: such a build does not start. */
function refuseUnguardedRoutes(app: NestFastifyApplication): void {
  for (const module of app.get(ModulesContainer).values()) {
    for (const { name, metatype } of module.controllers.values()) {
      const guards = (Reflect.getMetadata(GUARDS_METADATA, metatype ?? Object) ?? []) as unknown[];
      if (!guards.includes(AuthGuard)) throw new Error(`controller ${String(name)} is not guarded: declare it with @GuardedController`);
    }
  }
}

/** JSON bodies are parsed safely and kept raw: intake reads the bytes as they came. */
function keepRawBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(['application/json', 'application/problem+json'], { parseAs: 'buffer' }, (request, body, done) => {
    (request as unknown as { rawBody: Buffer }).rawBody = body as Buffer;
    if (READ_BY_THEIR_ROUTE.has(request.routeOptions.url ?? '') || (body as Buffer).length === 0) return done(null, undefined);
    try {
      done(null, readBody(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
  server.addContentTypeParser(['application/yaml', 'application/x-yaml', 'text/yaml'], { parseAs: 'buffer' }, (request, body, done) => {
    if (!READ_AS_YAML.has(request.routeOptions.url ?? '')) return done(new UmpireError('unsupported_media_type', 'send JSON: application/json'));
    (request as unknown as { rawBody: Buffer }).rawBody = body as Buffer;
    done(null, undefined);
  });
}

/** Routes that read the bytes of their bodies themselves: messages are judged as they came, by intake's own reader. */
const READ_BY_THEIR_ROUTE = new Set(['/api/escalations', '/policies', '/policies/simulate']);
const READ_AS_YAML = new Set(['/policies']);

/** No id, name or cursor of ours holds U+0000, and Postgres refuses it: said here once, for every route. */
function refuseNulInUrls(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    if (!request.url.includes('%00')) return done();
    sendProblem(reply, new UmpireError('bad_request', 'the address holds a NUL character'));
  });
}

/** What is answered is data for whoever asked: no browser guesses it to be a page, no cache keeps it, unless a route says so. */
function keepAnswersToTheirReader(server: FastifyInstance): void {
  server.addHook('onSend', (_request, reply, payload, done) => {
    void reply.header('x-content-type-options', 'nosniff');
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
    done(null, payload);
  });
}

/** Announced bodies up to this size are read to their end before they are refused. Bytes. */
const HEARD_OUT = 4 * 1024 * 1024;

/**
 * A 413 that closes the connection while the client still sends reaches many clients, and every proxy, as a broken pipe. So a body
 * that is announced as too large is read and thrown away first, within reason.
 */
function hearOutLargeBodies(server: FastifyInstance): void {
  server.addHook('preParsing', async (request, _reply, payload) => {
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced <= LIMITS.request) return payload;
    if (announced <= HEARD_OUT) for await (const _chunk of payload) continue;
    throw new UmpireError('too_large', `a body may have ${LIMITS.request} bytes`);
  });
}

/** Without this an idle keep-alive connection holds the shutdown for over a minute (fastify only closes on the next request). */
function closeIdleConnectionsOnShutdown(server: FastifyInstance): void {
  let closing = false;
  server.addHook('preClose', (done: () => void) => {
    closing = true;
    server.server.closeIdleConnections();
    done();
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) void reply.header('connection', 'close');
    done(null, payload);
  });
}

function nestLogger(logger: Logger): LoggerService {
  return {
    log: (message: string) => logger.debug({ nest: message }, 'nest'),
    debug: (message: string) => logger.debug({ nest: message }, 'nest'),
    verbose: (message: string) => logger.trace({ nest: message }, 'nest'),
    warn: (message: string) => logger.warn({ nest: message }, 'nest'),
    error: (message: unknown, ...more: unknown[]) => logger.error({ nest: message, more }, 'nest'),
    fatal: (message: unknown) => logger.fatal({ nest: message }, 'nest'),
  };
}
