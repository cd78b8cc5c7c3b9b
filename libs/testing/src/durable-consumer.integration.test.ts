import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { ConsumerSpec } from '@umpire/contract';
import { createLogger, DurableConsumer, ensureStreams } from '@umpire/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testNats, type TestNats } from './nats.ts';
import { eventually, signal } from './wait.ts';

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
    for (const body of ['before', 'poison', 'a', 'b', 'c']) await js.publish('hitl.default.review.custom_rule', body);
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
        },
      });
      consumer.start();
      await eventually(`life ${life} to meet the poison`, () => met);
      await bus.connection.close();
    }
    expect(counts.get('poison')).toBeGreaterThanOrEqual(10);
    // The first lives take all five at once; from then on each comes alone, and what is done is acked before the next.
    for (const bystander of ['before', 'a', 'b', 'c']) expect(counts.get(bystander)).toBeLessThanOrEqual(5);
  });

  it('rests between batches, but neither alone nor before a full one', async () => {
    const own: ConsumerSpec = { ...spec, name: 'intake-default-inconsistent_evidence', filters: ['hitl.default.review.inconsistent_evidence'], ackWaitSeconds: 30 };
    const js = jetstream(await nats.operator());
    const batches: string[][] = [];
    const consumer = new DurableConsumer({
      bus: await nats.bus('intake'), spec: own, logger, maxItems: 3, maxBytes: 1_000_000, restMs: 3_600_000,
      handle: async (messages) => {
        batches.push(messages.map((message) => message.string()));
      },
    });
    consumer.start();
    await js.publish(own.filters[0]!, 'alone');
    await eventually('the one alone', () => batches.length === 1);
    for (const body of ['a', 'b', 'c']) await js.publish(own.filters[0]!, body);
    await eventually('the full batch', () => batches.length === 2);
    expect(batches).toEqual([['alone'], ['a', 'b', 'c']]);
    await js.publish(own.filters[0]!, 'left');
    await consumer.stop();
    expect(batches).toHaveLength(2);
  });

  it('rests as long as it is told before each batch', async () => {
    const own: ConsumerSpec = { ...spec, name: 'intake-default-custom_rule-told', filters: ['hitl.default.cancel.custom_rule'], ackWaitSeconds: 30 };
    const operator = await nats.operator();
    const js = jetstream(operator);
    await (await jetstreamManager(operator)).streams.purge(own.stream);
    const batches: string[][] = [];
    const consumer = new DurableConsumer({
      bus: await nats.bus('intake'), spec: own, logger, maxItems: 3, maxBytes: 1_000_000, restMs: () => (batches.length < 3 ? 0 : 3_600_000),
      handle: async (messages) => {
        batches.push(messages.map((message) => message.string()));
      },
    });
    consumer.start();
    for (const body of ['a', 'b', 'c']) {
      await js.publish(own.filters[0]!, body);
      await eventually(`${body}, without a rest`, () => batches.flat().includes(body));
    }
    for (const body of ['d', 'e', 'f']) await js.publish(own.filters[0]!, body);
    await eventually('a full batch', () => batches.length === 4);
    expect(batches).toEqual([['a'], ['b'], ['c'], ['d', 'e', 'f']]);
    await consumer.stop();
  });

  it('has acked all that it has done when it stops', async () => {
    const own: ConsumerSpec = { ...spec, name: 'intake-default-hard_disagreement', filters: ['hitl.default.review.hard_disagreement'], ackWaitSeconds: 30 };
    const operator = await nats.operator();
    const [js, manager] = [jetstream(operator), await jetstreamManager(operator)];
    for (let index = 0; index < 20; index++) await js.publish(own.filters[0]!, `${index}`);
    const bus = await nats.bus('intake');
    let handled = 0;
    const consumer = new DurableConsumer({ bus, spec: own, logger, maxItems: 1, maxBytes: 1_000_000, handle: async () => void (handled += 1) });
    consumer.start();
    await eventually('all to be handled', () => handled === 20);
    await consumer.stop();
    await bus.ping();
    expect(await manager.consumers.info(own.stream, own.name)).toMatchObject({ num_ack_pending: 0, num_pending: 0 });
  });

  it('does not ack a message of a stream that was made again with the ack of an older one', async () => {
    const own: ConsumerSpec = { ...spec, name: 'intake-default-low_confidence', filters: ['hitl.default.review.low_confidence'], ackWaitSeconds: 30 };
    const operator = await nats.operator();
    const [js, manager] = [jetstream(operator), await jetstreamManager(operator)];
    await manager.streams.purge(own.stream);
    const bus = await nats.bus('intake');
    const held = signal();
    const release = signal();
    const second = signal();
    const handled: string[] = [];
    const consumer = new DurableConsumer({
      bus, spec: own, logger, maxItems: 1, maxBytes: 1_000_000, remakeFrom: 'beginning',
      handle: async ([message]) => {
        handled.push(message!.string());
        if (handled.length === 1) {
          held.fire();
          await release.promise;
          return;
        }
        await second.promise;
      },
    });
    await manager.streams.delete(own.stream);
    await ensureStreams(bus);
    consumer.start();
    await eventually('the consumer', () => manager.consumers.info(own.stream, own.name));
    await js.publish('hitl.default.review.low_confidence', 'old');
    await held.promise;
    await manager.streams.delete(own.stream);
    await ensureStreams(bus);
    await js.publish('hitl.default.review.low_confidence', 'new');
    await eventually('the new message to be delivered', async () => (await manager.consumers.info(own.stream, own.name)).num_ack_pending === 1, 30_000);
    release.fire();
    await eventually('the new message to be worked on', () => handled.at(-1) === 'new', 30_000);
    // Acks are not answered: one that was sent before this round trip has arrived.
    await bus.ping();
    expect(await manager.consumers.info(own.stream, own.name)).toMatchObject({ num_ack_pending: 1, ack_floor: { stream_seq: 0 } });
    second.fire();
    await eventually('the new message to be acked', async () => (await manager.consumers.info(own.stream, own.name)).ack_floor.stream_seq === 1, 30_000);
    await consumer.stop();
  });
});
