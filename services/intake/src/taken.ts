import type { Logger } from '@umpire/runtime';
import { deprecatedTotal, policyMatchesTotal } from './intake.metrics.ts';
import type { ReadMessage, RefusedMessage } from './message/read-message.ts';

/** Counts by policy, and tells of old forms: once for each message that is handed over to the store or refused. */
export function noteTaken(read: ReadMessage | RefusedMessage, submission: string, logger: Logger): void {
  if (read.ok && read.item.type !== 'cancel') policyMatchesTotal().inc({ namespace: read.item.namespace, policy: read.item.policy?.id ?? '' });
  if (read.deprecated === undefined) return;
  deprecatedTotal().inc({ form: read.deprecated });
  logger.warn({ form: read.deprecated, request_id: read.ok ? read.item.request_id : read.requestId, submission }, 'deprecated_form');
}
