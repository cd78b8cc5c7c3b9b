import { jetstream, jetstreamManager, type JetStreamClient } from '@nats-io/jetstream';
import { connectNats, natsConfig, loadConfig, baseConfig, durabilityOf, serverIsRecent, serverVersion, type Durability, type Env, type TopologyTarget } from '@umpire/runtime';
import { STREAMS } from '@umpire/contract';

/** What the operator's commands read of the environment: `UMPIRE_OPERATOR_NATS_URL`, else `UMPIRE_NATS_URL`, and so on. */
export const readOperatorConfig = (env: Env) => loadConfig('operator', { ...natsConfig, namespaces: baseConfig.namespaces }, env);
export type OperatorConfig = ReturnType<typeof readOperatorConfig>;

/** What is to be known of a server before its acks are believed. */
export type ServerFacts = { version: string | null; cluster: string | null; recent: boolean; streams: Durability[]; advice: string[] };

/** The operator's connection to a cluster's JetStream. */
export class Operator {
  readonly target: TopologyTarget;
  readonly jetstream: JetStreamClient;
  private readonly connection: Awaited<ReturnType<typeof connectNats>>;

  private constructor(connection: Awaited<ReturnType<typeof connectNats>>, target: TopologyTarget, client: JetStreamClient) {
    this.connection = connection;
    this.target = target;
    this.jetstream = client;
  }

  /** @throws Error if nobody answers or the login is refused */
  static async connect(config: OperatorConfig): Promise<Operator> {
    const login = { url: config.natsUrl, user: config.natsUser, password: config.natsPassword, creds: config.natsCreds, tlsCa: config.natsTlsCa, tlsCert: config.natsTlsCert, tlsKey: config.natsTlsKey };
    const connection = await connectNats(login, { name: 'umpire-operator', timeout: 5_000, reconnect: false });
    const options = { timeout: 5_000, ...(config.natsDomain === undefined ? {} : { domain: config.natsDomain }) };
    const jsm = await jetstreamManager(connection, { ...options, checkAPI: false });
    return new Operator(connection, { jsm, streamName: (name) => `${config.natsStreamPrefix}${name}`, replicas: config.natsReplicas }, jetstream(connection, options));
  }

  /** What a client can see of how durable the streams are; what it cannot see, `advice` says. */
  async facts(): Promise<ServerFacts> {
    const version = serverVersion(this.connection);
    const cluster = this.connection.info?.cluster ?? null;
    const names = Object.values(STREAMS).map(({ name }) => this.target.streamName(name));
    const streams = await durabilityOf(this.target.jsm, names).catch(() => []);
    const advice: string[] = [];
    if (!serverIsRecent(version)) advice.push(`nats-server ${version ?? '(unknown)'} is older than 2.10: it ignores settings that are relied upon`);
    if (streams.some(({ copies }) => copies === 1)) advice.push(cluster === null
      ? 'one copy of each stream: set sync_interval: always in this server\'s jetstream block, else an ack is written but not yet on disk (no client can see the setting)'
      : `one copy of each stream in cluster ${cluster}: set UMPIRE_NATS_REPLICAS=3`);
    if (streams.some(({ storage }) => storage === 'memory')) advice.push('streams in memory are lost at a restart');
    return { version: version ?? null, cluster, recent: serverIsRecent(version), streams, advice };
  }

  async close(): Promise<void> {
    await this.connection.close();
  }
}
