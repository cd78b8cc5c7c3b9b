import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Context, type Link, type SpanContext } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOffSampler, AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider, type Sampler } from '@opentelemetry/sdk-trace';
import { systemClock } from '../clock.ts';
import type { Env } from '../config.ts';
import type { Span, SpanOptions, TraceContext, Tracing } from './span.ts';

const KINDS = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT, producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER } as const;
/** Longest that a stop waits for the collector, ms. */
const STOP_WITHIN_MS = 2_000;

/**
 * Tracing over OTLP/HTTP (JSON), set up by the standard `OTEL_*` environment: endpoint, headers, certificates and time-outs are the
 * exporter's to read, sampler and batch limits are read here. Import this module only when tracing is wanted.
 */
export function openTelemetry(service: string, env: Env): Tracing {
  const resource = defaultResource().merge(resourceFromAttributes({ 'service.name': `umpire-${service}`, 'service.namespace': 'umpire' })).merge(detectResources({ detectors: [envDetector] }));
  const provider = new TracerProvider({ resource, sampler: samplerOf(env), spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter(), ...limitsOf(env) })] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const tracer = provider.getTracer('umpire');
  const spans = new WeakMap<Span, ReturnType<typeof tracer.startSpan>>();

  const open = (name: string, options: SpanOptions): Span => {
    const { kind = 'internal', attributes, links = [], startedAt } = options;
    const started = tracer.startSpan(name, {
      kind: KINDS[kind],
      links: links.flatMap((link): Link[] => linkTo(link)),
      ...(attributes ? { attributes } : {}),
      ...(startedAt === undefined ? {} : { startTime: startedAt }),
    }, 'parent' in options ? contextOf(options.parent) : context.active());
    const span: Span = {
      context: textOf(started.spanContext()),
      set: (more) => void started.setAttributes(more),
      fail: (error) => void started.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message.slice(0, 300) : 'failed' }),
      end: () => started.end(),
    };
    spans.set(span, started);
    return span;
  };
  return {
    open,
    within: (span, work) => {
      const started = spans.get(span);
      return started ? context.with(trace.setSpan(context.active(), started), work) : work();
    },
    current: () => {
      const active = trace.getSpanContext(context.active());
      return active && textOf(active);
    },
    now: () => systemClock.now(),
    stop: async () => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, STOP_WITHIN_MS)));
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
      context.disable();
    },
  };
}

const textOf = ({ traceId, spanId, traceFlags }: SpanContext): string => `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;

/** @param text as `textOf` wrote it, or as `readTrace` let it in */
function spanContextOf(text: string): SpanContext {
  const [, traceId, spanId, flags] = text.split('-') as [string, string, string, string];
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
}

const contextOf = (parent: TraceContext): Context => (parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent)));
const linkTo = (text: TraceContext): Link[] => (text === undefined ? [] : [{ context: spanContextOf(text) }]);

/** `OTEL_TRACES_SAMPLER` and its argument; what is not known counts as the default, `parentbased_always_on`. */
function samplerOf(env: Env): Sampler {
  const ratio = Number(env['OTEL_TRACES_SAMPLER_ARG'] ?? 1);
  switch (env['OTEL_TRACES_SAMPLER']) {
    case 'always_on': return new AlwaysOnSampler();
    case 'always_off': return new AlwaysOffSampler();
    case 'traceidratio': return new TraceIdRatioBasedSampler(ratio);
    case 'parentbased_always_off': return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio': return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
    default: return new ParentBasedSampler({ root: new AlwaysOnSampler() });
  }
}

function limitsOf(env: Env): { scheduledDelayMillis?: number; exportTimeoutMillis?: number; maxQueueSize?: number; maxExportBatchSize?: number } {
  const names = { scheduledDelayMillis: 'OTEL_BSP_SCHEDULE_DELAY', exportTimeoutMillis: 'OTEL_BSP_EXPORT_TIMEOUT', maxQueueSize: 'OTEL_BSP_MAX_QUEUE_SIZE', maxExportBatchSize: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE' } as const;
  return Object.fromEntries(Object.entries(names).flatMap(([key, name]) => {
    const value = Number(env[name]);
    return env[name] && Number.isInteger(value) && value > 0 ? [[key, value]] : [];
  }));
}
