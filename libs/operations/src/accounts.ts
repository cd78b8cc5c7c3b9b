import { renderNatsAccounts, SERVICES, servicePermissions, producerPermissions, type NatsPassword, type Namespaces, type ServiceName, type TopologyNames } from '@umpire/contract';

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

/** The same as data, for clusters whose users are made by other means. */
export function permissionsDocument(namespaces: Namespaces, names: TopologyNames = {}): object {
  return {
    services: Object.fromEntries(SERVICES.map((service) => [service, servicePermissions(service, names)])),
    producers: Object.fromEntries(Object.entries(namespaces).map(([namespace, consumers]) => [namespace, producerPermissions(namespace, consumers, names)])),
  };
}
