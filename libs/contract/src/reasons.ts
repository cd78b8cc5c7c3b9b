/** The four escalation reasons of the HITL contract. Routing by reason is routing by subject. */
export const REASONS = ['hard_disagreement', 'low_confidence', 'inconsistent_evidence', 'custom_rule'] as const;
export type Reason = (typeof REASONS)[number];

const reasons: ReadonlySet<string> = new Set(REASONS);

export function isReason(value: unknown): value is Reason {
  return typeof value === 'string' && reasons.has(value);
}

/** Namespaces separate teams; part of every primary key, cache key and subject. */
export const NAMESPACE_PATTERN = /^[a-z0-9-]{1,40}$/;
export const DEFAULT_NAMESPACE = 'default';

export function isNamespace(value: unknown): value is string {
  return typeof value === 'string' && NAMESPACE_PATTERN.test(value);
}

/** Version of events, webhooks and outcomes. 1.x only adds fields. */
export const SCHEMA_VERSION = '1.0';

/** Limits that keep every event and dead letter publishable under NATS's 1 MiB `max_payload`. Bytes. */
export const LIMITS = {
  request: 256 * 1024,
  answer: 64 * 1024,
  batch: 512 * 1024,
  batchItems: 150,
  requestId: 512,
} as const;
