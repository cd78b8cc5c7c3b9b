import type { JsMsg } from '@nats-io/jetstream';
import { consumerNames, durableConsumers, type ConsumerSpec } from '@umpire/contract';
import { DurableConsumer, inBatch, isDataError, traceOfMessage, type Bus, type Logger } from '@umpire/runtime';
import type { Arming } from './arming.service.ts';
import type { ClockSet } from './clock-set.queries.ts';
import { clockSetOfEvent } from './escalation-event.ts';
import { schedulerMetrics as metrics } from './scheduler.metrics.ts';

const MAX_ITEMS = 500;
const MAX_BYTES = 4 * 1024 * 1024;
/** Arming is a transaction of five statements. A timer that is due sooner than this after its event is late by no more. */
const REST_MS = 100;

/** Arms, moves and disarms timers as events on `HITL_EVENTS` say, a batch at a time: done with the commit. */
export function onEscalationEvents(bus: Bus, arming: Arming, logger: Logger): DurableConsumer {
  return new DurableConsumer({ bus, spec: schedulerConsumer(), logger, maxItems: MAX_ITEMS, maxBytes: MAX_BYTES, restMs: REST_MS, handle: (messages) => takeEvents(messages, arming, logger) });
}

function schedulerConsumer(): ConsumerSpec {
  return durableConsumers({}).find((spec) => spec.name === consumerNames.scheduler)!;
}

/** An event that cannot be read can never arm anything: it is logged and left out. */
export async function takeEvents(messages: (Pick<JsMsg, 'data' | 'subject' | 'seq'> & Partial<Pick<JsMsg, 'headers'>>)[], arming: Arming, logger: Logger): Promise<void> {
  const sets: ClockSet[] = [];
  for (const message of messages) {
    const read = clockSetOfEvent(message.data);
    if (!('fault' in read)) {
      sets.push({ ...read, trace: traceOfMessage(message) });
      continue;
    }
    metrics.events.inc({ result: 'invalid' });
    logger.error({ subject: message.subject, stream_seq: message.seq, fault: read.fault }, 'event_not_readable');
  }
  const taken = await inBatch('scheduler arm', sets.map((set) => set.trace), { kind: 'consumer' }, (traces) =>
    takeOrHalve(sets.map((set, index) => ({ ...set, trace: traces[index] })), arming, logger));
  metrics.events.inc({ result: 'applied' }, taken);
  metrics.events.inc({ result: 'outdated' }, sets.length - taken);
}

/** What Postgres refuses in spite of all checks is found by halving the batch, and left out alone. */
async function takeOrHalve(sets: ClockSet[], arming: Arming, logger: Logger): Promise<number> {
  try {
    return await arming.take(sets);
  } catch (error) {
    if (!isDataError(error)) throw error;
    if (sets.length === 1) {
      logger.error({ err: error, namespace: sets[0]!.namespace, request_id: sets[0]!.request_id }, 'clocks_refused');
      return 0;
    }
    const middle = sets.length >> 1;
    return (await takeOrHalve(sets.slice(0, middle), arming, logger)) + (await takeOrHalve(sets.slice(middle), arming, logger));
  }
}
