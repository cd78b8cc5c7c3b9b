import type { Env } from '../config.ts';
import type { Span, SpanOptions, TraceContext, Tracing } from './span.ts';

export type { Attributes, Span, SpanOptions, TraceContext } from './span.ts';

let tracing: Tracing | null = null;
const NO_SPAN: Span = { context: undefined, set: () => undefined, fail: () => undefined, end: () => undefined };
const VALID = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * Turns tracing on if the standard environment asks for it: `OTEL_TRACES_EXPORTER=otlp`, or an `OTEL_EXPORTER_OTLP_[TRACES_]ENDPOINT`.
 * Otherwise no part of OpenTelemetry is even loaded.
 * @param service its name, unless `OTEL_SERVICE_NAME` says otherwise
 */
export async function startTracing(service: string, env: Env): Promise<void> {
  if (tracing !== null || !wanted(env)) return;
  const { openTelemetry } = await import('./otel.ts');
  tracing = openTelemetry(service, env);
}

/** Sends what is still held. */
export async function stopTracing(): Promise<void> {
  const stopping = tracing;
  tracing = null;
  await stopping?.stop();
}

function wanted(env: Env): boolean {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return false;
  const exporter = env['OTEL_TRACES_EXPORTER'];
  if (exporter) return exporter.split(',').includes('otlp');
  return Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']);
}

export const tracingOn = (): boolean => tracing !== null;

/** @returns the context to hand on from here, if anything is traced */
export const currentTrace = (): TraceContext => tracing?.current();

/** @returns the text of a header if it is a context that can be continued: anybody may send anything there */
export function readTrace(header: unknown): TraceContext {
  return tracing !== null && typeof header === 'string' && VALID.test(header) ? header : undefined;
}

/** The same of a message, whose headers are not even read while nothing is traced: the client reads them anew at each look. */
export function traceOfMessage(message: { readonly headers?: { get(name: string): string } | undefined }): TraceContext {
  return tracing === null ? undefined : readTrace(message.headers?.get('traceparent'));
}

/** @returns the header that carries a context on, or none */
export const traceHeaders = (context: TraceContext): Record<string, string> => (context === undefined ? {} : { traceparent: context });

/** Runs `work` in a span; a throw marks it as failed. */
export async function inSpan<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T> {
  if (tracing === null) return work(NO_SPAN);
  const span = tracing.open(name, options);
  try {
    return await tracing.within(span, () => work(span));
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    span.end();
  }
}

/** A step of what is being traced; nothing where nothing is. */
export async function step<T>(name: string, options: Omit<SpanOptions, 'parent'>, work: () => Promise<T>): Promise<T> {
  return tracing?.current() === undefined ? work() : inSpan(name, options, work);
}

/** A statement, or a transaction, of the flow. */
export const postgresStep = <T>(name: string, work: () => Promise<T>): Promise<T> =>
  step(`postgres ${name}`, { kind: 'client', attributes: { 'db.system.name': 'postgresql', 'db.operation.name': name } }, work);

/** Opens a span that its caller ends. */
export const openSpan = (name: string, options: SpanOptions): Span => tracing?.open(name, options) ?? NO_SPAN;
export const withinSpan = <T>(span: Span, work: () => T): T => (tracing === null ? work() : tracing.within(span, work));

/** When something began that will be told afterwards, ms since the epoch; 0 while nothing is traced. */
export const traceClock = (): number => tracing?.now() ?? 0;

/**
 * Tells of what has just ended, once it is known whose trace it belongs to.
 * @returns the context to hand on
 */
export function tellSpan(name: string, options: SpanOptions): TraceContext {
  if (tracing === null) return undefined;
  const span = tracing.open(name, options);
  span.end();
  return span.context;
}

/**
 * Runs work on a batch. One item: a span of its trace. Several: each has a span of its own in its own trace, and the work itself one
 * that all of them are linked with, since it belongs to none of them alone.
 * @param parents what caused each item
 * @param options `begin`: an item that nothing is known of begins a trace; otherwise it has none
 * @param work is given what each item hands on
 */
export async function inBatch<T>(name: string, parents: TraceContext[], options: Omit<SpanOptions, 'parent' | 'links'> & { begin?: boolean }, work: (contexts: TraceContext[]) => Promise<T>): Promise<T> {
  const { begin = false, ...rest } = options;
  const traced = begin ? parents.length : parents.filter((parent) => parent !== undefined).length;
  if (tracing === null || traced === 0) return work(parents.map(() => undefined));
  if (parents.length === 1) return inSpan(name, { ...rest, parent: parents[0] }, (span) => work([span.context]));
  return inSpan(`${name} batch`, { ...rest, parent: undefined, links: parents, attributes: { ...rest.attributes, 'messaging.batch.message_count': parents.length } }, async (batch) => {
    const spans = parents.map((parent) => (parent === undefined && !begin ? NO_SPAN : openSpan(name, { ...rest, parent, links: [batch.context] })));
    try {
      return await work(spans.map((span) => span.context));
    } catch (error) {
      for (const span of spans) span.fail(error);
      throw error;
    } finally {
      for (const span of spans) span.end();
    }
  });
}

/** What a log line carries of the trace that it was written in. */
export function traceFields(): Record<string, string> {
  const [, traceId, spanId] = tracing?.current()?.split('-') ?? [];
  return traceId === undefined ? {} : { trace_id: traceId, span_id: spanId! };
}
