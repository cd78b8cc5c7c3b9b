import { idToken } from './json/index.ts';
import { isNamespace, isReason, type Reason } from './reasons.ts';

/** Subjects are built here and nowhere else. Request ids enter them only as `<id-token>`. */
export const subjects = {
  review: (namespace: string, reason: Reason) => `hitl.${namespace}.review.${reason}`,
  cancel: (namespace: string, reason: Reason) => `hitl.${namespace}.cancel.${reason}`,
  /** Reviews and cancels of one reason as one filter: exactly what one intake consumer reads. */
  queue: (namespace: string, reason: Reason) => `hitl.${namespace}.*.${reason}`,
  event: (namespace: string, type: string, reason: Reason) => `hitl.${namespace}.escalation.${type}.${reason}`,
  outcome: (namespace: string, reason: Reason) => `hitl.${namespace}.outcome.${reason}`,
  rejected: (namespace: string, reason: Reason | 'unknown') => `hitl.${namespace}.rejected.${reason}`,
  settled: (namespace: string, requestId: string) => `hitl.${namespace}.settled.${idToken(requestId)}`,
  queryOutcome: (namespace: string) => `hitl.${namespace}.query.outcome`,
  submit: (reason: Reason) => `umpire.store.submit.${reason}`,
  apply: 'umpire.store.apply',
  note: 'umpire.store.note',
  forget: 'umpire.notify.forget',
  query: (name: StoreQuery) => `umpire.store.query.${name}`,
} as const;

/** What the other services may ask the state store. */
export const STORE_QUERIES = ['principal', 'principals', 'content', 'items', 'pending', 'changes', 'history'] as const;
export type StoreQuery = (typeof STORE_QUERIES)[number];

/** @returns namespace, verb and reason of a `HITL_REVIEW` subject, or null if it is not one. */
export function parseReviewSubject(subject: string): { namespace: string; verb: 'review' | 'cancel'; reason: Reason } | null {
  const [root, namespace, verb, reason, ...rest] = subject.split('.');
  if (root !== 'hitl' || rest.length > 0 || !isNamespace(namespace) || !isReason(reason)) return null;
  return verb === 'review' || verb === 'cancel' ? { namespace, verb, reason } : null;
}

/** @returns the namespace of any `hitl.<ns>.…` subject, or null. */
export function namespaceOfSubject(subject: string): string | null {
  const [root, namespace] = subject.split('.', 2);
  return root === 'hitl' && isNamespace(namespace) ? namespace : null;
}

/** Inbox prefixes tell askers apart: a responder drops a request whose reply subject lies elsewhere. */
export const inboxPrefix = {
  namespace: (namespace: string) => `_INBOX.ns.${namespace}`,
  service: (service: string) => `_INBOX.svc.${service}`,
} as const;

/**
 * Where nats-server has a request from another account answered: it maps such a subject back to the asker's account, and refuses
 * it as anybody's own reply subject.
 */
export const MAPPED_REPLY_PREFIX = '_R_.';

/** Durable consumer names. Namespaces hold no `_`, so `_` separates without ambiguity. */
export const consumerNames = {
  intake: (namespace: string, reason: Reason) => `intake-${namespace}-${reason}`,
  outcomes: (namespace: string, name: string) => `outcomes_${namespace}_${name}`,
  notifier: 'notifier',
  scheduler: 'timeout-scheduler',
} as const;

/** `interactionId` carries the id that POST gave an interaction without one: its payload's bytes stay as they came. */
export const HEADERS = { replyTo: 'Umpire-Reply-To', interactionId: 'Umpire-Interaction-Id' } as const;

/** @returns whether a producer of the namespace may have answers sent there: a literal subject below its own inbox prefix. */
export function isOwnInbox(subject: string, namespace: string): boolean {
  return subject.length <= 256 && subject.startsWith(`${inboxPrefix.namespace(namespace)}.`) && /^[A-Za-z0-9_.$-]+$/.test(subject) && !/\.\.|\.$/.test(subject);
}
