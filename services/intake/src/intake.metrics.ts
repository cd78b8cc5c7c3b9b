import { counter, histogram, type Counter, type Histogram } from '@umpire/runtime';

/** Messages that the store has a verdict for. */
export const acceptedTotal = (): Counter => counter('umpire_intake_accepted_total', 'Messages answered by the store', ['reason', 'status']);
/** Messages refused, once for each code they were refused with. */
export const rejectedTotal = (): Counter => counter('umpire_intake_rejected_total', 'Messages refused, by error code', ['reason', 'code']);
export const batchMessages = (): Histogram => histogram('umpire_intake_batch_messages', 'Messages in one batch from the stream', [], [1, 2, 5, 10, 25, 50, 100, 150]);
export const storeSeconds = (): Histogram => histogram('umpire_intake_store_seconds', 'From sending a batch to the store until its verdicts');
export const postsTotal = (): Counter => counter('umpire_intake_posts_total', 'Posted messages, by what was answered', ['result']);
export const purgedTotal = (): Counter => counter('umpire_intake_purged_total', 'Messages removed from the stream after their ack');
