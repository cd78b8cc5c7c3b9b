import type { ServiceName } from '@umpire/contract';
import type { z } from 'zod';
import type { natsConfig, postgresConfig } from './config.ts';
import type { Logger } from './logger.ts';
import type { BusOptions } from './nats/bus.ts';
import type { PostgresOptions } from './postgres/connect.ts';

export type NatsConfig = z.infer<z.ZodObject<typeof natsConfig>>;
export type PostgresConfig = z.infer<z.ZodObject<typeof postgresConfig>>;

/** What `Bus.connect` takes, from a service's configuration. */
export function busOptions(config: NatsConfig, service: ServiceName, logger: Logger): BusOptions {
  return {
    url: config.natsUrl, user: config.natsUser, password: config.natsPassword, creds: config.natsCreds,
    tlsCa: config.natsTlsCa, tlsCert: config.natsTlsCert, tlsKey: config.natsTlsKey,
    domain: config.natsDomain, streamPrefix: config.natsStreamPrefix, replicas: config.natsReplicas, topology: config.topology, service, logger,
  };
}

/** What `connectPostgres` takes, from a service's configuration. */
export function postgresOptions(config: PostgresConfig, service: string, logger: Logger): PostgresOptions {
  return { url: config.postgresUrl, max: config.postgresPool, tlsCa: config.postgresTlsCa, pooled: config.postgresPooled, service, logger };
}
