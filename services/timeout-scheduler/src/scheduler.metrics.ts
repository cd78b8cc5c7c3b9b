import { counter, gauge, histogram } from '@umpire/runtime';

/** Lateness reaches from under a millisecond to the hours of an outage. Seconds. */
const LATENESS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200];

export const schedulerMetrics = {
  lateness: histogram('umpire_timeout_scheduler_lateness_seconds', 'Time from when a timer was due until the store had applied it', ['kind', 'namespace', 'reason'], LATENESS),
  fired: counter('umpire_timeout_scheduler_fired_total', 'What the store answered to timers that were due', ['kind', 'result']),
  asksFailed: counter('umpire_timeout_scheduler_asks_failed_total', 'Batches of due timers that the store did not answer or refused'),
  putOff: counter('umpire_timeout_scheduler_put_off_total', 'Timers that the store failed on alone and that are asked about later'),
  armed: counter('umpire_timeout_scheduler_armed_total', 'Timers armed or moved', ['kind']),
  disarmed: counter('umpire_timeout_scheduler_disarmed_total', 'Timers removed because their escalation no longer wants them', ['kind']),
  events: counter('umpire_timeout_scheduler_events_total', 'Events taken in', ['result']),
  reconciled: counter('umpire_timeout_scheduler_reconciled_total', 'Escalations whose clocks the sweep brought before the stream did'),
  overdue: gauge('umpire_timeout_scheduler_overdue', 'Timers that are due and not settled, at most 100,000 a namespace'),
  oldestOverdue: gauge('umpire_timeout_scheduler_oldest_overdue_seconds', 'How long the oldest of them has been due; 0 without any'),
};

// From zero: what appears with its first fault would not be seen to rise.
schedulerMetrics.events.inc({ result: 'invalid' }, 0);
