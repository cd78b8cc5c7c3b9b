import { jetstreamManager } from '@nats-io/jetstream';
import { durableConsumers, SERVICES, STREAMS, type ServiceName, type TopologyNames } from '@umpire/contract';
import { applyTopology, checkOwnTopology, compareTopology, createLogger, DurableConsumer, TopologyKeeper, type Bus, type BusOptions, type TopologyTarget } from '@umpire/runtime';
import { eventually, testNats, type TestNats } from '@umpire/testing';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const NAMESPACES = { default: ['main'], 'team-b': [] };
const ALL = Object.keys(STREAMS).length + durableConsumers(NAMESPACES).length;
const logger = createLogger('test', 'silent');

/** A cluster of somebody else's: streams under a prefix, in a domain, services without the right to make or change any. */
const NAMES: TopologyNames = { streamPrefix: 'ACME_', domain: 'hub', topology: 'check' };

let nats: TestNats;
beforeAll(async () => {
  nats = await testNats({ names: NAMES, config: (home) => `jetstream { store_dir: ${JSON.stringify(join(home, 'foreign'))}, domain: hub }` });
});
afterAll(() => nats.stop());

async function operator(): Promise<TopologyTarget> {
  return { jsm: await jetstreamManager(await nats.operator(), { domain: 'hub' }), streamName: (name) => `ACME_${name}`, replicas: 1 };
}

const service = (name: ServiceName, more: Partial<BusOptions> = {}): Promise<Bus> => nats.bus(name, { domain: 'hub', streamPrefix: 'ACME_', topology: 'check', ...more });

const wrong = async (target: TopologyTarget) => (await compareTopology(target, NAMESPACES)).filter(({ state }) => state !== 'ok').map(({ name, state, settings }) => [name, state, ...settings.map(({ setting }) => setting)]);

describe('the topology on a cluster of somebody else\'s', () => {
  it('is missed by a service that only checks, which is told what to do', async () => {
    await expect(checkOwnTopology(await service('intake'), NAMESPACES)).rejects.toThrow(/ACME_HITL_REVIEW.*missing.*ACME_HITL_REJECTED/s);
  });

  it('is made by the operator, once', async () => {
    const target = await operator();
    expect(await wrong(target)).toHaveLength(ALL);
    expect(await applyTopology(target, NAMESPACES)).toHaveLength(ALL);
    expect(await wrong(target)).toEqual([]);
    expect(await applyTopology(target, NAMESPACES)).toEqual([]);
    const names: string[] = [];
    for await (const name of target.jsm.streams.names()) names.push(name);
    expect(names.sort()).toEqual(Object.values(STREAMS).map(({ name }) => `ACME_${name}`).sort());
  });

  it('is shown and mended where somebody changed it', async () => {
    const target = await operator();
    await target.jsm.streams.update('ACME_HITL_EVENTS', { max_age: 3_600_000_000_000 });
    await target.jsm.consumers.update('ACME_HITL_REVIEW', 'intake-default-custom_rule', { ack_wait: 5_000_000_000 });
    await target.jsm.consumers.delete('ACME_HITL_OUTCOMES', 'outcomes_default_main');
    expect(await wrong(target)).toEqual([['ACME_HITL_EVENTS', 'differs', 'max_age'], ['intake-default-custom_rule', 'differs', 'ack_wait'], ['outcomes_default_main', 'missing']]);
    expect(await applyTopology(target, NAMESPACES)).toHaveLength(3);
    expect(await wrong(target)).toEqual([]);
  });

  it('lets every service start with the right to look alone', async () => {
    for (const name of SERVICES) {
      const keeper = new TopologyKeeper(await service(name), NAMESPACES, logger);
      await expect(keeper.start()).resolves.toBeUndefined();
      await keeper.stop();
    }
  });

  it('refuses a service that would change a stream, by its rights', async () => {
    const bus = await service('intake', { topology: 'ensure' });
    await expect(bus.jsm.streams.update('ACME_HITL_REVIEW', { max_age: 1_000_000_000 })).rejects.toThrow(/permission|timeout/i);
    expect(await wrong(await operator())).toEqual([]);
  });

  it('carries a message from a producer\'s account to intake\'s consumer', async () => {
    const producer = await nats.producer();
    const ack = (await producer.request('hitl.default.review.custom_rule', '{"n":1}', { timeout: 5_000 })).json<{ stream: string; domain?: string }>();
    expect(ack).toMatchObject({ stream: 'ACME_HITL_REVIEW' });
    const bus = await service('intake');
    const spec = durableConsumers(NAMESPACES).find(({ name }) => name === 'intake-default-custom_rule')!;
    const read: string[] = [];
    const consumer = new DurableConsumer({ bus, spec, logger, maxItems: 10, maxBytes: 100_000, handle: async (messages) => {
      for (const message of messages) {
        read.push(message.string());
        expect(await message.ackAck()).toBe(true);
      }
    } });
    consumer.start();
    await eventually('intake to read it', () => read.length > 0, 30_000);
    await consumer.stop();
    expect(read).toEqual(['{"n":1}']);
  });
});
