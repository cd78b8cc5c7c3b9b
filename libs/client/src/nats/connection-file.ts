import { DEFAULT_NAMESPACE, inboxPrefix, UmpireError } from '@umpire/contract';

/** What `connection.json` says of a namespace's producers. */
export type ProducerLogin = { user: string; pass: string; namespace: string; inbox_prefix: string; outcome_consumer: string | null };

/** The part of a local run's `connection.json` that this client reads. */
export type ConnectionFile = {
  api_url: string;
  nats_url: string;
  namespaces: Record<string, { nats: { producer: ProducerLogin }; keys: { admin: string; producer: string; reviewers: Record<string, string> } }>;
};

export type NatsOptions = {
  servers: string | string[];
  user?: string | undefined;
  pass?: string | undefined;
  namespace: string;
  /** Under which the server may answer; the namespace's own by default. */
  inboxPrefix?: string | undefined;
  /** The durable consumer that `outcomes` reads: one of those that `UMPIRE_NAMESPACES` declares for the namespace. */
  outcomeConsumer?: string | null | undefined;
  /** What the operator has put before the streams' names, and the JetStream domain that holds them: on a cluster that is shared. */
  streamPrefix?: string | undefined;
  domain?: string | undefined;
  /** Shown in the server's list of connections. */
  name?: string | undefined;
  /** Of a call that names none, milliseconds; 30 s. Waiting for an outcome has no limit of its own. */
  timeoutMs?: number | undefined;
  /** Reads outcomes; another reader can keep numbers that a double cannot. */
  parse?: ((text: string) => unknown) | undefined;
};

/**
 * A namespace's producer login out of `connection.json`.
 * @throws UmpireError `not_found` for a namespace that the file does not hold
 */
export function natsOptionsFrom(connection: Pick<ConnectionFile, 'nats_url' | 'namespaces'>, namespace: string = DEFAULT_NAMESPACE): NatsOptions {
  const producer = connection.namespaces[namespace]?.nats.producer;
  if (!producer) throw new UmpireError('not_found', `connection.json knows no namespace ${JSON.stringify(namespace)}`);
  return {
    servers: connection.nats_url,
    user: producer.user,
    pass: producer.pass,
    namespace,
    inboxPrefix: producer.inbox_prefix ?? inboxPrefix.namespace(namespace),
    outcomeConsumer: producer.outcome_consumer,
  };
}
