import { accountExports, accountImports, PRODUCER_LIMITS, renderNatsAccounts, SERVICES, servicePermissions, producerPermissions, type NatsPassword, type Namespaces, type AccountExport, type AccountImport, type Permissions, type ServiceName, type TopologyNames } from '@umpire/contract';

export type PermissionsDocument = {
  /** Users of the services' account, which has JetStream. */
  services: Record<ServiceName, Permissions>;
  /** One user for each namespace, in an account of its own. */
  producers: Record<string, Permissions>;
  /** What the services' account exports to a namespace's account alone, and what that imports. */
  accounts: Record<string, { exports: AccountExport[]; imports: AccountImport[] }>;
  /** Of each namespace's account: connections together, the rest of each connection. */
  producer_limits: { connections: number; subscriptions: number; payload_bytes: number };
};

/** `state-store` → `UMPIRE_NATS_STATE_STORE_PASSWORD`; of a namespace's producers `UMPIRE_NATS_PRODUCER_TEAM_B_PASSWORD`. */
export const passwordVariable = (user: string): string => `UMPIRE_NATS_${user.toUpperCase().replaceAll('-', '_')}_PASSWORD`;

/**
 * The `accounts` block of a server for these namespaces. It holds no secret: each password is a variable that the server's configuration
 * (or its environment) gives, so that the text can be committed.
 */
export function accountsConfig(namespaces: Namespaces, names: TopologyNames = {}): string {
  const user = (name: string): { user: string; pass: NatsPassword } => ({ user: name, pass: { variable: passwordVariable(name) } });
  return `# Generated from the topology (umpire topology accounts): who may publish and hear what. Passwords are variables.\n${renderNatsAccounts({
    services: Object.fromEntries(SERVICES.map((service) => [service, user(service)])) as Record<ServiceName, { user: string; pass: NatsPassword }>,
    operator: user('operator'),
    producers: Object.entries(namespaces).map(([namespace, outcomeConsumers]) => ({ ...user(`producer-${namespace}`), namespace, outcomeConsumers })),
  }, names)}`;
}

/** The same as data, for clusters whose accounts and users are made by other means, such as an operator's JWTs. */
export function permissionsDocument(namespaces: Namespaces, names: TopologyNames = {}): PermissionsDocument {
  const producers = Object.entries(namespaces).map(([namespace, consumers]) => [namespace, producerPermissions(namespace, consumers, names)] as const);
  return {
    services: Object.fromEntries(SERVICES.map((service) => [service, servicePermissions(service, names)])) as PermissionsDocument['services'],
    producers: Object.fromEntries(producers),
    accounts: Object.fromEntries(producers.map(([namespace, permissions]) => [namespace, { exports: accountExports(permissions), imports: accountImports(namespace, permissions) }])),
    producer_limits: { connections: PRODUCER_LIMITS.connections, subscriptions: PRODUCER_LIMITS.subscriptions, payload_bytes: PRODUCER_LIMITS.payloadBytes },
  };
}
