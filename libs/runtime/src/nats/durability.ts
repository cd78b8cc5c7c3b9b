import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

/** What an ack of a stream is worth, as far as a client can see it. */
export type Durability = {
  stream: string;
  copies: number;
  storage: string;
  /** `file` without a cluster says nothing of `sync_interval`: no client is told it. */
  worth: 'a majority of copies' | 'written, synced if sync_interval is always' | 'lost at a restart';
};

const LEAST_SERVER = [2, 10] as const;

/** @returns whether the server knows what we rely on (2.10); an unknown version counts as too old. */
export function serverIsRecent(version: string | undefined): boolean {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  return major > LEAST_SERVER[0] || (major === LEAST_SERVER[0] && minor >= LEAST_SERVER[1]);
}

/** Says of each stream what a publish ack means there. Needs STREAM.INFO. */
export async function durabilityOf(jsm: JetStreamManager, streams: string[]): Promise<Durability[]> {
  return Promise.all(streams.map(async (stream) => {
    const { config } = await jsm.streams.info(stream);
    const worth = config.storage === 'memory' ? 'lost at a restart' : config.num_replicas > 1 ? 'a majority of copies' : 'written, synced if sync_interval is always';
    return { stream, copies: config.num_replicas, storage: config.storage, worth };
  }));
}

/** The version of the server that a connection stands on. */
export const serverVersion = (connection: NatsConnection): string | undefined => connection.info?.version;
