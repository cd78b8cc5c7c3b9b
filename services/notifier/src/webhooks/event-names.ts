import type { EventType } from '@umpire/contract';

/** Webhook events, and the escalation event that each tells of. Other escalation events make no webhook. */
const BY_TYPE: Partial<Record<EventType, string>> = {
  opened: 'hitl_escalation_required',
  resolved: 'hitl_escalation_resolved',
  expired: 'hitl_escalation_expired',
  cancelled: 'hitl_escalation_cancelled',
  raised: 'hitl_escalation_raised',
  reminded: 'hitl_escalation_reminder',
  iterated: 'hitl_escalation_iterated',
};

export const WEBHOOK_EVENTS = [...Object.values(BY_TYPE), 'endpoint_disabled', 'test'] as const;

/** Events after which an escalation is over: those that a `callback_url` is told of. */
export const SETTLING_EVENTS: ReadonlySet<string> = new Set(['hitl_escalation_resolved', 'hitl_escalation_expired', 'hitl_escalation_cancelled']);

export const webhookEventOf = (type: string): string | null => BY_TYPE[type as EventType] ?? null;
