import { AckPolicy, DeliverPolicy, DiscardPolicy, JetStreamApiError, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { durableConsumers, STREAMS, type ConsumerSpec, type Namespaces, type StreamSpec } from '@umpire/contract';
import type { Bus } from './bus.ts';

const NANOS = 1_000_000_000;

/**
 * Creates the streams that this service owns, or brings their configuration up to the table's, and reads it back: an older
 * server ignores silently what it does not know.
 * @returns names of the streams that had to be created
 */
export async function ensureStreams(bus: Bus): Promise<string[]> {
  const created: string[] = [];
  for (const spec of Object.values(STREAMS) as StreamSpec[]) {
    if (spec.owner === bus.service && (await ensureStream(bus, spec))) created.push(spec.name);
  }
  return created;
}

async function ensureStream(bus: Bus, spec: StreamSpec): Promise<boolean> {
  const config = {
    name: spec.name,
    subjects: spec.subjects,
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: spec.discard === 'new' ? DiscardPolicy.New : DiscardPolicy.Old,
    max_age: spec.maxAgeSeconds * NANOS,
    max_msg_size: spec.maxMessageBytes,
    duplicate_window: spec.duplicateWindowSeconds * NANOS,
    allow_direct: false,
    ...(spec.maxMessagesPerSubject ? { max_msgs_per_subject: spec.maxMessagesPerSubject, discard_new_per_subject: true } : {}),
  };
  const existing = await bus.jsm.streams.info(spec.name).catch((error: unknown) => {
    if (error instanceof JetStreamApiError && error.code === 10_059) return null;
    throw error;
  });
  if (existing && differences(config, existing.config).length === 0) return false;
  // The client writes into what it is given.
  const info = existing ? await bus.jsm.streams.update(spec.name, { ...config }) : await bus.jsm.streams.add({ ...config });
  const refused = differences(config, info.config);
  if (refused.length > 0) throw new Error(`stream ${spec.name} did not take ${refused.join(', ')}: nats-server 2.10 or newer is needed`);
  return existing === null;
}

/** @returns which settings the server holds otherwise than asked. An absent boolean is false there. */
function differences(asked: Record<string, unknown>, held: object): string[] {
  const got = held as Record<string, unknown>;
  return Object.entries(asked).filter(([key, value]) => JSON.stringify(got[key] ?? false) !== JSON.stringify(value)).map(([key]) => key);
}

/** Creates (or updates) the durable consumers that this service makes, for itself or for its namespaces' producers. */
export async function ensureConsumers(bus: Bus, namespaces: Namespaces): Promise<void> {
  for (const spec of durableConsumers(namespaces)) {
    if (spec.creator === bus.service) await ensureConsumer(bus, spec);
  }
}

/**
 * Creates one durable consumer if it is missing.
 * @param since start there when it has to be made again (ms since the epoch); without it from the stream's beginning
 */
export async function ensureConsumer(bus: Bus, spec: ConsumerSpec, since?: number): Promise<void> {
  const exists = await bus.jsm.consumers.info(spec.stream, spec.name).then(() => true, (error: unknown) => {
    if (error instanceof JetStreamApiError && (error.code === 10_014 || error.code === 10_059)) return false;
    throw error;
  });
  if (exists) return;
  await bus.jsm.consumers.add(spec.stream, {
    durable_name: spec.name,
    ack_policy: AckPolicy.Explicit,
    ack_wait: spec.ackWaitSeconds * NANOS,
    max_ack_pending: spec.maxAckPending,
    max_deliver: -1,
    ...(spec.filters.length === 1 ? { filter_subject: spec.filters[0]! } : spec.filters.length > 1 ? { filter_subjects: spec.filters } : {}),
    ...(since === undefined
      ? { deliver_policy: DeliverPolicy.All }
      : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(since).toISOString() }),
  });
}
