import { AckPolicy, DeliverPolicy, DiscardPolicy, JetStreamApiError, RetentionPolicy, StorageType, type JetStreamManager } from '@nats-io/jetstream';
import { durableConsumers, STREAMS, type ConsumerSpec, type Namespaces, type ServiceName, type StreamSpec } from '@umpire/contract';
import type { Bus } from './bus.ts';

const NANOS = 1_000_000_000;
const STREAM_NOT_FOUND = 10_059;
const CONSUMER_NOT_FOUND = 10_014;

/** A server's JetStream as we use it: what our streams are called there, and how many copies they shall have. */
export type TopologyTarget = { jsm: JetStreamManager; streamName: (name: string) => string; replicas: number | undefined };

/** One stream or durable consumer, and how the server's differs from the table's. */
export type Difference = {
  kind: 'stream' | 'consumer';
  name: string;
  stream: string;
  /** Who makes it at start. */
  owner: ServiceName;
  state: 'ok' | 'missing' | 'differs';
  settings: { setting: string; is: unknown; wanted: unknown }[];
};

/** Settings as a server's JSON has them. */
type Settings = Record<string, unknown>;

function streamSettings(spec: StreamSpec, { streamName, replicas }: TopologyTarget) {
  return {
    name: streamName(spec.name),
    subjects: spec.subjects,
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: spec.discard === 'new' ? DiscardPolicy.New : DiscardPolicy.Old,
    max_age: spec.maxAgeSeconds * NANOS,
    max_msg_size: spec.maxMessageBytes,
    duplicate_window: spec.duplicateWindowSeconds * NANOS,
    allow_direct: false,
    ...(spec.maxMessagesPerSubject ? { max_msgs_per_subject: spec.maxMessagesPerSubject, discard_new_per_subject: true } : {}),
    ...(replicas === undefined ? {} : { num_replicas: replicas }),
  };
}

/** Without where it starts: that is said once, when it is made. */
function consumerSettings(spec: ConsumerSpec) {
  return {
    durable_name: spec.name,
    ack_policy: AckPolicy.Explicit,
    ack_wait: spec.ackWaitSeconds * NANOS,
    max_ack_pending: spec.maxAckPending,
    max_deliver: -1,
    ...(spec.filters.length === 1 ? { filter_subject: spec.filters[0]! } : spec.filters.length > 1 ? { filter_subjects: spec.filters } : {}),
  };
}

/** @returns which settings the server holds otherwise than wanted. An absent boolean is false there. */
function differences(wanted: Settings, held: object): Difference['settings'] {
  const got = held as Settings;
  return Object.entries(wanted).filter(([key, value]) => JSON.stringify(got[key] ?? false) !== JSON.stringify(value)).map(([setting, value]) => ({ setting, is: got[setting] ?? null, wanted: value }));
}

async function orMissing<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof JetStreamApiError && (error.code === STREAM_NOT_FOUND || error.code === CONSUMER_NOT_FOUND)) return null;
    throw error;
  }
}

const stateOf = (held: object | null, settings: Difference['settings']): Difference['state'] => (held === null ? 'missing' : settings.length > 0 ? 'differs' : 'ok');

async function compareStream(target: TopologyTarget, spec: StreamSpec): Promise<Difference> {
  const wanted = streamSettings(spec, target);
  const info = await orMissing(target.jsm.streams.info(wanted.name));
  const settings = info === null ? [] : differences(wanted, info.config);
  return { kind: 'stream', name: wanted.name, stream: wanted.name, owner: spec.owner, state: stateOf(info, settings), settings };
}

async function compareConsumer(target: TopologyTarget, spec: ConsumerSpec): Promise<Difference> {
  const stream = target.streamName(spec.stream);
  const info = await orMissing(target.jsm.consumers.info(stream, spec.name));
  const settings = info === null ? [] : differences(consumerSettings(spec), info.config);
  return { kind: 'consumer', name: spec.name, stream, owner: spec.creator, state: stateOf(info, settings), settings };
}

/**
 * Compares what is on the server with the table; changes nothing. Needs INFO of streams and consumers alone.
 * @param service only what this service makes; without it everything
 */
export async function compareTopology(target: TopologyTarget, namespaces: Namespaces, service?: ServiceName): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const spec of Object.values(STREAMS) as StreamSpec[]) if (service === undefined || spec.owner === service) found.push(await compareStream(target, spec));
  for (const spec of durableConsumers(namespaces)) if (service === undefined || spec.creator === service) found.push(await compareConsumer(target, spec));
  return found;
}

/**
 * Makes what is missing and mends what differs, streams first; removes nothing.
 * @returns what was changed
 * @throws Error where the server refuses, or does not take a setting
 */
export async function applyTopology(target: TopologyTarget, namespaces: Namespaces): Promise<Difference[]> {
  const changed: Difference[] = [];
  for (const spec of Object.values(STREAMS) as StreamSpec[]) {
    const difference = await compareStream(target, spec);
    if (difference.state === 'ok') continue;
    await ensureStream(target, spec);
    changed.push(difference);
  }
  for (const spec of durableConsumers(namespaces)) {
    const difference = await compareConsumer(target, spec);
    if (difference.state === 'ok') continue;
    if (difference.state === 'missing') await addConsumer(target, spec);
    else await target.jsm.consumers.update(difference.stream, spec.name, consumerSettings(spec));
    changed.push(difference);
  }
  return changed;
}

/** One line a difference, for people. */
export function describeDifference({ kind, name, stream, owner, state, settings }: Difference): string {
  const what = kind === 'stream' ? `stream ${name}` : `consumer ${name} of ${stream}`;
  if (state !== 'differs') return `${what} (${owner}): ${state}`;
  return `${what} (${owner}): ${settings.map(({ setting, is, wanted }) => `${setting} is ${JSON.stringify(is)}, wanted ${JSON.stringify(wanted)}`).join('; ')}`;
}

/**
 * Creates the streams that this service owns, or brings their configuration up to the table's, and reads it back: an older
 * server ignores silently what it does not know.
 * @returns names of the streams that had to be created
 */
export async function ensureStreams(bus: Bus): Promise<string[]> {
  const created: string[] = [];
  for (const spec of Object.values(STREAMS) as StreamSpec[]) {
    if (spec.owner === bus.service && (await ensureStream(target(bus), spec))) created.push(bus.streamName(spec.name));
  }
  return created;
}

const target = (bus: Bus): TopologyTarget => ({ jsm: bus.jsm, streamName: (name) => bus.streamName(name), replicas: bus.replicas });

async function ensureStream(on: TopologyTarget, spec: StreamSpec): Promise<boolean> {
  const config = streamSettings(spec, on);
  const existing = await orMissing(on.jsm.streams.info(config.name));
  if (existing && differences(config, existing.config).length === 0) return false;
  // The client writes into what it is given.
  const info = existing ? await on.jsm.streams.update(config.name, { ...config }) : await on.jsm.streams.add({ ...config });
  const refused = differences(config, info.config);
  if (refused.length > 0) throw new Error(`stream ${config.name} did not take ${refused.map(({ setting }) => setting).join(', ')}: nats-server 2.10 or newer is needed`);
  return existing === null;
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
 * @throws Error if it is missing and this service only checks
 */
export async function ensureConsumer(bus: Bus, spec: ConsumerSpec, since?: number): Promise<void> {
  if ((await orMissing(bus.jsm.consumers.info(bus.streamName(spec.stream), spec.name))) !== null) return;
  if (bus.topology === 'check') throw new Error(`consumer ${spec.name} of ${bus.streamName(spec.stream)} is not there, and this service may not make it: umpire topology apply`);
  await addConsumer(target(bus), spec, since);
}

async function addConsumer({ jsm, streamName }: TopologyTarget, spec: ConsumerSpec, since?: number): Promise<void> {
  await jsm.consumers.add(streamName(spec.stream), {
    ...consumerSettings(spec),
    ...(since === undefined
      ? { deliver_policy: DeliverPolicy.All }
      : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(since).toISOString() }),
  });
}

/**
 * Looks whether what this service would make is there as the table says.
 * @throws Error that names every difference
 */
export async function checkOwnTopology(bus: Bus, namespaces: Namespaces): Promise<void> {
  const wrong = (await compareTopology(target(bus), namespaces, bus.service)).filter(({ state }) => state !== 'ok');
  if (wrong.length > 0) throw new Error(`the streams are not as this build needs them (umpire topology plan shows all): ${wrong.map(describeDifference).join('. ')}`);
}
