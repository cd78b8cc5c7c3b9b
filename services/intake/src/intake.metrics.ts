import { counter, gauge, histogram, type Counter, type Gauge, type Histogram } from '@umpire/runtime';

/** Messages that the store has a verdict for. */
export const acceptedTotal = (): Counter => counter('umpire_intake_accepted_total', 'Messages answered by the store', ['namespace', 'reason', 'status']);
/** Messages refused, once for each code they were refused with. */
export const rejectedTotal = (): Counter => counter('umpire_intake_rejected_total', 'Messages refused, by error code', ['namespace', 'reason', 'code']);
/** Messages given up unread, because reading them may be what ended the process. */
export const poisonTotal = (): Counter => counter('umpire_intake_poison_total', 'Messages refused unread after too many deliveries without a verdict', ['namespace', 'reason']);
export const batchMessages = (): Histogram => histogram('umpire_intake_batch_messages', 'Messages in one batch from the stream', [], [1, 2, 5, 10, 25, 50, 100, 150]);
export const storeSeconds = (): Histogram => histogram('umpire_intake_store_seconds', 'From sending a batch to the store until its verdicts', ['via']);
export const postsTotal = (): Counter => counter('umpire_intake_posts_total', 'Posted messages, by what was answered', ['result']);
export const purgedTotal = (): Counter => counter('umpire_intake_purged_total', 'Messages removed from the stream after their ack');
/** Messages by the policy that took them; an empty name where none did. */
export const policyMatchesTotal = (): Counter => counter('umpire_intake_policy_matches_total', 'Messages by the policy that takes them', ['namespace', 'policy']);
/** Messages on which a policy's expression was given up. */
export const policyExceededTotal = (): Counter => counter('umpire_intake_policy_exceeded_total', 'Expressions given up because of what they cost on a message', ['namespace', 'policy']);
export const policiesActive = (): Gauge => gauge('umpire_intake_policies', 'Policies in force, all namespaces');
/** Messages in a form that the contract has replaced. */
export const deprecatedTotal = (): Counter => counter('umpire_intake_deprecated_total', 'Messages in a deprecated form', ['form']);
