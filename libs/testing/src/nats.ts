import { renderNatsAccounts, SERVICES, inboxPrefix, type ServiceName, type TopologyNames } from '@umpire/contract';
import { Bus, createLogger, type BusOptions } from '@umpire/runtime';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServers } from '../../../deploy/local/servers.mjs';

const PASSWORD = 'only-for-tests';
const logger = createLogger('test', 'silent');

export type TestNats = {
  url: string;
  /** A service's own connection, with exactly its permissions. */
  bus(service: ServiceName, more?: Partial<BusOptions>): Promise<Bus>;
  /** A producer's connection of a namespace (`default`, `team-a`, `team-b`). */
  producer(namespace?: string): Promise<NatsConnection>;
  /** A connection that may do everything, for looking from outside. */
  operator(): Promise<NatsConnection>;
  restart(): Promise<void>;
  /** As kill -9 does. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
};

export const TEST_NAMESPACES = { default: ['main'], 'team-a': ['main'], 'team-b': ['main'] };

/**
 * A nats-server of its own (about 50 ms) with the users and permissions of the topology. `names` makes it one of somebody else's;
 * `config(home)` is further text of its configuration.
 */
export async function testNats({ names = {}, config = () => '' }: { names?: TopologyNames; config?: (home: string) => string } = {}): Promise<TestNats> {
  const home = await mkdtemp(join(tmpdir(), 'umpire-nats-'));
  const producers = Object.entries(TEST_NAMESPACES).map(([namespace, outcomeConsumers]) => ({ namespace, user: `producer-${namespace}`, pass: PASSWORD, outcomeConsumers }));
  const natsAuth = renderNatsAccounts({
    services: Object.fromEntries(SERVICES.map((service) => [service, { user: service, pass: PASSWORD }])) as Record<ServiceName, { user: string; pass: string }>,
    operator: { user: 'operator', pass: PASSWORD },
    producers,
  }, names);
  const servers = await startServers({ home, only: ['nats'], quiet: true, natsAuth: `${natsAuth}\n${config(home)}` });
  const opened: (() => Promise<unknown>)[] = [];
  const url = servers.nats.url;
  const raw = async (user: string, prefix: string) => {
    const connection = await connect({ servers: url, user, pass: PASSWORD, inboxPrefix: prefix, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
    opened.push(() => connection.close());
    return connection;
  };
  return {
    url,
    bus: async (service, more = {}) => {
      const bus = await Bus.connect({ url, user: service, password: PASSWORD, service, logger, ...more });
      opened.push(() => bus.connection.close());
      return bus;
    },
    producer: (namespace = 'default') => raw(`producer-${namespace}`, inboxPrefix.namespace(namespace)),
    operator: () => raw('operator', '_INBOX.operator'),
    restart: () => servers.nats.restart(),
    kill: () => servers.nats.kill(),
    start: () => servers.nats.start(),
    stop: async () => {
      await Promise.allSettled(opened.map((close) => close()));
      await servers.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export { PASSWORD as TEST_NATS_PASSWORD };
