import { jetstreamManager } from '@nats-io/jetstream';
import { consumerNames, durableConsumers } from '@umpire/contract';
import type { FaultRun } from './fault-case.ts';
import { NAMESPACES } from './fault-stack.ts';

/** @returns whether no consumer of a service has a message before it, or with a service that has not acked it */
export function consumersHoldNothing(run: FaultRun): Promise<boolean> {
  return run.operator(async (connection) => {
    const manager = await jetstreamManager(connection);
    for (const { stream, name, reader } of durableConsumers(NAMESPACES)) {
      if (reader === 'producer') continue;
      const { num_pending, num_ack_pending } = await manager.consumers.info(stream, name);
      if (num_pending > 0 || num_ack_pending > 0) return false;
    }
    return true;
  });
}

/** @returns by how many the deliveries of events so far are more than the events delivered, and a constant; its growth is redeliveries */
export function eventDeliveriesOver(run: FaultRun): Promise<number> {
  return run.operator(async (connection) => {
    const manager = await jetstreamManager(connection);
    let over = 0;
    for (const name of [consumerNames.notifier, consumerNames.scheduler]) {
      const { delivered } = await manager.consumers.info('HITL_EVENTS', name);
      over += delivered.consumer_seq - delivered.stream_seq;
    }
    return over;
  });
}
