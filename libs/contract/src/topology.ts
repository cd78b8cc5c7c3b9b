import { consumerNames, inboxPrefix, MAPPED_REPLY_PREFIX, STORE_QUERIES } from './subjects.ts';
import { isNamespace, REASONS, type Reason } from './reasons.ts';

/** The services that have a NATS user of their own, and the operator that provisions. */
export const SERVICES = ['intake', 'state-store', 'notifier', 'timeout-scheduler'] as const;
export type ServiceName = (typeof SERVICES)[number];

const DAY = 24 * 3600;

export type StreamSpec = {
  name: string;
  subjects: string[];
  /** The one service that creates the stream, keeps its configuration, and re-creates it when it is lost. */
  owner: ServiceName;
  publishers: (ServiceName | 'producer')[];
  consumers: (ServiceName | 'producer')[];
  schema: string;
  discard: 'old' | 'new';
  maxAgeSeconds: number;
  maxMessagesPerSubject?: number;
  maxMessageBytes: number;
  duplicateWindowSeconds: number;
};

/** Every JetStream stream: subject → schema → publishers → consumers. Streams, consumers and permissions are made from this table. */
export const STREAMS = {
  review: {
    name: 'HITL_REVIEW',
    subjects: REASONS.flatMap((reason) => [`hitl.*.review.${reason}`, `hitl.*.cancel.${reason}`]),
    owner: 'intake',
    publishers: ['producer', 'intake'],
    consumers: ['intake'],
    schema: 'review-message',
    discard: 'new',
    maxAgeSeconds: 0,
    maxMessagesPerSubject: 100_000,
    maxMessageBytes: 288 * 1024,
    duplicateWindowSeconds: 10,
  },
  events: {
    name: 'HITL_EVENTS',
    subjects: ['hitl.*.escalation.*.*'],
    owner: 'state-store',
    publishers: ['state-store'],
    consumers: ['notifier', 'timeout-scheduler'],
    schema: 'event',
    discard: 'old',
    maxAgeSeconds: 7 * DAY,
    maxMessageBytes: 1024 * 1024,
    duplicateWindowSeconds: 120,
  },
  outcomes: {
    name: 'HITL_OUTCOMES',
    subjects: ['hitl.*.outcome.*'],
    owner: 'state-store',
    publishers: ['state-store'],
    consumers: ['producer'],
    schema: 'outcome',
    discard: 'old',
    maxAgeSeconds: 7 * DAY,
    maxMessageBytes: 1024 * 1024,
    duplicateWindowSeconds: 120,
  },
  rejected: {
    name: 'HITL_REJECTED',
    subjects: ['hitl.*.rejected.*'],
    owner: 'intake',
    publishers: ['intake', 'state-store'],
    consumers: [],
    schema: 'dead-letter',
    discard: 'old',
    maxAgeSeconds: 30 * DAY,
    maxMessageBytes: 1024 * 1024,
    duplicateWindowSeconds: 120,
  },
} as const satisfies Record<string, StreamSpec>;

export type RequestSpec = { subject: string; askers: (ServiceName | 'producer')[]; responder: ServiceName; queue: string; schema: string };

/** Every core NATS request. Responders share a queue group named after their service. */
export const REQUESTS: RequestSpec[] = [
  { subject: 'umpire.store.submit.*', askers: ['intake'], responder: 'state-store', queue: 'state-store', schema: 'submit' },
  { subject: 'umpire.store.apply', askers: ['timeout-scheduler'], responder: 'state-store', queue: 'state-store', schema: 'apply' },
  ...STORE_QUERIES.map((name): RequestSpec => ({
    subject: `umpire.store.query.${name}`,
    askers: name === 'principal' ? ['intake', 'notifier', 'timeout-scheduler'] : name === 'changes' ? ['timeout-scheduler'] : name === 'history' ? ['intake'] : ['notifier'],
    responder: 'state-store',
    queue: 'state-store',
    schema: `query-${name}`,
  })),
  // Who is about to be shown what by another service: it shows nothing that is not written down.
  { subject: 'umpire.store.note', askers: ['intake', 'notifier'], responder: 'state-store', queue: 'state-store', schema: 'note' },
  // What else is kept of a person outside the store. What is kept of an escalation goes when its `erased` event is heard.
  { subject: 'umpire.notify.forget', askers: ['state-store'], responder: 'notifier', queue: 'notifier', schema: 'forget' },
  { subject: 'hitl.*.query.outcome', askers: ['producer'], responder: 'state-store', queue: 'state-store', schema: 'query-outcome' },
];

export type ConsumerSpec = {
  stream: string;
  name: string;
  /** Who makes it at start; producers may not make consumers themselves. */
  creator: ServiceName;
  reader: ServiceName | 'producer';
  filters: string[];
  ackWaitSeconds: number;
  maxAckPending: number;
};

/** Namespaces and the names of their outcome consumers (one per pipeline): the value of `UMPIRE_NAMESPACES`. */
export type Namespaces = Record<string, string[]>;

/** Every durable consumer for the declared namespaces. */
export function durableConsumers(namespaces: Namespaces): ConsumerSpec[] {
  const intake = (namespace: string, reason: Reason): ConsumerSpec => ({
    stream: STREAMS.review.name,
    name: consumerNames.intake(namespace, reason),
    creator: 'intake',
    reader: 'intake',
    filters: [`hitl.${namespace}.review.${reason}`, `hitl.${namespace}.cancel.${reason}`],
    ackWaitSeconds: 30,
    maxAckPending: 2_000,
  });
  const outcomes = (namespace: string, name: string): ConsumerSpec => ({
    stream: STREAMS.outcomes.name,
    name: consumerNames.outcomes(namespace, name),
    creator: 'state-store',
    reader: 'producer',
    filters: [`hitl.${namespace}.outcome.*`],
    ackWaitSeconds: 30,
    maxAckPending: 1_000,
  });
  const events = (name: string, reader: ServiceName): ConsumerSpec => ({
    stream: STREAMS.events.name, name, creator: reader, reader, filters: [], ackWaitSeconds: 30, maxAckPending: 4_000,
  });
  return [
    ...Object.keys(namespaces).flatMap((namespace) => REASONS.map((reason) => intake(namespace, reason))),
    ...Object.entries(namespaces).flatMap(([namespace, names]) => names.map((name) => outcomes(namespace, name))),
    events(consumerNames.notifier, 'notifier'),
    events(consumerNames.scheduler, 'timeout-scheduler'),
  ];
}

/**
 * Reads the value of `UMPIRE_NAMESPACES`.
 * @returns the namespaces, or one message per fault.
 */
export function parseNamespaces(text: string): { ok: true; namespaces: Namespaces } | { ok: false; errors: string[] } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, errors: [`UMPIRE_NAMESPACES is not JSON: ${(error as Error).message}`] };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0) {
    return { ok: false, errors: ['UMPIRE_NAMESPACES must be an object such as {"default":["main"]}'] };
  }
  const errors: string[] = [];
  for (const [namespace, names] of Object.entries(value)) {
    if (!isNamespace(namespace)) errors.push(`namespace "${namespace}" must match [a-z0-9-]{1,40}`);
    if (!Array.isArray(names) || names.some((name) => !isNamespace(name))) {
      errors.push(`outcome consumers of "${namespace}" must be a list of names that match [a-z0-9-]{1,40}`);
    }
  }
  return errors.length ? { ok: false, errors } : { ok: true, namespaces: value as Namespaces };
}

export type Permissions = { publish: string[]; subscribe: string[] };

/** How our streams are called and reached on a server, and what services may do to them. */
export type TopologyNames = {
  /** Put before every stream's name. */
  streamPrefix?: string;
  /** The JetStream domain that the services ask for by name. */
  domain?: string;
  /** With `check` services may not make or change streams and durable consumers: somebody else applies the topology. */
  topology?: 'ensure' | 'check';
};

/**
 * The subjects of the JetStream API, by what may be done with it. With a domain each is given twice: the server that is in the domain takes
 * the domain's own form for the plain one before it looks at permissions; one that only leads there does not.
 */
class StreamRights {
  private readonly apis: string[];
  private readonly prefix: string;
  private readonly ensure: boolean;

  constructor({ streamPrefix = '', domain, topology = 'ensure' }: TopologyNames) {
    this.apis = ['$JS.API', ...(domain === undefined ? [] : [`$JS.${domain}.API`])];
    this.prefix = streamPrefix;
    this.ensure = topology === 'ensure';
  }

  get info(): string[] {
    return this.each(['INFO']);
  }

  streamInfo(stream: string): string[] {
    return this.each([`STREAM.INFO.${this.prefix}${stream}`]);
  }

  ownStream(stream: string): string[] {
    return this.each([...(this.ensure ? ['CREATE', 'UPDATE'] : []), 'INFO', 'PURGE', 'MSG.GET'].map((verb) => `STREAM.${verb}.${this.prefix}${stream}`));
  }

  makeConsumers(stream: string, name: string): string[] {
    const own = `${this.prefix}${stream}.${name}`;
    return this.each([...(this.ensure ? [`CONSUMER.CREATE.${own}`, `CONSUMER.CREATE.${own}.>`, `CONSUMER.DURABLE.CREATE.${own}`] : []), `CONSUMER.INFO.${own}`]);
  }

  readConsumer(stream: string, name: string): string[] {
    const own = `${this.prefix}${stream}.${name}`;
    return [...this.each([`CONSUMER.INFO.${own}`, `CONSUMER.MSG.NEXT.${own}`]), `$JS.ACK.${own}.>`];
  }

  /** Consumers that each replica makes for itself and the server forgets, under names of its choice: the notifier's sockets read so. */
  makePassing(stream: string): string[] {
    return this.ensure ? [] : this.each([`CONSUMER.CREATE.${this.prefix}${stream}.*`]);
  }

  private each(verbs: string[]): string[] {
    return this.apis.flatMap((api) => verbs.map((verb) => `${api}.${verb}`));
  }
}

/** What a service's NATS user may do: exactly what the tables above give it. */
export function servicePermissions(service: ServiceName, names: TopologyNames = {}): Permissions {
  const rights = new StreamRights(names);
  const publish = new Set<string>(rights.info);
  const subscribe = new Set<string>([`${inboxPrefix.service(service)}.>`]);
  const mayPublish = (subjects: string[]) => subjects.forEach((subject) => publish.add(subject));
  for (const stream of Object.values(STREAMS) as StreamSpec[]) {
    if (stream.publishers.includes(service)) mayPublish(stream.subjects);
    if (stream.owner === service) mayPublish(rights.ownStream(stream.name));
    if (stream.consumers.includes(service)) mayPublish([...rights.streamInfo(stream.name), ...rights.makeConsumers(stream.name, '*'), ...rights.readConsumer(stream.name, '*')]);
  }
  for (const request of REQUESTS) {
    if (request.askers.includes(service)) publish.add(request.subject);
    if (request.responder === service) {
      subscribe.add(request.subject);
      // A producer's reply subject arrives as the server's own, which stands for the one in the producer's account.
      for (const asker of request.askers) publish.add(asker === 'producer' ? `${MAPPED_REPLY_PREFIX}>` : `${inboxPrefix.service(asker)}.>`);
    }
  }
  if (service === 'intake') {
    publish.add('_INBOX.ns.>');
    subscribe.add('_INBOX.ns.*.intake.>');
  }
  if (service === 'notifier') mayPublish(rights.makePassing(STREAMS.events.name));
  if (service === 'state-store') {
    publish.add('hitl.*.settled.*').add('hitl.*.reply.>');
    // Replicas wake each other's waiting readers.
    subscribe.add('hitl.*.settled.*');
    mayPublish(rights.makeConsumers(STREAMS.outcomes.name, '*'));
  }
  return { publish: [...publish], subscribe: [...subscribe] };
}

/** What a namespace's producers may do; nothing else. They share no stream API: only their own outcome consumers. */
export function producerPermissions(namespace: string, outcomeConsumers: string[], names: TopologyNames = {}): Permissions {
  const rights = new StreamRights(names);
  return {
    publish: [
      // Any reason: an unknown one finds no stream and fails at once, where a refused permission would end in a time-out.
      `hitl.${namespace}.review.*`,
      `hitl.${namespace}.cancel.*`,
      `hitl.${namespace}.query.*`,
      ...outcomeConsumers.flatMap((name) => rights.readConsumer(STREAMS.outcomes.name, consumerNames.outcomes(namespace, name))),
    ],
    subscribe: [`${inboxPrefix.namespace(namespace)}.>`, `hitl.${namespace}.settled.*`, `hitl.${namespace}.reply.>`],
  };
}

/** A password, or the name of a variable of the server's configuration (or environment) that holds it. */
export type NatsPassword = string | { variable: string };
type NatsUser = { user: string; pass: NatsPassword };

export type NatsUsers = {
  services: Record<ServiceName, NatsUser>;
  operator?: NatsUser;
  producers: (NatsUser & { namespace: string; outcomeConsumers: string[] })[];
};

/** The account of the services, the operator and all streams. A namespace's producers have one of their own. */
const SERVICES_ACCOUNT = 'UMPIRE';
const accountOf = (namespace: string) => `ns-${namespace}`;

/**
 * What one namespace's producers may hold of the server, together in connections and each connection in the rest. Services share none of it.
 * The longest message that `HITL_REVIEW` takes fits well, so that one that is too long for it is still told so by the stream; and a
 * connection may wait for some thousands of verdicts and outcomes at once, each a subscription.
 */
export const PRODUCER_LIMITS = { connections: 200, subscriptions: 5_000, payloadBytes: 512 * 1024 } as const;

/** Subjects whose requests are answered by more than one message: a pull by its messages and heartbeats, `+NXT` by what is next. */
const answeredByMany = (subject: string) => subject.includes('.API.CONSUMER.MSG.NEXT.') || subject.startsWith('$JS.ACK.');

const quote = (text: string) => JSON.stringify(text);
const renderUser = ({ user, pass }: NatsUser, permissions?: Permissions) => {
  const list = (subjects: string[]) => `{ allow: [${subjects.map(quote).join(', ')}] }`;
  return `      { user: ${quote(user)}, password: ${typeof pass === 'string' ? quote(pass) : `$${pass.variable}`}` +
    (permissions ? `,\n        permissions: { publish: ${list(permissions.publish)},\n          subscribe: ${list(permissions.subscribe)} }` : '') + ' }';
};

export type AccountExport = { kind: 'service' | 'stream'; subject: string; response_type?: 'stream' };
export type AccountImport = { kind: 'service' | 'stream'; subject: string; to?: string };

/** What the services' account shows to a namespace's account, and to no other: what its producers may publish and hear. */
export function accountExports({ publish, subscribe }: Permissions): AccountExport[] {
  return [
    ...publish.map((subject): AccountExport => ({ kind: 'service', subject, ...(answeredByMany(subject) ? { response_type: 'stream' } : {}) })),
    ...subscribe.map((subject): AccountExport => ({ kind: 'stream', subject })),
  ];
}

/** Its own JetStream API, which answers first and says "not enabled", the server leaves out only where `$JS.API.INFO` is imported: here to nobody. */
export function accountImports(namespace: string, { publish, subscribe }: Permissions): AccountImport[] {
  return [
    ...publish.map((subject): AccountImport => ({ kind: 'service', subject })),
    ...subscribe.map((subject): AccountImport => ({ kind: 'stream', subject })),
    { kind: 'service', subject: `hitl.${namespace}.query.nothing`, to: '$JS.API.INFO' },
  ];
}

const renderExport = (namespace: string, { kind, subject, response_type }: AccountExport) =>
  `      { ${kind}: ${quote(subject)}, ${response_type ? `response_type: ${response_type}, ` : ''}accounts: [${quote(accountOf(namespace))}] }`;
const renderImport = ({ kind, subject, to }: AccountImport) =>
  `      { ${kind}: { account: ${SERVICES_ACCOUNT}, subject: ${quote(subject)} }${to ? `, to: ${quote(to)}` : ''} }`;

/**
 * @returns the text of nats-server's `accounts` block for these users. Each namespace has an account of its own, since the server
 * checks where a user publishes, but not where it asks to be answered: across accounts an answer can only come back to the asker's.
 */
export function renderNatsAccounts(users: NatsUsers, names: TopologyNames = {}): string {
  const producers = users.producers.map((producer) => ({ ...producer, permissions: producerPermissions(producer.namespace, producer.outcomeConsumers, names) }));
  return [
    'accounts {',
    `  ${SERVICES_ACCOUNT} {`,
    '    jetstream: enabled',
    '    users = [',
    ...SERVICES.map((service) => renderUser(users.services[service], servicePermissions(service, names))),
    ...(users.operator ? [renderUser(users.operator)] : []),
    '    ]',
    '    exports = [',
    ...producers.flatMap(({ namespace, permissions }) => accountExports(permissions).map((one) => renderExport(namespace, one))),
    '    ]',
    '  }',
    ...producers.flatMap((producer) => [
      `  ${quote(accountOf(producer.namespace))} {`,
      `    limits { max_connections: ${PRODUCER_LIMITS.connections}, max_subscriptions: ${PRODUCER_LIMITS.subscriptions}, max_payload: ${PRODUCER_LIMITS.payloadBytes} }`,
      '    users = [', renderUser(producer, producer.permissions), '    ]',
      '    imports = [', ...accountImports(producer.namespace, producer.permissions).map(renderImport), '    ]',
      '  }',
    ]),
    '}',
    '',
  ].join('\n');
}
