/** A W3C `traceparent` header's text. Undefined where nothing is traced. */
export type TraceContext = string | undefined;
export type Attributes = Record<string, string | number | boolean>;

export type SpanOptions = {
  /** What caused it. Left out: the span that is running, if any. Given as undefined: nothing did, and a trace begins. */
  parent?: TraceContext;
  kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  attributes?: Attributes;
  /** Of other traces, or of other places in this one. */
  links?: TraceContext[];
  /** When it began, ms since the epoch, for what is told afterwards. */
  startedAt?: number;
};

/** A span under way. `context` is what goes on to whatever it causes. */
export type Span = { readonly context: TraceContext; set(attributes: Attributes): void; fail(error: unknown): void; end(): void };

/** What tracing does when it is on; made by `otel.ts`, which is loaded only then. */
export type Tracing = {
  open(name: string, options: SpanOptions): Span;
  /** Runs `work` so that spans without a parent of their own belong to this one. */
  within<T>(span: Span, work: () => T): T;
  current(): TraceContext;
  now(): number;
  stop(): Promise<void>;
};
