import type { FastifyInstance, FastifyRequest } from 'fastify';
import { openSpan, readTrace, tracingOn, withinSpan, type Span } from './tracing.ts';

/** Asked by machines all the time, and part of nobody's flow. */
const NOT_TRACED = /^\/(healthz|readyz|metrics|assets\/|docs)/;

/** A span for each request, in the trace that its `traceparent` names. Adds nothing while tracing is off. */
export function traceRequests(server: FastifyInstance): void {
  if (!tracingOn()) return;
  const spans = new WeakMap<FastifyRequest, Span>();
  server.addHook('onRequest', (request, _reply, done) => {
    if (NOT_TRACED.test(request.url)) return done();
    const route = request.routeOptions.url ?? 'unknown';
    spans.set(request, openSpan(`${request.method} ${route}`, {
      kind: 'server', parent: readTrace(request.headers['traceparent']), attributes: { 'http.request.method': request.method, 'http.route': route },
    }));
    done();
  });
  // The body is read in between, from the socket's own events: only from here on does everything run inside.
  server.addHook('preHandler', (request, _reply, done) => {
    const span = spans.get(request);
    if (span) withinSpan(span, done);
    else done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    const span = spans.get(request);
    span?.set({ 'http.response.status_code': reply.statusCode });
    if (reply.statusCode >= 500) span?.fail(new Error(`answered ${reply.statusCode}`));
    span?.end();
    done();
  });
}
