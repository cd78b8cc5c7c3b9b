import { jetstream } from '@nats-io/jetstream';
import type { ConsumerSpec } from '@umpire/contract';
import { createLogger, DurableConsumer, ensureStreams } from '@umpire/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testNats, type TestNats } from './nats.ts';
import { eventually } from './wait.ts';

const spec: ConsumerSpec = { stream: 'HITL_REVIEW', name: 'intake-default-custom_rule', creator: 'intake', reader: 'intake', filters: ['hitl.default.review.custom_rule'], ackWaitSeconds: 0.3, maxAckPending: 500 };
const logger = createLogger('test', 'silent');

let nats: TestNats;
beforeAll(async () => {
  nats = await testNats();
  await ensureStreams(await nats.bus('intake'));
});
afterAll(() => nats.stop());

describe('a durable consumer', () => {
  it('does not let a message that ends the process count against those behind it', async () => {
    const js = jetstream(await nats.operator());
    for (const body of ['poison', 'a', 'b', 'c']) await js.publish('hitl.default.review.custom_rule', body);
    const counts = new Map<string, number>();
    // Each life ends while it holds the poison, as a crash would: the connection goes, nothing is acked.
    for (let life = 1; life <= 10; life++) {
      const bus = await nats.bus('intake');
      let met = false;
      const consumer = new DurableConsumer({
        bus, spec, logger, maxItems: 10, maxBytes: 1_000_000,
        handle: async (messages) => {
          for (const message of messages) counts.set(message.string(), message.info.deliveryCount);
          met ||= messages.some((message) => message.string() === 'poison');
          if (met) await new Promise(() => undefined);
          messages.forEach((message) => message.ack());
        },
      });
      consumer.start();
      await eventually(`life ${life} to meet the poison`, () => met);
      await bus.connection.close();
    }
    expect(counts.get('poison')).toBeGreaterThanOrEqual(10);
    // The first lives take all four at once; from then on the poison comes alone.
    for (const bystander of ['a', 'b', 'c']) expect(counts.get(bystander)).toBeLessThanOrEqual(5);
  });
});
